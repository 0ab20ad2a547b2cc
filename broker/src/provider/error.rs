//! What a failed exchange means to a caller: the errors of the flows and of HTTP as words of the desk.

use token_broker_proto::oauth::Authority;

use crate::{
    flow::{
        microsoft::instance::InstanceError,
        oauth::{DocumentError, TokenError, discovery::DiscoveryError, id_token::IdTokenError, jwks::JwkSetError},
    },
    model::DeskError,
    ports::http::HttpError,
};

pub(super) const NO_KEYS: &str = "the provider publishes no jwks_uri, so its ID tokens cannot be verified";

/// No usable answer came: the provider counts as unavailable, unless it did answer and the answer was nonsense.
#[must_use]
pub fn from_http(error: &HttpError) -> DeskError {
    from_token(token_error(error))
}

/// The same, for the token endpoint.
pub(super) fn token_error(error: &HttpError) -> TokenError {
    let what = error.to_string();
    match error {
        HttpError::Busy { host, limit, name } => {
            TokenError::Busy(format!("exchanges at once with {host}: {limit} ([limits] {name})"))
        }
        HttpError::TooLarge { .. } | HttpError::NotText(_) => TokenError::Malformed(what),
        HttpError::Timeout { .. } | HttpError::Interrupted(_) => TokenError::Lost(what),
        HttpError::Connect(_) | HttpError::Tls(_) => TokenError::NotSent(what),
    }
}

/// The token endpoint's refusal, where no user could help.
#[must_use]
pub fn from_token(error: TokenError) -> DeskError {
    match error {
        TokenError::Refused(provider) => DeskError::AuthorityRefused(provider),
        TokenError::Unavailable { what, retry_after, provider } => {
            DeskError::AuthorityUnavailable { what: format!("the provider {what}"), retry_after, provider }
        }
        TokenError::Busy(limit) => DeskError::LimitExceeded(limit),
        TokenError::NotSent(what) | TokenError::Lost(what) => {
            DeskError::AuthorityUnavailable { what: format!("the provider {what}"), retry_after: None, provider: None }
        }
        TokenError::Malformed(what) => DeskError::AuthorityUnusable(format!("the provider {what}")),
    }
}

/// Metadata that is missing or wrong.
pub(super) fn from_discovery(error: DiscoveryError, authority: &Authority) -> DeskError {
    match error {
        DiscoveryError::Document(ref document @ DocumentError::Unavailable { retry_after, .. }) => {
            DeskError::AuthorityUnavailable { what: document.to_string(), retry_after, provider: None }
        }
        DiscoveryError::Instance(InstanceError::Document(
            ref document @ DocumentError::Unavailable { retry_after, .. },
        )) => DeskError::AuthorityUnavailable { what: document.to_string(), retry_after, provider: None },
        DiscoveryError::Document(DocumentError::NotFound) => DeskError::AuthorityUnusable(format!(
            "no provider publishes its metadata at {authority} (404 Not Found): check the issuer"
        )),
        DiscoveryError::IssuerDiffers { ref published, .. } => DeskError::WrongIssuer {
            what: error.to_string(),
            published: Some(published).filter(|published| is_same_host(authority, published)).cloned(),
        },
        other => DeskError::AuthorityUnusable(other.to_string()),
    }
}

/// Whether the issuer that is published is another spelling of the configured one. One of another host is not suggested to anybody:
/// whoever owns a mistyped name could name himself. Of Microsoft's authorities the issuer is not what is typed.
fn is_same_host(authority: &Authority, published: &str) -> bool {
    match (authority, Authority::from_issuer(published)) {
        (Authority::OpenIdConnect { issuer: typed, .. }, Ok(Authority::OpenIdConnect { issuer, .. })) => {
            typed.host() == issuer.host()
        }
        _ => false,
    }
}

/// Keys that are missing or wrong.
pub(super) fn from_jwks(error: &JwkSetError) -> DeskError {
    match error {
        JwkSetError::Document(DocumentError::Unavailable { retry_after, .. }) => {
            DeskError::AuthorityUnavailable { what: error.to_string(), retry_after: *retry_after, provider: None }
        }
        other => DeskError::AuthorityUnusable(other.to_string()),
    }
}

/// An ID token that does not hold.
#[must_use]
pub fn from_id_token(error: &IdTokenError) -> DeskError {
    DeskError::AuthorityUnusable(error.to_string())
}
