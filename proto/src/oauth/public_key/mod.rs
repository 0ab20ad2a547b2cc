//! A public key that a token is bound to, as callers give it: a line of OpenSSH (RFC 4253, section 6.6; RFC 5656; RFC 8709) or a JWK
//! (RFC 7517). Owns the limits and says what is wrong without repeating what was given: it may be a private key. Knows no hash, so
//! the key's name (RFC 7638) is made elsewhere, of `canonical_jwk`.

mod jwk;
mod openssh;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::Invalid;

/// Longest text in bytes: a line of an RSA key of 16384 bits with its comment is shorter.
const MAX_TEXT: usize = 16 * 1024;
/// The field of a request that the key comes in.
const FIELD: &str = "public_key";

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PublicKey {
    /// RFC 8017, section 3.1.
    Rsa {
        /// Big-endian, without leading zeros; 2048 to 8192 bits.
        modulus: Vec<u8>,
        /// Big-endian, without leading zeros.
        exponent: Vec<u8>,
    },
    /// A point of a NIST curve (SEC 1, section 2.3.3), which is not checked to be on it: the provider will use it or not.
    EllipticCurve {
        /// The curve.
        curve: Curve,
        /// Big-endian, as long as the curve says.
        x: Vec<u8>,
        /// The same.
        y: Vec<u8>,
    },
    /// RFC 8032, section 5.1.5: 32 bytes.
    Ed25519(Vec<u8>),
}

/// A NIST curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Curve {
    /// secp256r1.
    P256,
    /// secp384r1.
    P384,
    /// secp521r1.
    P521,
}

impl PublicKey {
    /// Reads a key in either form.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        if text.is_empty() {
            return Err(invalid("is empty: give a line such as ssh-keygen writes it to KEY.pub, or a JWK"));
        }
        if text.len() > MAX_TEXT {
            return Err(invalid(format!("at most {MAX_TEXT} bytes are allowed")));
        }
        if text.starts_with('{') { jwk::parse(text) } else { openssh::parse(text) }
    }

    /// The members of RFC 7638, section 3.2, in its order and without white space: what the thumbprint is a hash of.
    #[must_use]
    pub fn canonical_jwk(&self) -> String {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Rsa { modulus, exponent } => {
                format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, text(exponent), text(modulus))
            }
            Self::EllipticCurve { curve, x, y } => {
                format!(r#"{{"crv":"{}","kty":"EC","x":"{}","y":"{}"}}"#, curve.name(), text(x), text(y))
            }
            Self::Ed25519(point) => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, text(point)),
        }
    }

    /// The certificate as a line of OpenSSH, if the base64 text is a certificate over this key.
    #[must_use]
    pub fn certificate_line(&self, base64: &str) -> Option<String> {
        openssh::certificate_line(self, base64)
    }

    /// An RSA key of these integers, big-endian.
    fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self, Invalid> {
        let (modulus, exponent) = (without_zeros(modulus), without_zeros(exponent));
        if !(2048..=8192).contains(&bits(modulus)) {
            return Err(invalid("is an RSA key of fewer than 2048 or more than 8192 bits"));
        }
        if !(2..=33).contains(&bits(exponent)) || exponent.last().is_none_or(|last| last % 2 == 0) {
            return Err(invalid("is an RSA key whose exponent is even, 1, or too large"));
        }
        Ok(Self::Rsa { modulus: modulus.to_vec(), exponent: exponent.to_vec() })
    }

    fn elliptic_curve(curve: Curve, x: &[u8], y: &[u8]) -> Result<Self, Invalid> {
        if x.len() != curve.length() || y.len() != curve.length() {
            return Err(invalid("is a key of an elliptic curve whose point has the wrong length"));
        }
        Ok(Self::EllipticCurve { curve, x: x.to_vec(), y: y.to_vec() })
    }

    fn ed25519(point: &[u8]) -> Result<Self, Invalid> {
        if point.len() != 32 {
            return Err(invalid("is an Ed25519 key of the wrong length"));
        }
        Ok(Self::Ed25519(point.to_vec()))
    }
}

impl Curve {
    /// The name in a JWK (RFC 7518, section 6.2.1.1).
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }

    /// Bytes of a coordinate.
    fn length(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::P256, Self::P384, Self::P521].into_iter().find(|curve| curve.name() == name)
    }
}

