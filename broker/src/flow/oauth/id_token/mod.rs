//! Verifying ID tokens (OpenID Connect Core 1.0, sections 2, 3.1.3.7 and 12.2) and reading the user out of them. Signature
//! first, then every claim; time is passed in and 300 s of clock skew are granted. Fetching keys is for the desk.

mod checks;
mod error;
mod user;

pub use error::IdTokenError;
pub(in crate::flow) use user::home_account_id;

use std::{fmt, time::Duration};

use serde_json::{Map, Value};
use token_broker_proto::{
    Secret,
    oauth::{ClientId, UnixTime},
};

use super::{
    ClientContext,
    jose::{self, JwkSet},
};
use crate::model::User;

/// What the token must say.
#[derive(Debug, Clone, Copy)]
pub struct Expectation<'a> {
    /// The published issuer; at Microsoft Entra ID it may hold `{tenantid}`.
    pub issuer: &'a str,
    /// Our client id.
    pub client_id: &'a ClientId,
    /// The nonce of the authorization request, if there was one.
    pub nonce: Option<&'a Secret>,
    /// The `max_age` of the authorization request, if there was one.
    pub max_age: Option<Duration>,
}

/// An ID token that passed every check; `verify` alone makes it.
pub struct VerifiedIdToken {
    subject: String,
    claims: Map<String, Value>,
}

impl<'a> Expectation<'a> {
    /// For a token that no authorization request asked for: device code, refresh. With one, see
    /// `PendingAuthorization::expectation`, which adds the nonce.
    #[must_use]
    pub fn without_nonce(client: ClientContext<'a>) -> Self {
        Self { issuer: &client.metadata.issuer, client_id: client.client_id, nonce: None, max_age: None }
    }
}

/// Verifies an ID token. On [`IdTokenError::UnknownKey`] the keys may be fetched anew, once.
pub fn verify(
    raw: &Secret,
    keys: &JwkSet,
    expected: &Expectation<'_>,
    now: UnixTime,
) -> Result<VerifiedIdToken, IdTokenError> {
    let jws = jose::verify(raw.expose(), keys)?;
    let claims: Map<String, Value> = serde_json::from_slice(jws.payload()).map_err(|_| IdTokenError::NotClaims)?;
    checks::issuer(&claims, expected.issuer)?;
    checks::audience(&claims, expected.client_id.as_str())?;
    checks::times(&claims, now)?;
    checks::nonce(&claims, expected.nonce)?;
    checks::age(&claims, expected.max_age, now)?;
    Ok(VerifiedIdToken { subject: checks::subject(&claims)?, claims })
}

impl VerifiedIdToken {
    /// The user. `client_info` of the token answer, where there was one, gives the home account id.
    #[must_use]
    pub fn user(&self, client_info: Option<&str>) -> User {
        user::read(&self.subject, &self.claims, client_info)
    }
}

/// Shows nothing: the claims are a person's.
impl fmt::Debug for VerifiedIdToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedIdToken").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use ring::signature::Ed25519KeyPair;
    use serde_json::{Value, json};
    use token_broker_proto::Secret;

    use super::{Expectation, IdTokenError, JwkSet, verify};
    use crate::flow::oauth::vectors;

    /// Signs claims with the test key.
    fn signed(claims: &Value) -> (Secret, JwkSet) {
        let key = vectors::read("keys/ed25519_test_key.json");
        let seed = URL_SAFE_NO_PAD.decode(vectors::text(&key, "d")).unwrap();
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let input = format!("{}.{}", part(&json!({ "alg": "EdDSA", "kid": "test" })), part(claims));
        let token = format!("{input}.{}", URL_SAFE_NO_PAD.encode(pair.sign(input.as_bytes())));
        (Secret::new(token), JwkSet::from_json(&json!({ "keys": [key["jwk"]] }).to_string()).unwrap())
    }

    fn outcome(case: &Value) -> Value {
        let (token, keys) = match case["token"].as_str() {
            Some(token) => {
                (Secret::new(token), JwkSet::from_json(&json!({ "keys": case["keys"] }).to_string()).unwrap())
            }
            None => signed(&case["claims"]),
        };
        let nonce = case["nonce"].as_str().map(Secret::new);
        let expected = Expectation {
            issuer: vectors::text(case, "issuer"),
            client_id: &vectors::client_id(vectors::text(case, "client_id")),
            nonce: nonce.as_ref(),
            max_age: case["max_age"].as_u64().map(Duration::from_secs),
        };
        match verify(&token, &keys, &expected, vectors::time(&case["now"])) {
            Ok(token) => {
                assert_eq!(token.claims["sub"], token.subject);
                let user = token.user(case["client_info"].as_str());
                json!({ "user": {
                    "home_account_id": user.home_account_id,
                    "username": user.username,
                    "name": user.name,
                    "local_account_id": user.local_account_id,
                    "tenant": user.tenant,
                }})
            }
            Err(error @ IdTokenError::UnknownKey { .. }) => json!({ "error": error.to_string(), "unknown_key": true }),
            Err(error) => json!({ "error": error.to_string() }),
        }
    }

    #[test]
    fn every_vector() {
        vectors::check_all("id_token", outcome);
    }
}
