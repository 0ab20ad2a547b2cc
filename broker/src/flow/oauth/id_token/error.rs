//! Why an ID token is not accepted, each a fact with what was expected and what came. The token itself is not quoted, nor is
//! the nonce.

use crate::flow::oauth::jose::JwsError;

/// The ID token is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdTokenError {
    /// No key of the set is the one; the caller may fetch the keys anew, once.
    #[error("no key that the provider publishes fits the ID token (kid {})", .key_id.as_deref().unwrap_or("not given"))]
    UnknownKey {
        /// `kid` of the token.
        key_id: Option<String>,
    },
    /// It is no signed token, or the signature is wrong.
    #[error("ID token: {0}")]
    Signature(JwsError),
    /// What was signed is no JSON object.
    #[error("the ID token holds no claims")]
    NotClaims,
    /// A claim is not there, or of another type.
    #[error("the ID token has no usable claim {0}")]
    Missing(&'static str),
    /// Another issuer's.
    #[error("the ID token is issued by {actual:?}, expected {expected:?}")]
    Issuer {
        /// The provider's issuer.
        expected: String,
        /// `iss`.
        actual: String,
    },
    /// For another client.
    #[error("the ID token is for {actual:?}, expected {expected:?}")]
    Audience {
        /// Our client id.
        expected: String,
        /// `aud`.
        actual: Vec<String>,
    },
    /// Issued to another client.
    #[error("the ID token has the authorized party {:?}, expected {expected:?}", actual.as_deref().unwrap_or_default())]
    AuthorizedParty {
        /// Our client id.
        expected: String,
        /// `azp`.
        actual: Option<String>,
    },
    /// `exp` has passed.
    #[error("the ID token expired at {expired_on}, it is {now} (Unix seconds)")]
    Expired {
        /// `exp` in Unix seconds.
        expired_on: i64,
        /// Our time in Unix seconds.
        now: i64,
    },
    /// `iat` is in the future: one of the clocks is wrong.
    #[error("the ID token is issued at {issued_on}, it is {now} (Unix seconds): a clock is wrong")]
    IssuedInFuture {
        /// `iat` in Unix seconds.
        issued_on: i64,
        /// Our time in Unix seconds.
        now: i64,
    },
    /// `nbf` is in the future.
    #[error("the ID token is valid from {valid_from}, it is {now} (Unix seconds)")]
    NotYetValid {
        /// `nbf` in Unix seconds.
        valid_from: i64,
        /// Our time in Unix seconds.
        now: i64,
    },
    /// Made for another authorization request.
    #[error("the nonce of the ID token is not the one of this sign-in")]
    Nonce,
    /// The user signed in too long ago.
    #[error("the user signed in at {signed_in_on}, it is {now}, at most {max_age} s were allowed")]
    TooOld {
        /// `auth_time` in Unix seconds.
        signed_in_on: i64,
        /// `max_age` in seconds.
        max_age: u64,
        /// Our time in Unix seconds.
        now: i64,
    },
}

impl From<JwsError> for IdTokenError {
    fn from(error: JwsError) -> Self {
        match error {
            JwsError::UnknownKey { key_id } => Self::UnknownKey { key_id },
            other => Self::Signature(other),
        }
    }
}
