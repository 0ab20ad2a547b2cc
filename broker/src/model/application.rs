//! A registered application with its credential, and the client that it is at the provider.

use std::time::Duration;

use token_broker_proto::{
    calls::ApplicationOptions,
    oauth::{ApplicationName, Authority, Claims, ClientId, ScopeSet},
};

use super::{Credential, GrantHolder, GrantKey};

/// An application as registered, credential included.
#[derive(Debug, Clone)]
pub struct RegisteredApplication {
    /// Name in the broker.
    pub name: ApplicationName,
    /// RFC 6749, section 2.2.
    pub client_id: ClientId,
    /// Who issues its tokens.
    pub authority: Authority,
    /// How it authenticates at the token endpoint.
    pub credential: Credential,
    /// Scopes asked for when a request names none; may be empty.
    pub scopes: ScopeSet,
    /// Redirect URI of browser sign-in or of a web application; `None` for the default loopback one.
    pub redirect_uri: Option<String>,
    /// Client capabilities of Microsoft Entra ID.
    pub client_capabilities: Vec<String>,
    /// After how long a grant that nobody used is refreshed; `None` for never.
    pub keep_alive: Option<Duration>,
    /// What it is set to besides.
    pub options: ApplicationOptions,
}

impl RegisteredApplication {
    /// The client that it is: two names with one client id at one environment share accounts and tokens.
    #[must_use]
    pub fn client(&self) -> Client {
        Client { environment: self.authority.environment(), client_id: self.client_id.clone() }
    }

    /// The claims that its requests carry: those asked for, with its client capabilities.
    #[must_use]
    pub fn claims(&self, asked: Option<&Claims>) -> Option<Claims> {
        Claims::with_capabilities(asked, &self.client_capabilities)
    }

    /// Scopes of a request that names none: the application's list, else `openid`.
    #[must_use]
    pub fn default_scopes(&self) -> ScopeSet {
        if self.scopes.is_empty() { ScopeSet::openid() } else { self.scopes.clone() }
    }
}

/// One registration in the store: changes when it is replaced or removed and added again, so that work begun for an old
/// registration cannot be saved under a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ApplicationStamp(pub i64);

impl Client {
    /// Names the grant of a user of this client alone, not of a family.
    #[must_use]
    pub fn grant_key(&self, home_account_id: &str) -> GrantKey {
        GrantKey {
            environment: self.environment.clone(),
            holder: GrantHolder::Client(self.client_id.clone()),
            home_account_id: home_account_id.to_owned(),
        }
    }
}

impl Client {
    /// Names the grant of a user that every client of a family shares.
    #[must_use]
    pub fn family_grant_key(&self, family: &str, home_account_id: &str) -> GrantKey {
        let holder = GrantHolder::Family(family.to_owned());
        GrantKey { holder, ..self.grant_key(home_account_id) }
    }
}

impl Client {
    /// Names the grant of an on-behalf-of session of this client.
    #[must_use]
    pub fn session_grant_key(&self, session: &str) -> GrantKey {
        let holder = GrantHolder::Session(self.client_id.clone());
        GrantKey { holder, ..self.grant_key(session) }
    }
}

/// A client at a provider.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Client {
    /// `Authority::environment`.
    pub environment: String,
    /// RFC 6749, section 2.2.
    pub client_id: ClientId,
}
