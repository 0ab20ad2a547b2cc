//! What goes into and comes out of each call, beside both directions of its wire conversion.

mod application;
mod cache;
mod check;
mod grant;
mod sign_in;
mod sign_out;
mod signed_http_request;
mod status;
mod token;
mod watch;
mod web_app;

pub use application::{
    Application, ApplicationOptions, CertificateFile, CredentialKind, ExistingApplication, NewApplication,
    NewCredential, OptionTexts, keep_alive, redirect_uri,
};
pub use cache::{CacheEntry, CacheEntryId, CacheEntryKind, ImportReport, ImportedKind, LeftOut};
pub use check::{Check, CheckState};
pub use grant::{GrantFailure, GrantHealth, GrantStatus};
pub use sign_in::{FederatedUser, SignInEvent, SignInMethod, SignInRequest, UserCode, Username};
pub use sign_out::{Revocation, SignOutAnswer, SignOutRequest};
pub use signed_http_request::{HttpRequestToSign, SignHttpRequest, SignedHttpRequest};
pub use status::{DaemonStatus, StoreCounts};
pub use token::{
    ApplicationSelector, Extras, OnBehalfOf, SessionKey, Subject, TokenAnswer, TokenRequest, TokenScheme, TokenSource,
};
pub use watch::{Event, EventRecord, Renewal, RenewalFailure, SignInNeeded, TokenEvent, TokenExpired, WatchRequest};
pub use web_app::{BeginAuthorizationRequest, BegunAuthorization, CompleteAuthorizationRequest, ResponseMode};

use crate::Invalid;

/// An answer that misses a part that every version sends: the other side is not a token-broker daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the answer has no {0}")]
pub struct Incomplete(pub &'static str);

/// A length of time on the wire in seconds; 0 is none, less is refused.
fn seconds(field: &'static str, seconds: i64) -> Result<Option<std::time::Duration>, Invalid> {
    match u64::try_from(seconds) {
        Ok(0) => Ok(None),
        Ok(seconds) => Ok(Some(std::time::Duration::from_secs(seconds))),
        Err(_) => Err(Invalid::new(field, "must not be negative")),
    }
}

/// A text on the wire; empty is none.
fn given(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// Scopes on the wire; empty is the application's own list.
fn scopes(texts: &[String]) -> Result<Option<crate::oauth::ScopeSet>, Invalid> {
    let set = crate::oauth::ScopeSet::parse(texts.iter().map(String::as_str))?;
    Ok(Some(set).filter(|set| !set.is_empty()))
}
