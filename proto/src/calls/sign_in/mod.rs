//! `SignIn`: the request and the events of its stream. How the user signs in is in `method`.

mod method;

use std::time::Duration;

use super::{Incomplete, given, scopes, seconds};
use crate::{
    Account, Invalid, Secret,
    oauth::{ApplicationName, Claims, CorrelationId, ScopeSet, UnixTime},
    wire::v1,
};

pub use method::{FederatedUser, SignInMethod, Username};

/// A request to sign a user in.
#[derive(Debug, Clone)]
pub struct SignInRequest {
    /// Name of the application in the broker.
    pub application: ApplicationName,
    /// Scopes; `None` for the application's own list.
    pub scopes: Option<ScopeSet>,
    /// How; by browser unless said otherwise.
    pub method: SignInMethod,
    /// `login_hint` (OpenID Connect Core 1.0, section 3.1.2.1).
    pub login_hint: Option<String>,
    /// `prompt` (the same section).
    pub prompt: Option<String>,
    /// `domain_hint` of Microsoft Entra ID.
    pub domain_hint: Option<String>,
    /// Claims request.
    pub claims: Option<Claims>,
    /// `max_age`: how long ago the user may have signed in; by browser only.
    pub max_age: Option<Duration>,
    /// When to give up; `None` for the default.
    pub timeout: Option<Duration>,
    /// Name of the call; `None` lets the daemon make one.
    pub correlation_id: Option<CorrelationId>,
}

impl SignInRequest {
    /// The plain request: by browser, with the application's own scopes.
    #[must_use]
    pub fn new(application: ApplicationName) -> Self {
        Self {
            application,
            scopes: None,
            method: SignInMethod::Browser,
            login_hint: None,
            prompt: None,
            domain_hint: None,
            claims: None,
            max_age: None,
            timeout: None,
            correlation_id: None,
        }
    }
}

impl TryFrom<v1::SignInRequest> for SignInRequest {
    type Error = Invalid;

    fn try_from(wire: v1::SignInRequest) -> Result<Self, Invalid> {
        let method = method::from_wire(method::Parts {
            method: wire.method,
            username: wire.username,
            password: Secret::new(wire.password),
            assertion: Secret::new(wire.assertion),
            user_object_id: wire.user_object_id,
            refresh_token: Secret::new(wire.refresh_token),
        })?;
        Ok(Self {
            application: ApplicationName::parse("application", &wire.application)?,
            scopes: scopes(&wire.scopes)?,
            max_age: max_age(&method, wire.max_age_seconds)?,
            method,
            login_hint: given(wire.login_hint),
            prompt: given(wire.prompt),
            domain_hint: given(wire.domain_hint),
            claims: Claims::parse(&wire.claims)?,
            timeout: seconds("timeout_seconds", wire.timeout_seconds)?,
            correlation_id: CorrelationId::parse(&wire.correlation_id)?,
        })
    }
}

impl From<&SignInRequest> for v1::SignInRequest {
    fn from(request: &SignInRequest) -> Self {
        let common = v1::SignInRequest {
            application: request.application.to_string(),
            scopes: request.scopes.as_ref().map(ScopeSet::to_strings).unwrap_or_default(),
            login_hint: request.login_hint.clone().unwrap_or_default(),
            prompt: request.prompt.clone().unwrap_or_default(),
            domain_hint: request.domain_hint.clone().unwrap_or_default(),
            claims: request.claims.as_ref().map(|claims| claims.as_str().to_owned()).unwrap_or_default(),
            timeout_seconds: request.timeout.map_or(0, |span| i64::try_from(span.as_secs()).unwrap_or(i64::MAX)),
            correlation_id: request.correlation_id.map(|id| id.to_string()).unwrap_or_default(),
            max_age_seconds: request.max_age.map(|span| i64::try_from(span.as_secs()).unwrap_or(i64::MAX)),
            ..v1::SignInRequest::default()
        };
        method::to_wire(&request.method, common)
    }
}

/// Nobody could check it without an authorization request.
fn max_age(method: &SignInMethod, wire: Option<i64>) -> Result<Option<Duration>, Invalid> {
    let invalid = |rule| Invalid::new("max_age_seconds", rule);
    match (method, wire) {
        (_, None) => Ok(None),
        (SignInMethod::Browser, Some(span)) => {
            u64::try_from(span).map(|span| Some(Duration::from_secs(span))).map_err(|_| invalid("must not be negative"))
        }
        (_, Some(_)) => Err(invalid("is for a sign-in by browser only")),
    }
}

/// What the user has to do, or who signed in.
#[derive(Debug, Clone)]
pub enum SignInEvent {
    /// Open this URL in a browser on this machine. It carries the request's state: secret while the sign-in runs.
    OpenUrl(Secret),
    /// Enter this code.
    UserCode(UserCode),
    /// Done: the grant is stored.
    SignedIn(Account),
}

/// The device authorization answer (RFC 8628, section 3.2).
#[derive(Debug, Clone)]
pub struct UserCode {
    /// Where to enter the code.
    pub verification_uri: String,
    /// The same with the code in it.
    pub verification_uri_complete: Option<Secret>,
    /// The code.
    pub user_code: Secret,
    /// When the code expires.
    pub expires_on: UnixTime,
}

impl From<SignInEvent> for v1::SignInResponse {
    fn from(event: SignInEvent) -> Self {
        use v1::sign_in_response::Event;
        let event = match event {
            SignInEvent::OpenUrl(url) => Event::OpenUrl(v1::OpenUrl { url: url.expose().to_owned() }),
            SignInEvent::UserCode(code) => Event::UserCode(v1::UserCode {
                verification_uri: code.verification_uri,
                verification_uri_complete: code
                    .verification_uri_complete
                    .map(|uri| uri.expose().to_owned())
                    .unwrap_or_default(),
                user_code: code.user_code.expose().to_owned(),
                expires_on: code.expires_on.seconds(),
            }),
            SignInEvent::SignedIn(account) => Event::SignedIn(v1::SignedIn { account: Some(account.into()) }),
        };
        Self { event: Some(event) }
    }
}

impl TryFrom<v1::SignInResponse> for SignInEvent {
    type Error = Incomplete;

    fn try_from(wire: v1::SignInResponse) -> Result<Self, Incomplete> {
        use v1::sign_in_response::Event;
        match wire.event.ok_or(Incomplete("event"))? {
            Event::OpenUrl(open) => Ok(Self::OpenUrl(Secret::new(open.url))),
            Event::UserCode(code) => Ok(Self::UserCode(UserCode {
                verification_uri: code.verification_uri,
                verification_uri_complete: given(code.verification_uri_complete).map(Secret::new),
                user_code: Secret::new(code.user_code),
                expires_on: UnixTime::from_seconds(code.expires_on),
            })),
            Event::SignedIn(done) => Ok(Self::SignedIn(done.account.ok_or(Incomplete("account"))?.into())),
        }
    }
}
