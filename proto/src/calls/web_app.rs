//! `BeginAuthorization` and `CompleteAuthorization`: sign-in through a web application's own redirect URI (RFC 6749, section
//! 4.1). State, code verifier and nonce stay in the daemon; the web application is told the state alone, to compare it with what
//! it keeps in the user's session.

use super::{Incomplete, application::redirect_uri, given, scopes};
use crate::{
    Invalid, Secret,
    oauth::{ApplicationName, Claims, CorrelationId, ScopeSet, UnixTime},
    wire::v1,
};

/// How the provider's answer comes to the redirect URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseMode {
    /// In the query of the URL (OAuth 2.0 Multiple Response Type Encoding Practices).
    Query,
    /// As a form in the body (OAuth 2.0 Form Post Response Mode).
    FormPost,
}

/// A request to begin a sign-in through a web application.
#[derive(Debug, Clone)]
pub struct BeginAuthorizationRequest {
    /// Name of the application in the broker.
    pub application: ApplicationName,
    /// The web application's own redirect URI, as registered at the provider.
    pub redirect_uri: String,
    /// Scopes; `None` for the application's own list.
    pub scopes: Option<ScopeSet>,
    /// `login_hint` (OpenID Connect Core 1.0, section 3.1.2.1).
    pub login_hint: Option<String>,
    /// `prompt` (the same section).
    pub prompt: Option<String>,
    /// `domain_hint` of Microsoft Entra ID.
    pub domain_hint: Option<String>,
    /// Claims request.
    pub claims: Option<Claims>,
    /// How the answer comes back; `None` leaves it to the provider.
    pub response_mode: Option<ResponseMode>,
    /// Name of the call; `None` lets the daemon make one.
    pub correlation_id: Option<CorrelationId>,
}

impl BeginAuthorizationRequest {
    /// The plain request: with the application's own scopes, back to this redirect URI.
    pub fn new(application: ApplicationName, to: impl Into<String>) -> Result<Self, Invalid> {
        Ok(Self {
            application,
            redirect_uri: redirect_uri(to.into())?,
            scopes: None,
            login_hint: None,
            prompt: None,
            domain_hint: None,
            claims: None,
            response_mode: None,
            correlation_id: None,
        })
    }
}

impl TryFrom<v1::BeginAuthorizationRequest> for BeginAuthorizationRequest {
    type Error = Invalid;

    fn try_from(wire: v1::BeginAuthorizationRequest) -> Result<Self, Invalid> {
        let response_mode = match v1::ResponseMode::try_from(wire.response_mode) {
            Ok(v1::ResponseMode::Unspecified) => None,
            Ok(v1::ResponseMode::Query) => Some(ResponseMode::Query),
            Ok(v1::ResponseMode::FormPost) => Some(ResponseMode::FormPost),
            Err(_) => return Err(Invalid::new("response_mode", "is not a response mode of this version")),
        };
        Ok(Self {
            application: ApplicationName::parse("application", &wire.application)?,
            redirect_uri: redirect_uri(wire.redirect_uri)?,
            scopes: scopes(&wire.scopes)?,
            login_hint: given(wire.login_hint),
            prompt: given(wire.prompt),
            domain_hint: given(wire.domain_hint),
            claims: Claims::parse(&wire.claims)?,
            response_mode,
            correlation_id: CorrelationId::parse(&wire.correlation_id)?,
        })
    }
}

impl From<&BeginAuthorizationRequest> for v1::BeginAuthorizationRequest {
    fn from(request: &BeginAuthorizationRequest) -> Self {
        let response_mode = match request.response_mode {
            None => v1::ResponseMode::Unspecified,
            Some(ResponseMode::Query) => v1::ResponseMode::Query,
            Some(ResponseMode::FormPost) => v1::ResponseMode::FormPost,
        };
        Self {
            application: request.application.to_string(),
            redirect_uri: request.redirect_uri.clone(),
            scopes: request.scopes.as_ref().map(ScopeSet::to_strings).unwrap_or_default(),
            login_hint: request.login_hint.clone().unwrap_or_default(),
            prompt: request.prompt.clone().unwrap_or_default(),
            domain_hint: request.domain_hint.clone().unwrap_or_default(),
            claims: request.claims.as_ref().map(|claims| claims.as_str().to_owned()).unwrap_or_default(),
            correlation_id: request.correlation_id.map(|id| id.to_string()).unwrap_or_default(),
            response_mode: response_mode.into(),
        }
    }
}

/// A sign-in that waits for its user to come back.
#[derive(Debug, Clone)]
pub struct BegunAuthorization {
    /// Where to send the user's browser. It carries the state: secret while the sign-in runs.
    pub url: Secret,
    /// To be kept in the user's session, and compared with the `state` of what comes back.
    pub state: Secret,
    /// When it is too late to complete.
    pub expires_on: UnixTime,
}

impl From<BegunAuthorization> for v1::BeginAuthorizationResponse {
    fn from(begun: BegunAuthorization) -> Self {
        Self {
            url: begun.url.expose().to_owned(),
            state: begun.state.expose().to_owned(),
            expires_on: begun.expires_on.seconds(),
        }
    }
}

impl TryFrom<v1::BeginAuthorizationResponse> for BegunAuthorization {
    type Error = Incomplete;

    fn try_from(wire: v1::BeginAuthorizationResponse) -> Result<Self, Incomplete> {
        Ok(Self {
            url: given(wire.url).map(Secret::new).ok_or(Incomplete("url"))?,
            state: given(wire.state).map(Secret::new).ok_or(Incomplete("state"))?,
            expires_on: UnixTime::from_seconds(wire.expires_on),
        })
    }
}

/// What came to the redirect URI.
#[derive(Debug, Clone)]
pub struct CompleteAuthorizationRequest {
    /// Name of the application in the broker.
    pub application: ApplicationName,
    /// The raw query string, or the raw form body.
    pub parameters: Secret,
    /// Name of the call; `None` lets the daemon make one.
    pub correlation_id: Option<CorrelationId>,
}

impl CompleteAuthorizationRequest {
    /// The plain request.
    pub fn new(application: ApplicationName, parameters: impl Into<String>) -> Self {
        Self { application, parameters: Secret::new(parameters), correlation_id: None }
    }
}

impl TryFrom<v1::CompleteAuthorizationRequest> for CompleteAuthorizationRequest {
    type Error = Invalid;

    fn try_from(wire: v1::CompleteAuthorizationRequest) -> Result<Self, Invalid> {
        let parameters = given(wire.parameters).map(Secret::new);
        Ok(Self {
            application: ApplicationName::parse("application", &wire.application)?,
            parameters: parameters.ok_or_else(|| Invalid::new("parameters", "must not be empty"))?,
            correlation_id: CorrelationId::parse(&wire.correlation_id)?,
        })
    }
}

impl From<&CompleteAuthorizationRequest> for v1::CompleteAuthorizationRequest {
    fn from(request: &CompleteAuthorizationRequest) -> Self {
        Self {
            application: request.application.to_string(),
            parameters: request.parameters.expose().to_owned(),
            correlation_id: request.correlation_id.map(|id| id.to_string()).unwrap_or_default(),
        }
    }
}
