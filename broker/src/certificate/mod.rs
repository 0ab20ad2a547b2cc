//! Reads a file with a certificate and its private key (PEM, PKCS#8, PKCS#12) into `model::Certificate`, or says in words what is
//! wrong with it. Pure, but slow where a password has to be stretched: the desk calls it away from the event loop. Owns the
//! crates that know X.509, PKCS#5, PKCS#8 and PKCS#12; keeps nothing.

mod error;
mod key;
mod leaf;
mod pem_file;
mod pkcs12;

use ring::rand::SecureRandom;
use token_broker_proto::Secret;
use zeroize::Zeroizing;

pub use error::CertificateError;
use key::RawKey;

use crate::model::Certificate;

/// Largest file in bytes.
const MAX_FILE: usize = 128 * 1024;
/// Most certificates in a file.
const MAX_CERTIFICATES: usize = 16;

/// What a file holds, not looked at any closer.
#[derive(Default)]
struct Contents {
    keys: Vec<RawKey>,
    certificates: Vec<Vec<u8>>,
}

/// Reads a file. The password is of the private key or of the whole PKCS#12 file.
pub fn read(
    file: &[u8],
    password: Option<&Secret>,
    random: &dyn SecureRandom,
) -> Result<Certificate, CertificateError> {
    if file.iter().all(u8::is_ascii_whitespace) {
        return Err(CertificateError::Empty);
    }
    if file.len() > MAX_FILE {
        return Err(CertificateError::TooLarge);
    }
    let contents = if pem_file::is_pem(file) { pem_file::read(file, password)? } else { pkcs12::read(file, password)? };
    if contents.certificates.is_empty() {
        return Err(CertificateError::NoCertificate);
    }
    if contents.certificates.len() > MAX_CERTIFICATES {
        return Err(CertificateError::TooLarge);
    }
    let mut keys = contents.keys.into_iter();
    match (keys.next(), keys.next()) {
        (Some(key), None) => leaf::matched(&key, &contents.certificates, random),
        (None, _) => Err(CertificateError::NoKey),
        (Some(_), Some(_)) => Err(CertificateError::SeveralKeys),
    }
}

/// Bytes of a key, wiped when dropped.
type KeyBytes = Zeroizing<Vec<u8>>;
