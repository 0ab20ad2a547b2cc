//! JSON Object Signing as far as ID tokens need it: a thin layer over ring that verifies compact signatures (RFC 7515, 7517,
//! 7518, 8037). It knows no claims and no time; it never signs and never decrypts.

mod algorithm;
mod jwk;
pub mod jwks;
mod jws;

pub use algorithm::{Algorithm, AlgorithmError};
pub use jwks::{JwkSet, JwkSetError};
pub use jws::{JwsError, VerifiedJws, verify};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// Strict base64url without padding (RFC 7515, section 2).
pub(super) fn base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
