//! Why a token endpoint (or the device authorization or revocation endpoint) gave no answer that can be used: RFC 6749,
//! section 5.2, sorted by what the desk can do about it. Nothing of the answer's body is quoted but the error's own words.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header::LOCATION};
use serde_json::error::Category;
use token_broker_proto::ProviderError;
use url::Url;

use super::{answer::Answer, provider_error, retry_after::retry_after, text::readable};
use crate::model::HttpResponse;

/// `suberror` values of `invalid_grant` that no sign-in can cure.
const NOT_FOR_THE_USER: [&str; 2] = ["client_mismatch", "protection_policy_required"];

/// No answer that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The provider said no. Where its answer (any 4xx) holds no OAuth error, `error` is `http_` and the status, such as
    /// `http_400`, which is all that some servers say of a refresh token that was used twice.
    #[error("the provider refused: {}", in_words(.0))]
    Refused(Box<ProviderError>),
    /// The provider cannot answer now: 408, 429, 5xx or `temporarily_unavailable`.
    #[error("the provider {what}")]
    Unavailable {
        /// What it answered; follows "the provider".
        what: String,
        /// HTTP `Retry-After`, at most an hour.
        retry_after: Option<Duration>,
        /// Its words, if it said any.
        provider: Option<Box<ProviderError>>,
    },
    /// It was not asked: the text is the limit of our own that was met.
    #[error("was not asked: {0}")]
    Busy(String),
    /// The request never went out: no connection, no trust. Follows "the provider".
    #[error("the provider {0}")]
    NotSent(String),
    /// The request went out and no whole answer came back: the provider may have acted on it. Follows "the provider".
    #[error("the provider {0}")]
    Lost(String),
    /// This is no OAuth answer: HTML, a redirect, a missing member...; follows "the provider".
    #[error("the provider {0}")]
    Malformed(String),
}

impl TokenError {
    /// Whether the user has to sign in again.
    #[must_use]
    pub fn needs_interaction(&self) -> bool {
        let Self::Refused(refusal) = self else { return false };
        match refusal.error.as_str() {
            "interaction_required" | "login_required" | "consent_required" => true,
            "invalid_grant" => !refusal.suberror.as_deref().is_some_and(|why| NOT_FOR_THE_USER.contains(&why)),
            _ => false,
        }
    }

    /// Whether a page would help where the user gave a password, or nothing: a wrong password is a bare `invalid_grant` (RFC 6749,
    /// section 5.2); what a page is for comes with a `suberror` or claims, or says so itself.
    #[must_use]
    pub fn needs_page(&self) -> bool {
        let Self::Refused(refusal) = self else { return false };
        let says_more = refusal.suberror.is_some() || refusal.claims.is_some();
        self.needs_interaction() && (refusal.error != "invalid_grant" || says_more)
    }

    /// What the provider said, if it said anything.
    #[must_use]
    pub fn provider(&self) -> Option<&ProviderError> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::Unavailable { provider, .. } => provider.as_deref(),
            Self::Busy(_) | Self::NotSent(_) | Self::Lost(_) | Self::Malformed(_) => None,
        }
    }

    fn from_words(words: ProviderError, headers: &HeaderMap) -> Self {
        match words.error.as_str() {
            "temporarily_unavailable" => Self::Unavailable {
                what: format!("answered {}", in_words(&words)),
                retry_after: retry_after(headers),
                provider: Some(Box::new(words)),
            },
            _ => Self::Refused(Box::new(words)),
        }
    }
}

/// The members of a successful answer. Some servers send an error with status 200: that is an error too.
pub(in crate::flow) fn read_success(response: &HttpResponse) -> Result<Answer, TokenError> {
    succeeded(response)?;
    let answer = Answer::read(response).map_err(|fault| match Answer::from_text(response.body().expose()) {
        Err(Category::Eof) => TokenError::Lost(fault),
        _ => TokenError::Malformed(fault),
    })?;
    match provider_error::read(&answer) {
        Some(words) => Err(TokenError::from_words(words, response.headers())),
        None => Ok(answer),
    }
}

/// Whether the status is a success; if not, why.
pub(in crate::flow) fn succeeded(response: &HttpResponse) -> Result<(), TokenError> {
    let status = response.status();
    if status.is_success() {
        Ok(())
    } else if is_unavailable(status) {
        Err(TokenError::Unavailable {
            what: format!("answered {status}"),
            retry_after: retry_after(response.headers()),
            provider: Answer::read(response).ok().as_ref().and_then(provider_error::read).map(Box::new),
        })
    } else if status.is_client_error() {
        let words = match Answer::read(response) {
            Ok(answer) => provider_error::read(&answer).ok_or_else(|| format!("answered {status}")),
            Err(fault) => Err(fault),
        };
        let words = words.unwrap_or_else(|fault| provider_error::without_words(status, &fault));
        Err(TokenError::from_words(words, response.headers()))
    } else if let Some(host) = redirected_to(response) {
        Err(TokenError::Malformed(format!("answered {} with a redirect to {host}", status.as_u16())))
    } else {
        Err(TokenError::Malformed(format!("answered {status}")))
    }
}

/// Whether a later try may go better.
pub(in crate::flow) fn is_unavailable(status: StatusCode) -> bool {
    matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS) || status.is_server_error()
}

/// Where a 3xx answer points; only the host is worth showing and free of secrets.
pub(in crate::flow) fn redirected_to(response: &HttpResponse) -> Option<String> {
    if !response.status().is_redirection() {
        return None;
    }
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    let host = Url::parse(location).ok().and_then(|url| url.host_str().map(|host| readable(host, 253)));
    Some(host.unwrap_or_else(|| "another path".to_owned()))
}

fn in_words(refusal: &ProviderError) -> String {
    match &refusal.description {
        Some(description) => format!("{} ({description})", refusal.error),
        None => refusal.error.clone(),
    }
}
