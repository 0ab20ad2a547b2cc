//! Access tokens that are bound to a key: its name (RFC 7638), and how a request says which key it is (`req_cnf` of
//! draft-ietf-oauth-pop-key-distribution, as Microsoft Entra ID reads it). Using such a token is for `signed_http_request`.

pub mod signed_http_request;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use token_broker_proto::oauth::PublicKey;

use super::endpoint::Form;
use crate::model::TokenBinding;

pub use signed_http_request::{PopKey, SigningError};

/// The thumbprint of a key (RFC 7638, section 3), which names it: two keys never have the same, whatever `kid` somebody gave them.
#[must_use]
pub fn thumbprint(key: &PublicKey) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, key.canonical_jwk().as_bytes()))
}

/// An SSH certificate over this key.
#[must_use]
pub fn ssh_cert(key: &PublicKey) -> TokenBinding {
    let key_id = thumbprint(key);
    TokenBinding::SshCert { jwk: jwk(key, Some(&key_id)).to_string(), key_id }
}

/// A token for who signs HTTP requests with this key.
#[must_use]
pub fn pop(key: &PublicKey) -> TokenBinding {
    TokenBinding::Pop { key_id: thumbprint(key) }
}

/// The key as a JWK (RFC 7517).
fn jwk(key: &PublicKey, key_id: Option<&str>) -> Value {
    let mut jwk: Value = serde_json::from_str(&key.canonical_jwk()).unwrap_or_default();
    if let (Some(members), Some(key_id)) = (jwk.as_object_mut(), key_id) {
        members.insert("kid".to_owned(), key_id.into());
    }
    jwk
}

/// The parameters of a token request that say what the token shall be bound to. For SSH the key itself goes out, for `pop` its name.
pub(in crate::flow) fn add_to<'a>(form: Form<'a>, binding: &'a TokenBinding) -> Form<'a> {
    match binding {
        TokenBinding::Bearer => form,
        TokenBinding::SshCert { key_id, jwk } => {
            form.with("token_type", binding.token_type()).with("key_id", key_id.as_str()).with("req_cnf", jwk.as_str())
        }
        TokenBinding::Pop { key_id } => form
            .with("token_type", binding.token_type())
            .with("req_cnf", URL_SAFE_NO_PAD.encode(json!({ "kid": key_id }).to_string())),
    }
}

#[cfg(test)]
mod tests {
    use token_broker_proto::oauth::PublicKey;

    use super::thumbprint;

    #[test]
    fn the_thumbprint_is_the_one_of_rfc_7638() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let key = PublicKey::parse(&format!(r#"{{"kty":"RSA","n":"{n}","e":"AQAB"}}"#)).unwrap();
        assert_eq!(thumbprint(&key), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }
}
