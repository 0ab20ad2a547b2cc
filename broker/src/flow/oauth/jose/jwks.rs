//! The keys that a provider publishes (RFC 7517, section 5): asking for them, reading them, and their text form for the
//! store. Unknown keys are left out, as section 5 wants.

use serde_json::{Value, json};
use token_broker_proto::oauth::CorrelationId;
use url::Url;

use super::{Algorithm, jwk::Jwk};
use crate::{
    flow::oauth::endpoint::{Answer, DocumentError, document},
    model::{HttpRequest, HttpResponse},
};

/// Most keys in a set.
const MAX_KEYS: usize = 64;

/// The public keys of a provider, at most 64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwkSet(Vec<Jwk>);

/// The keys cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JwkSetError {
    /// No document came.
    #[error("no signing keys: {0}")]
    Document(#[from] DocumentError),
    /// This is no key set: it has no array `keys`.
    #[error("the provider's key set has no keys")]
    NoKeys,
    /// More keys than anybody needs.
    #[error("the provider's key set has {0} keys; at most {MAX_KEYS} are allowed")]
    TooManyKeys(usize),
}

/// Asks for the keys at `jwks_uri`.
#[must_use]
pub fn request(url: &Url, correlation_id: CorrelationId) -> HttpRequest {
    document::request(url, correlation_id)
}

impl JwkSet {
    /// Reads the published document.
    pub fn parse(response: &HttpResponse) -> Result<Self, JwkSetError> {
        Self::read(&document::read(response)?)
    }

    /// Reads the text form, the published one or our own.
    pub fn from_json(text: &str) -> Result<Self, JwkSetError> {
        Self::read(&Answer::from_text(text).map_err(|_| JwkSetError::NoKeys)?)
    }

    /// The text form: a key set with the keys and members that the broker uses.
    #[must_use]
    pub fn to_json(&self) -> String {
        json!({ "keys": self.0.iter().map(Jwk::to_json).collect::<Vec<_>>() }).to_string()
    }

    fn read(answer: &Answer) -> Result<Self, JwkSetError> {
        let keys = answer.member("keys").and_then(Value::as_array).ok_or(JwkSetError::NoKeys)?;
        if keys.len() > MAX_KEYS {
            return Err(JwkSetError::TooManyKeys(keys.len()));
        }
        Ok(Self(keys.iter().filter_map(Jwk::read).collect()))
    }

    /// The keys that a signature of this algorithm may be made with. A key without a name may be the one that is meant.
    pub(super) fn candidates(&self, algorithm: Algorithm, key_id: Option<&str>) -> impl Iterator<Item = &Jwk> {
        let named = move |jwk: &Jwk| match (key_id, &jwk.key_id) {
            (Some(wanted), Some(own)) => wanted == own,
            _ => true,
        };
        self.0.iter().filter(move |jwk| jwk.is_for(algorithm) && named(jwk))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::JwkSet;
    use crate::flow::oauth::{jose, vectors};

    #[test]
    fn every_vector() {
        vectors::check_all("jwks", |case| match JwkSet::from_json(&case["document"].to_string()) {
            Ok(keys) => {
                assert_eq!(JwkSet::from_json(&keys.to_json()).as_ref(), Ok(&keys), "it reads back");
                assert!(!keys.to_json().contains("\"d\""), "no private member is kept");
                json!({ "kept": keys.0.len() })
            }
            Err(error) => json!({ "error": error.to_string() }),
        });
    }

    #[test]
    fn what_is_no_document_is_no_key_set() {
        for (status, body) in [(404, json!({ "keys": [] })), (200, json!("<html>")), (500, json!({ "keys": [] }))] {
            let response = vectors::response(&json!({ "status": status, "headers": {}, "body": body }));
            assert!(JwkSet::parse(&response).is_err());
        }
    }

    proptest! {
        #[test]
        fn any_key_is_read_and_used_without_panic(
            kind in "(RSA|EC|OKP)",
            curve in "(P-256|P-384|Ed25519)",
            parts in proptest::collection::vec("([A-Za-z0-9_-]{43}|[A-Za-z0-9_-]{64}|[A-Za-z0-9_-]{342}|AQAB)", 4),
            name in "(rfc_7515_a_2|rfc_7515_a_3|rfc_8037_a_4|es384|ps256)",
        ) {
            let (n, e, x, y) = (&parts[0], &parts[1], &parts[2], &parts[3]);
            let key = json!({ "kty": kind, "crv": curve, "n": n, "e": e, "x": x, "y": y });
            let keys = JwkSet::from_json(&json!({ "keys": [key] }).to_string()).unwrap();
            let case = vectors::read(&format!("jws/{name}.json"));
            prop_assert!(jose::verify(vectors::text(&case, "token"), &keys).is_err());
        }
    }
}
