//! Finds the certificate that a private key belongs to, and the chain above it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::{
    rand::SecureRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
        RsaKeyPair,
    },
};
use token_broker_proto::{Secret, oauth::UnixTime};
use x509_parser::{certificate::X509Certificate, prelude::FromDer as _, public_key::PublicKey};

use super::{
    CertificateError,
    key::{Key, RawKey},
};
use crate::model::{Certificate, KeyKind, PrivateKey};

const P256: &str = "1.2.840.10045.3.1.7";
const P384: &str = "1.3.132.0.34";
const P521: &str = "1.3.132.0.35";

/// The certificate of this key, with its chain.
pub(super) fn matched(
    key: &RawKey,
    ders: &[Vec<u8>],
    random: &dyn SecureRandom,
) -> Result<Certificate, CertificateError> {
    let key = key.parse()?;
    let certificates = ders.iter().map(|der| parsed(der)).collect::<Result<Vec<_>, _>>()?;
    for (certificate, der) in certificates.iter().zip(ders) {
        if let Some(key) = fitting(&key, certificate, random)? {
            return Ok(Certificate {
                chain: chain(certificate, der, &certificates.iter().zip(ders)),
                key,
                not_after: UnixTime::from_seconds(certificate.validity().not_after.timestamp()),
                send_x5c: false,
            });
        }
    }
    Err(CertificateError::KeyOfAnother)
}

fn parsed(der: &[u8]) -> Result<X509Certificate<'_>, CertificateError> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        _ => Err(CertificateError::Damaged("certificate")),
    }
}

/// The key, if it is this certificate's.
fn fitting(
    key: &Key,
    certificate: &X509Certificate<'_>,
    random: &dyn SecureRandom,
) -> Result<Option<PrivateKey>, CertificateError> {
    let public = certificate.public_key();
    let damaged = CertificateError::Damaged("private key");
    match (key, public.parsed()) {
        (Key::Rsa(der), Ok(PublicKey::RSA(_))) => {
            let ours = RsaKeyPair::from_der(der).map_err(|_| damaged)?;
            // Both are the one DER form of an RSAPublicKey.
            let same = ours.public().as_ref() == &*public.subject_public_key.data;
            Ok(same.then(|| private_key(KeyKind::Rsa, der, Vec::new())))
        }
        (Key::Elliptic(scalar), Ok(PublicKey::EC(point))) => {
            let parameters = public.algorithm.parameters.as_ref();
            let curve = parameters.and_then(|any| any.as_oid().ok()).map(|oid| oid.to_id_string());
            let (kind, algorithm) = curve_of(curve.as_deref().unwrap_or_default())?;
            let pair = EcdsaKeyPair::from_private_key_and_public_key(algorithm, scalar, point.data(), random);
            Ok(pair.is_ok().then(|| private_key(kind, scalar, point.data().to_vec())))
        }
        _ => Ok(None),
    }
}

fn curve_of(oid: &str) -> Result<(KeyKind, &'static EcdsaSigningAlgorithm), CertificateError> {
    match oid {
        P256 => Ok((KeyKind::P256, &ECDSA_P256_SHA256_FIXED_SIGNING)),
        P384 => Ok((KeyKind::P384, &ECDSA_P384_SHA384_FIXED_SIGNING)),
        P521 => Err(CertificateError::UnsupportedKey("P-521".to_owned())),
        other => Err(CertificateError::UnsupportedKey(format!("elliptic curve {other}"))),
    }
}

fn private_key(kind: KeyKind, bytes: &[u8], point: Vec<u8>) -> PrivateKey {
    PrivateKey { kind, secret: Secret::new(STANDARD.encode(bytes)), point }
}

/// The certificate and, as far as the file has them, those that signed it; a root signs itself and ends it.
fn chain<'a>(
    leaf: &X509Certificate<'a>,
    der: &[u8],
    all: &(impl Iterator<Item = (&'a X509Certificate<'a>, &'a Vec<u8>)> + Clone),
) -> Vec<Vec<u8>> {
    let mut chain = vec![der.to_vec()];
    let mut issuer = leaf.issuer().as_raw();
    let mut subject = leaf.subject().as_raw();
    while issuer != subject {
        let above = all.clone().find(|(certificate, _)| certificate.subject().as_raw() == issuer);
        let Some((certificate, der)) = above.filter(|(_, der)| !chain.contains(der)) else { break };
        chain.push(der.clone());
        issuer = certificate.issuer().as_raw();
        subject = certificate.subject().as_raw();
    }
    chain
}
