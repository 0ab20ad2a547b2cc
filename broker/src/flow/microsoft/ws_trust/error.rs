//! Why no assertion came of a federation server, as sentences that follow its name. Of a foreign document nothing is quoted but the
//! reason of a fault, bounded and fit to be shown.

use std::time::Duration;

use http::header::CONTENT_TYPE;

use super::xml::XmlError;
use crate::{
    flow::oauth::endpoint::{is_unavailable, readable, redirected_to, retry_after},
    model::HttpResponse,
};

/// A SOAP fault (SOAP 1.2, part 1, section 5.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Local name of the innermost code, such as `FailedAuthentication`.
    pub code: String,
    /// The reason in words; may be empty.
    pub reason: String,
}

/// No assertion.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WsTrustError {
    /// 408, 429 or 5xx without a SOAP answer.
    #[error("answered {status}")]
    Unavailable {
        /// HTTP status.
        status: u16,
        /// HTTP `Retry-After`, at most an hour.
        retry_after: Option<Duration>,
    },
    /// Another status than success, or no XML.
    #[error("{0}")]
    NotXml(String),
    /// XML that is not taken.
    #[error("answered with {0}")]
    Xml(#[from] XmlError),
    /// Its metadata name no endpoint for a user name and a password over https.
    #[error("offers no https endpoint for user name and password (WS-Trust usernamemixed): sign in by browser")]
    NoEndpoint,
    /// It said no.
    #[error("refused: {}", .0.code)]
    Refused(Fault),
    /// A SOAP answer without a token and without a fault.
    #[error("answered without a security token")]
    NoToken,
    /// Neither SAML 1.1 nor SAML 2.0.
    #[error("answered with a security token of an unknown type {0:?}")]
    UnknownTokenType(String),
    /// A user name or a password that XML 1.0 has no way to write.
    #[error("cannot be sent {0}: it has a control character, which XML cannot carry")]
    Unwritable(&'static str),
}

/// Reads a status and a body that turned out to be no XML that is taken.
pub(super) fn not_taken(response: &HttpResponse, error: XmlError) -> WsTrustError {
    let status = response.status();
    let number = status.as_u16();
    let said = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = readable(said.split(';').next().unwrap_or_default(), 80);
    if is_unavailable(status) {
        WsTrustError::Unavailable { status: number, retry_after: retry_after(response.headers()) }
    } else if let Some(host) = redirected_to(response) {
        WsTrustError::NotXml(format!("answered {number} with a redirect to {host}, which is not followed"))
    } else if !status.is_success() {
        WsTrustError::NotXml(format!("answered {status}"))
    } else if media_type.is_empty() || media_type.ends_with("xml") {
        error.into()
    } else {
        WsTrustError::NotXml(format!("answered with {media_type} instead of XML"))
    }
}
