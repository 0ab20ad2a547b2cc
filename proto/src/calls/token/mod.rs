//! `GetToken`: the request for an access token and its answer.

mod extras;
mod on_behalf_of;

use std::time::Duration;

pub use extras::Extras;
pub use on_behalf_of::{OnBehalfOf, SessionKey};

use super::{Incomplete, given, scopes, seconds};
use crate::{
    Account, Invalid, Secret,
    oauth::{ApplicationName, Authority, Claims, ClientId, CorrelationId, PublicKey, ScopeSet, UnixTime},
    wire::v1,
};

/// Which application asks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ApplicationSelector {
    /// By its name in the broker.
    Name(ApplicationName),
    /// By its registration at the provider.
    Client {
        /// RFC 6749, section 2.2.
        client_id: ClientId,
        /// Who issued the client id.
        authority: Box<Authority>,
    },
}

/// For whom the token is.
#[derive(Debug, Clone)]
pub enum Subject {
    /// For a signed-in account: username or home account id; `None` for the only one.
    User(Option<String>),
    /// For the application itself.
    Application,
    /// For a user who is signed in to a client of the application.
    OnBehalfOf(OnBehalfOf),
}

/// How the access token is bound to its use.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum TokenScheme {
    /// RFC 6750.
    #[default]
    Bearer,
    /// Signed HTTP requests, by the caller's own key.
    Pop(PublicKey),
    /// An SSH certificate over the caller's key.
    SshCert(PublicKey),
    /// RFC 9449.
    Dpop,
}

/// A request for an access token.
#[derive(Debug, Clone)]
pub struct TokenRequest {
    /// Which application asks.
    pub application: ApplicationSelector,
    /// For whom.
    pub subject: Subject,
    /// Scopes; `None` for the application's own list.
    pub scopes: Option<ScopeSet>,
    /// Another tenant than the application's own.
    pub tenant: Option<String>,
    /// Ask the provider even if a cached token is valid.
    pub force_refresh: bool,
    /// How long the token must stay valid; `None` for the default margin.
    pub min_validity: Option<Duration>,
    /// Claims challenge.
    pub claims: Option<Claims>,
    /// What goes along with the request.
    pub extras: Extras,
    /// Kind of token.
    pub scheme: TokenScheme,
    /// Whether the ID token is wanted too.
    pub include_id_token: bool,
    /// Name of the call; `None` lets the daemon make one.
    pub correlation_id: Option<CorrelationId>,
}

impl TokenRequest {
    /// The plain request: this application, its own scopes, its only account.
    #[must_use]
    pub fn new(application: ApplicationName) -> Self {
        Self {
            application: ApplicationSelector::Name(application),
            subject: Subject::User(None),
            scopes: None,
            tenant: None,
            force_refresh: false,
            min_validity: None,
            claims: None,
            extras: Extras::default(),
            scheme: TokenScheme::Bearer,
            include_id_token: false,
            correlation_id: None,
        }
    }
}

impl TryFrom<v1::GetTokenRequest> for TokenRequest {
    type Error = Invalid;

    fn try_from(wire: v1::GetTokenRequest) -> Result<Self, Invalid> {
        let mut wire = wire;
        let scheme = TokenScheme::parse(wire.scheme, &wire.public_key)?;
        let assertion = Secret::new(std::mem::take(&mut wire.on_behalf_of));
        let on_behalf_of = OnBehalfOf::parse(assertion, wire.session_key.as_deref())?;
        let subject = Subject::parse(std::mem::take(&mut wire.account), wire.app_only, on_behalf_of)?;
        Ok(Self {
            application: ApplicationSelector::parse(&wire.application, &wire.client_id, &wire.authority)?,
            extras: Extras::parse(&wire, &subject)?,
            subject,
            scopes: scopes(&wire.scopes)?,
            tenant: given(wire.tenant),
            force_refresh: wire.force_refresh,
            min_validity: seconds("min_validity_seconds", wire.min_validity_seconds)?,
            claims: Claims::parse(&wire.claims)?,
            scheme,
            include_id_token: wire.include_id_token,
            correlation_id: CorrelationId::parse(&wire.correlation_id)?,
        })
    }
}

