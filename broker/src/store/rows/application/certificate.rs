//! The certificate of an application as a part of its sealed row, private key included.

use std::borrow::Cow;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use token_broker_proto::{Secret, oauth::UnixTime};

use crate::model::{Certificate, KeyKind, PrivateKey};

/// `t`ype of key, `d` its secret part, `p`ublic point, `c`hain, `e`nd, whether the chain is sent along as `x`5c. Borrows, so that
/// no copy of a secret is made.
#[derive(Serialize, Deserialize)]
pub(super) struct CertificateRecord<'a> {
    t: Kind,
    #[serde(borrow)]
    d: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    p: String,
    c: Vec<String>,
    e: i64,
    #[serde(default)]
    x: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Rsa,
    P256,
    P384,
}

/// `x5t#S256` (RFC 7515, section 4.1.8).
pub(super) fn thumbprint(certificate: &Certificate) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, certificate.leaf()))
}

pub(super) fn record(certificate: &Certificate) -> CertificateRecord<'_> {
    CertificateRecord {
        t: match certificate.key.kind {
            KeyKind::Rsa => Kind::Rsa,
            KeyKind::P256 => Kind::P256,
            KeyKind::P384 => Kind::P384,
        },
        d: Cow::Borrowed(certificate.key.secret.expose()),
        p: STANDARD.encode(&certificate.key.point),
        c: certificate.chain.iter().map(|der| STANDARD.encode(der)).collect(),
        e: certificate.not_after.seconds(),
        x: certificate.send_x5c,
    }
}

/// `None` if it is not what was written.
pub(super) fn certificate(record: &CertificateRecord<'_>) -> Option<Certificate> {
    let kind = match record.t {
        Kind::Rsa => KeyKind::Rsa,
        Kind::P256 => KeyKind::P256,
        Kind::P384 => KeyKind::P384,
    };
    Some(Certificate {
        chain: record.c.iter().map(|text| STANDARD.decode(text)).collect::<Result<_, _>>().ok()?,
        key: PrivateKey { kind, secret: Secret::new(record.d.as_ref()), point: STANDARD.decode(&record.p).ok()? },
        not_after: UnixTime::from_seconds(record.e),
        send_x5c: record.x,
    })
}
