//! JSON documents that providers publish: asked for with GET, without a credential (RFC 8414, section 3).

use std::time::Duration;

use token_broker_proto::oauth::CorrelationId;
use url::Url;

use super::{
    answer::Answer,
    request,
    retry_after::retry_after,
    token_error::{is_unavailable, redirected_to},
};
use crate::model::{HttpRequest, HttpResponse};

/// No document came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// 404: it is not there; another URL may have it.
    #[error("the provider answered 404 Not Found")]
    NotFound,
    /// 408, 429 or 5xx.
    #[error("the provider answered {status}")]
    Unavailable {
        /// HTTP status.
        status: u16,
        /// HTTP `Retry-After`, at most an hour.
        retry_after: Option<Duration>,
    },
    /// Any other status than 200.
    #[error("the provider answered {status}{}", .location.as_ref().map(|host| format!(" with a redirect to {host}")).unwrap_or_default())]
    Refused {
        /// HTTP status.
        status: u16,
        /// Host of a redirect, which is not followed.
        location: Option<String>,
    },
    /// The body is no JSON object; follows "the provider" and names status and content type.
    #[error("the provider {0}")]
    NotJson(String),
}

/// Asks for a document.
pub(in crate::flow) fn request(url: &Url, correlation_id: CorrelationId) -> HttpRequest {
    request::get(url, correlation_id)
}

/// Reads a document.
pub(in crate::flow) fn read(response: &HttpResponse) -> Result<Answer, DocumentError> {
    let status = response.status();
    match status.as_u16() {
        200 => Answer::read(response).map_err(DocumentError::NotJson),
        404 => Err(DocumentError::NotFound),
        number if is_unavailable(status) => {
            Err(DocumentError::Unavailable { status: number, retry_after: retry_after(response.headers()) })
        }
        number => Err(DocumentError::Refused { status: number, location: redirected_to(response) }),
    }
}