impl From<&TokenRequest> for v1::GetTokenRequest {
    fn from(request: &TokenRequest) -> Self {
        let mut wire = Self {
            scopes: request.scopes.as_ref().map(ScopeSet::to_strings).unwrap_or_default(),
            tenant: request.tenant.clone().unwrap_or_default(),
            force_refresh: request.force_refresh,
            min_validity_seconds: request
                .min_validity
                .map_or(0, |span| i64::try_from(span.as_secs()).unwrap_or(i64::MAX)),
            claims: request.claims.as_ref().map(|claims| claims.as_str().to_owned()).unwrap_or_default(),
            scheme: request.scheme.to_wire().into(),
            public_key: request.scheme.public_key().map(PublicKey::canonical_jwk).unwrap_or_default(),
            include_id_token: request.include_id_token,
            correlation_id: request.correlation_id.map(|id| id.to_string()).unwrap_or_default(),
            ..Self::default()
        };
        match &request.application {
            ApplicationSelector::Name(name) => wire.application = name.to_string(),
            ApplicationSelector::Client { client_id, authority } => {
                wire.client_id = client_id.to_string();
                wire.authority = authority.to_string();
            }
        }
        match &request.subject {
            Subject::User(account) => wire.account = account.clone().unwrap_or_default(),
            Subject::Application => wire.app_only = true,
            Subject::OnBehalfOf(on_behalf_of) => on_behalf_of.write(&mut wire),
        }
        request.extras.write(&mut wire);
        wire
    }
}

impl ApplicationSelector {
    fn parse(name: &str, client_id: &str, authority: &str) -> Result<Self, Invalid> {
        match (name.is_empty(), client_id.is_empty()) {
            (false, true) => Ok(Self::Name(ApplicationName::parse("application", name)?)),
            (true, false) => Ok(Self::Client {
                client_id: ClientId::parse(client_id)?,
                authority: Authority::from_url(authority)
                    .map(Box::new)
                    .map_err(|invalid| Invalid::new("authority", invalid.rule))?,
            }),
            (true, true) => {
                Err(Invalid::new("application", "give the name of an application, or client_id and authority"))
            }
            (false, false) => Err(Invalid::new("client_id", "must be empty when application is given")),
        }
    }
}

impl Subject {
    fn parse(account: String, app_only: bool, on_behalf_of: Option<OnBehalfOf>) -> Result<Self, Invalid> {
        match (app_only, on_behalf_of, account.is_empty()) {
            (false, None, _) => Ok(Self::User(given(account))),
            (true, None, true) => Ok(Self::Application),
            (false, Some(on_behalf_of), true) => Ok(Self::OnBehalfOf(on_behalf_of)),
            (true, Some(OnBehalfOf::Session(_)), _) => {
                Err(Invalid::new("session_key", "must be empty when app_only is set"))
            }
            (true, Some(_), _) => Err(Invalid::new("on_behalf_of", "must be empty when app_only is set")),
            (_, _, false) => Err(Invalid::new("account", "must be empty for a token without a signed-in account")),
        }
    }
}

impl TokenScheme {
    fn parse(wire: i32, public_key: &str) -> Result<Self, Invalid> {
        let key = || PublicKey::parse(public_key);
        let bound = match v1::TokenScheme::try_from(wire) {
            Ok(v1::TokenScheme::SshCert) => return key().map(Self::SshCert),
            Ok(v1::TokenScheme::Pop) if public_key.is_empty() => {
                let rule = "a pop token is of use to who has its key: give the public one, or call SignHttpRequest";
                return Err(Invalid::new("public_key", rule));
            }
            Ok(v1::TokenScheme::Pop) => return key().map(Self::Pop),
            Ok(v1::TokenScheme::Unspecified | v1::TokenScheme::Bearer) => Self::Bearer,
            Ok(v1::TokenScheme::Dpop) => Self::Dpop,
            Err(_) => return Err(Invalid::new("scheme", "is not a token scheme of this version")),
        };
        if public_key.is_empty() {
            return Ok(bound);
        }
        Err(Invalid::new("public_key", "is for the schemes ssh-cert and pop"))
    }

    /// The caller's key that the token is bound to.
    #[must_use]
    pub fn public_key(&self) -> Option<&PublicKey> {
        match self {
            Self::Pop(key) | Self::SshCert(key) => Some(key),
            Self::Bearer | Self::Dpop => None,
        }
    }