fn invalid(rule: impl Into<String>) -> Invalid {
    Invalid::new(FIELD, rule)
}

/// Somebody took the wrong file. Nothing of it is said.
fn is_private() -> Invalid {
    invalid("is a private key, which nobody should be given: use the public one, KEY.pub")
}

fn without_zeros(integer: &[u8]) -> &[u8] {
    let zeros = integer.iter().take_while(|byte| **byte == 0).count();
    integer.get(zeros..).unwrap_or_default()
}

fn bits(integer: &[u8]) -> usize {
    integer.first().map_or(0, |first| integer.len() * 8 - first.leading_zeros() as usize)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Curve, PublicKey};

    fn rule(text: &str) -> String {
        PublicKey::parse(text).unwrap_err().rule
    }

    const ED25519: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f ada@laptop";

    #[test]
    fn both_forms_of_a_key_are_the_same_key() {
        let key = PublicKey::parse(ED25519).unwrap();
        assert_eq!(key, PublicKey::Ed25519((0..32).collect()));
        assert_eq!(PublicKey::parse(&key.canonical_jwk()), Ok(key));
        let curve = PublicKey::EllipticCurve { curve: Curve::P521, x: vec![1; 66], y: vec![0; 66] };
        assert_eq!(PublicKey::parse(&curve.canonical_jwk()), Ok(curve));
    }

    #[test]
    fn the_key_of_rfc_7638_has_its_canonical_form() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let given = format!(r#"{{"kty":"RSA","n":"{n}","e":"AQAB","alg":"RS256","kid":"2011-04-29"}}"#);
        let canonical = format!(r#"{{"e":"AQAB","kty":"RSA","n":"{n}"}}"#);
        assert_eq!(PublicKey::parse(&given).unwrap().canonical_jwk(), canonical);
    }

    #[test]
    fn what_is_no_public_key_is_named_and_never_repeated() {
        for (text, word) in [
            ("", "empty"),
            ("-----BEGIN OPENSSH PRIVATE KEY-----\nM4rker\n-----END OPENSSH PRIVATE KEY-----", "private key"),
            ("-----BEGIN RSA PRIVATE KEY-----\nM4rker", "private key"),
            ("PuTTY-User-Key-File-3: ssh-rsa\nM4rker", "private key"),
            (r#"{"kty":"EC","crv":"P-256","x":"AA","y":"AA","d":"M4rker"}"#, "private key"),
            (r#"{"kty":"RSA","n":"AQAB","e":"AQAB","p":"M4rker"}"#, "private key"),
            (r#"{"kty":"oct","k":"M4rker"}"#, "private key"),
            (r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#, "2048"),
            (r#"{"kty":"RSA","n":"M4rker+","e":"AQAB"}"#, "JWK"),
            (r#"{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"}"#, "curve"),
            (r#"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#, "length"),
            (r#"{"M4rker":"#, "JSON"),
            ("-----BEGIN PUBLIC KEY-----\nM4rker", "ssh-keygen -i"),
            ("---- BEGIN SSH2 PUBLIC KEY ----\nM4rker", "ssh-keygen -i"),
            ("ssh-rsa-cert-v01@openssh.com AAAA M4rker", "certificate"),
            ("sk-ssh-ed25519@openssh.com AAAA M4rker", "security key"),
            ("ssh-dss AAAA M4rker", "ssh-rsa"),
            ("ssh-ed25519", "ssh-keygen"),
            ("ssh-ed25519 M4rker!", "base64"),
            ("ssh-ed25519 AAAA", "damaged"),
            ("ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f", "another kind"),
            ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fAA==", "damaged"),
            (&format!("{ED25519}\n{ED25519}"), "one line"),
        ] {
            let rule = rule(text);
            assert!(rule.contains(word), "{text}: {rule}");
            assert!(!rule.contains("M4rker"), "{rule}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "\\PC*", kind in "ssh-(rsa|ed25519)|ecdsa-sha2-nistp256|\\{") {
            for text in [text.clone(), format!("{kind} {text}"), format!("{{\"kty\":\"RSA\",\"n\":{text:?}}}")] {
                if let Ok(key) = PublicKey::parse(&text) {
                    prop_assert_eq!(PublicKey::parse(&key.canonical_jwk()), Ok(key));
                }
            }
        }
    }
}
