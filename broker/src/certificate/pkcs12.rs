//! PKCS#12 files, also called PFX (RFC 7292).

use p12_keystore::{Pkcs12Archive, error::Error};
use token_broker_proto::Secret;
use zeroize::Zeroizing;

use super::{CertificateError, Contents, RawKey};

/// Reads all keys and certificates.
pub(super) fn read(file: &[u8], password: Option<&Secret>) -> Result<Contents, CertificateError> {
    let opened = Pkcs12Archive::from_pkcs12(file, password.map_or("", Secret::expose));
    let archive = opened.map_err(|error| match error {
        Error::MacError(_) | Error::UnpadError | Error::Pkcs5Error(_) if password.is_none() => {
            CertificateError::PasswordNeeded
        }
        Error::MacError(_) | Error::UnpadError | Error::Pkcs5Error(_) => CertificateError::WrongPassword,
        Error::UnsupportedEncryptionScheme | Error::UnsupportedMacAlgorithm => CertificateError::UnknownEncryption,
        Error::InvalidPrivateKey => CertificateError::Damaged("private key"),
        _ => CertificateError::UnknownForm,
    })?;
    Ok(Contents {
        keys: archive.keys.iter().map(|bag| RawKey::Pkcs8(Zeroizing::new(bag.key.as_der().to_vec()))).collect(),
        certificates: archive.certs.iter().map(|bag| bag.cert.as_der().to_vec()).collect(),
    })
}
