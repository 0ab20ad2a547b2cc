//! Private keys as they stand in files, and what of them can sign: RSA as PKCS#1 (RFC 8017, appendix A.1.2), elliptic curves as
//! SEC 1 (RFC 5915), either one in PKCS#8 (RFC 5958).

use pkcs8::PrivateKeyInfoRef;
use x509_parser::der_parser::{self, ber::BerObject};
use zeroize::Zeroizing;

use super::{CertificateError, KeyBytes};

const RSA: &str = "1.2.840.113549.1.1.1";
const ELLIPTIC_CURVE: &str = "1.2.840.10045.2.1";
const DAMAGED: CertificateError = CertificateError::Damaged("private key");
/// Sizes of RSA keys in bits that the signing library takes.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// A private key as it stands in a file.
pub(super) enum RawKey {
    Pkcs8(KeyBytes),
    Pkcs1(KeyBytes),
    Sec1(KeyBytes),
}

/// A private key by its kind.
pub(super) enum Key {
    /// `RSAPrivateKey` in DER.
    Rsa(KeyBytes),
    /// The private scalar, on whichever curve.
    Elliptic(KeyBytes),
}

impl RawKey {
    pub(super) fn parse(&self) -> Result<Key, CertificateError> {
        match self {
            Self::Pkcs1(der) => rsa(der),
            Self::Sec1(der) => elliptic(der),
            Self::Pkcs8(der) => {
                let info = PrivateKeyInfoRef::try_from(der.as_slice()).map_err(|_| DAMAGED)?;
                match info.algorithm.oid.to_string().as_str() {
                    RSA => rsa(info.private_key.as_bytes()),
                    ELLIPTIC_CURVE => elliptic(info.private_key.as_bytes()),
                    other => Err(CertificateError::UnsupportedKey(named(other))),
                }
            }
        }
    }
}

fn rsa(der: &[u8]) -> Result<Key, CertificateError> {
    let sequence = sequence(der)?;
    let modulus = sequence.get(1).and_then(|member| member.as_slice().ok()).ok_or(DAMAGED)?;
    let bits = bits(modulus);
    if !RSA_BITS.contains(&bits) {
        return Err(CertificateError::UnsupportedKey(format!("RSA {bits}")));
    }
    Ok(Key::Rsa(Zeroizing::new(der.to_vec())))
}

fn elliptic(der: &[u8]) -> Result<Key, CertificateError> {
    let sequence = sequence(der)?;
    let scalar = sequence.get(1).and_then(|member| member.as_slice().ok()).ok_or(DAMAGED)?;
    Ok(Key::Elliptic(Zeroizing::new(scalar.to_vec())))
}

fn sequence(der: &[u8]) -> Result<Vec<BerObject<'_>>, CertificateError> {
    let (_, object) = der_parser::parse_der(der).map_err(|_| DAMAGED)?;
    object.as_sequence().cloned().map_err(|_| DAMAGED)
}

/// Size of an unsigned big-endian number.
fn bits(number: &[u8]) -> usize {
    let significant: Vec<_> = number.iter().skip_while(|byte| **byte == 0).collect();
    significant.first().map_or(0, |first| significant.len() * 8 - first.leading_zeros() as usize)
}

fn named(algorithm: &str) -> String {
    match algorithm {
        "1.2.840.113549.1.1.10" => "RSASSA-PSS".to_owned(),
        "1.3.101.112" => "Ed25519".to_owned(),
        "1.3.101.113" => "Ed448".to_owned(),
        "1.2.840.10040.4.1" => "DSA".to_owned(),
        other => other.to_owned(),
    }
}
