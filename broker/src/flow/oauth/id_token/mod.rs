//! Verifying ID tokens (OpenID Connect Core 1.0, sections 2, 3.1.3.7 and 12.2) and reading the user out of them. Signature
//! first, then every claim; time is passed in and 300 s of clock skew are granted. Fetching keys is for the desk.

mod checks;
mod error;
mod user;

pub use error::IdTokenError;

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
    /// `sub`: names the user at this issuer, never used for another one.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The user. `client_info` of the token answer, where there was one, gives the home account id.
    #[must_use]
    pub fn user(&self, client_info: Option<&str>) -> User {
        user::read(&self.subject, &self.claims, client_info)
    }

    /// All claims, as signed.
    #[must_use]
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }
}

/// Shows nothing: the claims are a person's.
impl fmt::Debug for VerifiedIdToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedIdToken").finish_non_exhaustive()
    }
}
