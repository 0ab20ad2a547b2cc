//! A user certificate of OpenSSH (PROTOCOL.certkeys), as the platform issues them: over an RSA key only, for an hour, signed with its
//! own key by rsa-sha2-256. `ssh-keygen -L` reads and verifies it.

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use serde_json::Value;

use super::super::{issue::SigningKey, refusal::refuse};

/// The kind of a certificate over an RSA key.
const KIND: &str = "ssh-rsa-cert-v01@openssh.com";
/// Seconds that it is good for.
const LIFETIME: i64 = 3600;

/// The base64 of a certificate over this JWK.
pub(super) fn issue(authority: &SigningKey, jwk: &str, principal: &str, now: i64) -> Result<String, Value> {
    let jwk: Value = serde_json::from_str(jwk).unwrap_or_default();
    let member = |name: &str| {
        let text = jwk.get(name).and_then(Value::as_str).unwrap_or_default();
        BASE64_URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| !bytes.is_empty())
    };
    let (Some("RSA"), Some(modulus), Some(exponent)) =
        (jwk.get("kty").and_then(Value::as_str), member("n"), member("e"))
    else {
        return refuse("invalid_request", 50_027, "The req_cnf parameter is no RSA key.");
    };
    let mut certificate = Wire::default();
    certificate.string(KIND.as_bytes()).string(b"a nonce of the double of 32 octets");
    certificate.integer(&exponent).integer(&modulus);
    certificate.long(1).number(1).string(principal.as_bytes());
    let mut principals = Wire::default();
    principals.string(principal.as_bytes());
    certificate.string(&principals.0);
    certificate.long(now.unsigned_abs()).long((now + LIFETIME).unsigned_abs());
    let mut extensions = Wire::default();
    extensions.string(b"permit-pty").string(b"");
    certificate.string(b"").string(&extensions.0).string(b"");
    let (modulus, exponent) = authority.public();
    let mut signer = Wire::default();
    signer.string(b"ssh-rsa").integer(&exponent).integer(&modulus);
    certificate.string(&signer.0);
    let mut signature = Wire::default();
    signature.string(b"rsa-sha2-256").string(&authority.signature(&certificate.0));
    certificate.string(&signature.0);
    Ok(BASE64_STANDARD.encode(&certificate.0))
}

/// Bytes as SSH writes them (RFC 4251, section 5).
#[derive(Default)]
struct Wire(Vec<u8>);

impl Wire {
    fn number(&mut self, number: u32) -> &mut Self {
        self.0.extend(number.to_be_bytes());
        self
    }

    fn long(&mut self, number: u64) -> &mut Self {
        self.0.extend(number.to_be_bytes());
        self
    }

    fn string(&mut self, bytes: &[u8]) -> &mut Self {
        self.number(u32::try_from(bytes.len()).expect("no text is that long"));
        self.0.extend(bytes);
        self
    }

    /// A positive integer: with a zero in front where its first bit would be a sign.
    fn integer(&mut self, bytes: &[u8]) -> &mut Self {
        let signed = bytes.first().is_some_and(|first| *first >= 0x80);
        let zero: &[u8] = if signed { &[0] } else { &[] };
        self.string(&[zero, bytes].concat())
    }
}
