//! PEM files (RFC 7468): certificates, and a private key as PKCS#8, encrypted PKCS#8 (RFC 5958), PKCS#1 or SEC 1, in any order.

use pem::Pem;
use pkcs8::EncryptedPrivateKeyInfoRef;
use token_broker_proto::Secret;
use zeroize::Zeroizing;

use super::{CertificateError, Contents, KeyBytes, RawKey};

/// Whether a file wants to be PEM.
pub(super) fn is_pem(file: &[u8]) -> bool {
    begins(file) > 0
}

/// How many sections begin in it.
fn begins(file: &[u8]) -> usize {
    file.windows(11).filter(|window| *window == b"-----BEGIN ").count()
}

/// Reads all sections that matter; others are passed over, as OpenSSL does.
pub(super) fn read(file: &[u8], password: Option<&Secret>) -> Result<Contents, CertificateError> {
    let sections = pem::parse_many(file).map_err(|_| CertificateError::Damaged("PEM text"))?;
    // A section without its end is passed over by the parser; a file that was cut short must not look like one without it.
    if sections.len() != begins(file) {
        return Err(CertificateError::Damaged("PEM text"));
    }
    let mut contents = Contents::default();
    for section in sections {
        let is_legacy = section.headers().get("Proc-Type").is_some_and(|kind| kind.contains("ENCRYPTED"));
        match section.tag() {
            _ if is_legacy => return Err(CertificateError::LegacyEncryption),
            "CERTIFICATE" => contents.certificates.push(section.into_contents()),
            "PRIVATE KEY" => contents.keys.push(RawKey::Pkcs8(bytes(section))),
            "RSA PRIVATE KEY" => contents.keys.push(RawKey::Pkcs1(bytes(section))),
            "EC PRIVATE KEY" => contents.keys.push(RawKey::Sec1(bytes(section))),
            "ENCRYPTED PRIVATE KEY" => contents.keys.push(RawKey::Pkcs8(decrypted(&bytes(section), password)?)),
            _ => {}
        }
    }
    Ok(contents)
}

fn bytes(section: Pem) -> KeyBytes {
    Zeroizing::new(section.into_contents())
}

fn decrypted(der: &[u8], password: Option<&Secret>) -> Result<KeyBytes, CertificateError> {
    let info = EncryptedPrivateKeyInfoRef::try_from(der).map_err(|error| match error {
        pkcs8::Error::Asn1(_) => CertificateError::Damaged("encrypted private key"),
        _ => CertificateError::UnknownEncryption,
    })?;
    let password = password.ok_or(CertificateError::PasswordNeeded)?;
    let opened = info.decrypt(password.expose()).map_err(|error| match error {
        pkcs8::Error::EncryptedPrivateKey(
            pkcs8::pkcs5::Error::UnsupportedAlgorithm { .. } | pkcs8::pkcs5::Error::AlgorithmParametersInvalid { .. },
        ) => CertificateError::UnknownEncryption,
        // A wrong password shows as bad padding, or as an opened text that is no key.
        _ => CertificateError::WrongPassword,
    })?;
    Ok(Zeroizing::new(opened.as_bytes().to_vec()))
}
