//! What a failed exchange means to a caller: the errors of the flows and of HTTP as words of the desk.

use token_broker_proto::ProviderError;

use crate::{
    flow::oauth::{DocumentError, TokenError, discovery::DiscoveryError, id_token::IdTokenError, jwks::JwkSetError},
    model::DeskError,
    ports::http::HttpError,
};

pub(super) const NO_KEYS: &str = "the provider publishes no jwks_uri, so its ID tokens cannot be verified";

/// No usable answer came: the provider counts as unavailable, whatever the cause.
#[must_use]
pub fn from_http(error: &HttpError) -> DeskError {
    DeskError::AuthorityUnavailable { what: error.to_string(), retry_after: None, provider: None }
}

/// The same, for the token endpoint.
pub(super) fn token_error(error: &HttpError) -> TokenError {
    TokenError::Unavailable { what: error.to_string(), retry_after: None, provider: None }
}

/// The token endpoint's refusal, where no user could help.
#[must_use]
pub fn from_token(error: TokenError) -> DeskError {
    match error {
        TokenError::Refused(provider) => DeskError::AuthorityRefused(provider),
        TokenError::Unavailable { what, retry_after, provider } => {
            DeskError::AuthorityUnavailable { what: format!("the provider {what}"), retry_after, provider }
        }
        TokenError::Malformed(what) => {
            DeskError::AuthorityRefused(ours("invalid_response", &format!("the provider {what}")))
        }
    }
}

/// Metadata that is missing or wrong.
pub(super) fn from_discovery(error: DiscoveryError) -> DeskError {
    match error {
        DiscoveryError::Document(ref document @ DocumentError::Unavailable { retry_after, .. }) => {
            DeskError::AuthorityUnavailable { what: document.to_string(), retry_after, provider: None }
        }
        other => DeskError::AuthorityRefused(ours("invalid_metadata", &other.to_string())),
    }
}

/// Keys that are missing or wrong.
pub(super) fn from_jwks(error: &JwkSetError) -> DeskError {
    DeskError::AuthorityRefused(ours("invalid_jwks", &error.to_string()))
}

/// An ID token that does not hold.
#[must_use]
pub fn from_id_token(error: &IdTokenError) -> DeskError {
    DeskError::AuthorityRefused(ours("invalid_id_token", &error.to_string()))
}

/// A verdict of the broker on the provider's answer, in the form of the provider's own errors.
#[must_use]
pub fn ours(error: &str, description: &str) -> Box<ProviderError> {
    let description = Some(description.to_owned());
    Box::new(ProviderError { error: error.to_owned(), description, ..ProviderError::default() })
}
