//! Sign-in by browser: the authorization code grant with PKCE (RFC 6749, section 4.1; RFC 7636; RFC 9207; OpenID Connect Core
//! 1.0, section 3.1). Owns the authorization URL, the check of what comes back and the request that redeems the code. The
//! loopback listener and the browser belong to others.

mod pending;
mod pkce;
mod redirect;
mod state;

pub use pending::PendingAuthorization;
pub use redirect::{Redirect, RedirectError};
pub use state::State;

use std::time::Duration;

use super::ClientContext;
use token_broker_proto::oauth::{Claims, CorrelationId, ScopeSet};

/// What to ask the provider for.
#[derive(Debug, Clone)]
pub struct AuthorizationRequest<'a> {
    /// Who asks, and whom.
    pub client: ClientContext<'a>,
    /// Where the browser is sent back to, port included, to the letter: some providers tell `http://localhost:1` from
    /// `http://localhost:1/`.
    pub redirect_uri: String,
    /// All scopes to ask for, as `sign_in_scopes` gives them.
    pub scopes: ScopeSet,
    /// `prompt` (OpenID Connect Core 1.0, section 3.1.2.1).
    pub prompt: Option<String>,
    /// `login_hint` (the same section).
    pub login_hint: Option<String>,
    /// `domain_hint` of Microsoft Entra ID.
    pub domain_hint: Option<String>,
    /// `claims` (OpenID Connect Core 1.0, section 5.5).
    pub claims: Option<Claims>,
    /// `max_age` (OpenID Connect Core 1.0, section 3.1.2.1).
    pub max_age: Option<Duration>,
    /// How the answer comes back; `None` leaves it to the provider, which is the query for a code.
    pub response_mode: Option<ResponseMode>,
    /// Name of the call; sent as `client-request-id`.
    pub correlation_id: CorrelationId,
}

/// How the answer comes back to the redirect URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseMode {
    /// In the query of the URL (OAuth 2.0 Multiple Response Type Encoding Practices).
    Query,
    /// As a form in the body (OAuth 2.0 Form Post Response Mode).
    FormPost,
}

impl ResponseMode {
    fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::FormPost => "form_post",
        }
    }
}