    fn to_wire(&self) -> v1::TokenScheme {
        match self {
            Self::Bearer => v1::TokenScheme::Bearer,
            Self::Pop(_) => v1::TokenScheme::Pop,
            Self::SshCert(_) => v1::TokenScheme::SshCert,
            Self::Dpop => v1::TokenScheme::Dpop,
        }
    }
}

/// Where the token of an answer came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenSource {
    /// The cache.
    Cache,
    /// The identity provider, for this answer.
    IdentityProvider,
}

impl TokenSource {
    /// The word of the JSON output, MSAL's `token_source`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cache => "cache",
            Self::IdentityProvider => "identity_provider",
        }
    }

    pub(super) fn to_wire(self) -> v1::TokenSource {
        match self {
            Self::Cache => v1::TokenSource::Cache,
            Self::IdentityProvider => v1::TokenSource::IdentityProvider,
        }
    }

    pub(super) fn from_wire(wire: i32) -> Result<Self, Incomplete> {
        match v1::TokenSource::try_from(wire) {
            Ok(v1::TokenSource::Cache) => Ok(Self::Cache),
            Ok(v1::TokenSource::IdentityProvider) => Ok(Self::IdentityProvider),
            Ok(v1::TokenSource::Unspecified) | Err(_) => Err(Incomplete("source")),
        }
    }
}

/// A valid access token.
#[derive(Debug, Clone)]
pub struct TokenAnswer {
    /// The access token; opaque to clients.
    pub access_token: Secret,
    /// How to use it, in general `Bearer`.
    pub token_type: String,
    /// When it expires.
    pub expires_on: UnixTime,
    /// When the provider advises to renew it.
    pub refresh_on: Option<UnixTime>,
    /// The granted scopes.
    pub scopes: ScopeSet,
    /// Whose it is; `None` for an app-only token.
    pub account: Option<Account>,
    /// Where it came from.
    pub source: TokenSource,
    /// The ID token, if it was asked for and there is one.
    pub id_token: Option<Secret>,
    /// Name of the call.
    pub correlation_id: CorrelationId,
    /// Thumbprint of the key that it is bound to (RFC 7638); `None` for a bearer token.
    pub key_id: Option<String>,
    /// Key of the session that began, if the daemon made it.
    pub session_key: Option<SessionKey>,
}

impl From<TokenAnswer> for v1::GetTokenResponse {
    fn from(answer: TokenAnswer) -> Self {
        Self {
            access_token: answer.access_token.expose().to_owned(),
            token_type: answer.token_type,
            expires_on: answer.expires_on.seconds(),
            refresh_on: answer.refresh_on.map_or(0, UnixTime::seconds),
            scopes: answer.scopes.to_strings(),
            account: answer.account.map(Into::into),
            source: answer.source.to_wire().into(),
            id_token: answer.id_token.map(|token| token.expose().to_owned()).unwrap_or_default(),
            correlation_id: answer.correlation_id.to_string(),
            key_id: answer.key_id.unwrap_or_default(),
            session_key: answer.session_key.map(|key| key.expose().to_owned()).unwrap_or_default(),
        }
    }
}

impl TryFrom<v1::GetTokenResponse> for TokenAnswer {
    type Error = Incomplete;

    fn try_from(wire: v1::GetTokenResponse) -> Result<Self, Incomplete> {
        Ok(Self {
            access_token: Some(Secret::new(wire.access_token))
                .filter(|token| !token.is_empty())
                .ok_or(Incomplete("access_token"))?,
            token_type: wire.token_type,
            expires_on: UnixTime::from_seconds(wire.expires_on),
            refresh_on: UnixTime::from_wire(wire.refresh_on),
            scopes: ScopeSet::parse(wire.scopes.iter().map(String::as_str)).map_err(|_| Incomplete("scopes"))?,
            account: wire.account.map(Into::into),
            source: TokenSource::from_wire(wire.source)?,
            id_token: given(wire.id_token).map(Secret::new),
            correlation_id: CorrelationId::parse(&wire.correlation_id)
                .ok()
                .flatten()
                .ok_or(Incomplete("correlation_id"))?,
            key_id: given(wire.key_id),
            session_key: given(wire.session_key)
                .map(|key| SessionKey::parse(&key))
                .transpose()
                .map_err(|_| Incomplete("session_key"))?,
        })
    }
}
