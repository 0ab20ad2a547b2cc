//! Compact signed tokens (RFC 7515, sections 3.1 and 5.2): limits first, then the header, then the signature. Only what
//! verified comes out, as a `VerifiedJws` that nobody else can make.

use serde::{Deserialize, Deserializer, de::IgnoredAny};

use super::{Algorithm, AlgorithmError, JwkSet, base64url};
use crate::flow::oauth::endpoint::readable;

/// Longest token in bytes.
const MAX_TOKEN: usize = 64 * 1024;
/// Longest header in bytes, decoded.
const MAX_HEADER: usize = 4 * 1024;

/// The payload of a token whose signature is a key's of the set.
pub struct VerifiedJws {
    payload: Vec<u8>,
}

/// The token is not signed as it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    /// Too long.
    #[error("the token is longer than {MAX_TOKEN} bytes")]
    TooLong,
    /// This is no compact token; the text says which part.
    #[error("the token is malformed: {0}")]
    Malformed(&'static str),
    /// The algorithm is not accepted.
    #[error("the token is not accepted: {0}")]
    Algorithm(#[from] AlgorithmError),
    /// The header has `crit`: extensions that must be understood, and none are.
    #[error("the token has critical extensions (crit)")]
    Critical,
    /// No key of the set is the one; a newer set may have it.
    #[error("no published key fits the token (kid {})", .key_id.as_deref().unwrap_or("not given"))]
    UnknownKey {
        /// `kid` of the token.
        key_id: Option<String>,
    },
    /// The key named by `kid` did not sign this.
    #[error("the signature of the token is wrong")]
    BadSignature,
}

/// A duplicate member is an error (RFC 7515, section 4), which serde sees to.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    #[serde(default, deserialize_with = "present")]
    crit: bool,
}

/// Whatever it is, null included.
fn present<'de, D: Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(value).map(|_| true)
}

/// Verifies a compact token with a set of keys.
pub fn verify(token: &str, keys: &JwkSet) -> Result<VerifiedJws, JwsError> {
    if token.len() > MAX_TOKEN {
        return Err(JwsError::TooLong);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(JwsError::Malformed("not three parts"))?;
    let (header, payload) = signed.split_once('.').ok_or(JwsError::Malformed("not three parts"))?;
    let header = read_header(header)?;
    let algorithm = Algorithm::parse(&header.alg)?;
    // A payload with a dot in it (five parts: an encrypted token) is no base64url.
    let payload = base64url(payload).ok_or(JwsError::Malformed("the payload"))?;
    let signature = base64url(signature).ok_or(JwsError::Malformed("the signature"))?;

    let key_id = header.kid.as_deref();
    let mut named = false;
    for jwk in keys.candidates(algorithm, key_id) {
        if jwk.signed(algorithm, signed.as_bytes(), &signature) {
            return Ok(VerifiedJws { payload });
        }
        named |= jwk.key_id.is_some() && key_id.is_some();
    }
    // A named key whose signature is wrong will not be better in a newer set; anything else may be.
    Err(if named { JwsError::BadSignature } else { JwsError::UnknownKey { key_id: key_id.map(|id| readable(id, 64)) } })
}

fn read_header(text: &str) -> Result<Header, JwsError> {
    if text.len() > MAX_HEADER.div_ceil(3) * 4 {
        return Err(JwsError::Malformed("the header is too long"));
    }
    let bytes = base64url(text).ok_or(JwsError::Malformed("the header"))?;
    let header: Header = serde_json::from_slice(&bytes).map_err(|_| JwsError::Malformed("the header"))?;
    if header.crit { Err(JwsError::Critical) } else { Ok(header) }
}

impl VerifiedJws {
    /// What was signed.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use proptest::prelude::*;
    use serde_json::json;

    use super::{JwkSet, verify};
    use crate::flow::oauth::vectors;

    #[test]
    fn every_vector() {
        vectors::check_all("jws", |case| {
            let keys = JwkSet::from_json(&json!({ "keys": case["keys"] }).to_string()).unwrap();
            match verify(vectors::text(case, "token"), &keys) {
                Ok(jws) => json!({ "payload": String::from_utf8_lossy(jws.payload()) }),
                Err(error) => json!({ "error": error.to_string() }),
            }
        });
    }

    proptest! {
        #[test]
        fn nothing_but_what_was_signed_verifies(place in 0_usize..400, byte in any::<u8>()) {
            let case = vectors::read("jws/rfc_7515_a_3.json");
            let keys = JwkSet::from_json(&json!({ "keys": case["keys"] }).to_string()).unwrap();
            let mut token = vectors::text(&case, "token").as_bytes().to_vec();
            let place = place % token.len();
            prop_assume!(token[place] != byte);
            token[place] = byte;
            prop_assert!(verify(&String::from_utf8_lossy(&token), &keys).is_err());
        }

        #[test]
        fn any_text_is_read_without_panic(token in "\\PC*", header in "\\PC*") {
            let keys = JwkSet::from_json(r#"{"keys":[]}"#).unwrap();
            prop_assert!(verify(&token, &keys).is_err());
            let token = format!("{}.{token}.AA", URL_SAFE_NO_PAD.encode(header));
            prop_assert!(verify(&token, &keys).is_err());
        }
    }
}
