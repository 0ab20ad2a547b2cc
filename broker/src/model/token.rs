//! The access token in the cache and what it is partitioned by.

use token_broker_proto::{
    Secret,
    oauth::{ClientId, ScopeSet, UnixTime},
};

use super::TokenSubject;

/// What an access token is kept apart by. Two tokens of one partition differ in their scopes only.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TokenPartition {
    /// `Authority::environment`.
    pub environment: String,
    /// RFC 6749, section 2.2.
    pub client_id: ClientId,
    /// Whose it is; `None` for an app-only token.
    pub home_account_id: Option<String>,
    /// Tenant it was issued in (MSAL's realm); empty where there are no tenants.
    pub tenant: String,
    /// Token type in lower case: `bearer`, `pop`, `ssh-cert`, `dpop`.
    pub token_type: String,
    /// Thumbprint of the key that the token is bound to; empty for a bearer token.
    pub key_id: String,
    /// Anything else that sets tokens apart, such as a user assertion or the application's own claims: `flow::cache_key`; empty in
    /// general.
    pub extra: String,
}

impl TokenPartition {
    /// Whether its tokens are kept apart from those of plain requests, and so is the ID token that came with them.
    #[must_use]
    pub fn is_apart(&self) -> bool {
        !self.extra.is_empty()
    }
}

/// What an access token is bound to, which is how it can be used (`token_type`, `req_cnf`): by whoever bears it, or by who has a key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TokenBinding {
    /// Nothing (RFC 6750).
    Bearer,
    /// An SSH certificate over this key.
    SshCert {
        /// RFC 7638.
        key_id: String,
        /// The key as JSON (RFC 7517), `kid` included.
        jwk: String,
    },
    /// A key that signs HTTP requests.
    Pop {
        /// RFC 7638.
        key_id: String,
    },
}

impl TokenBinding {
    /// `token_type` of the request and of the answer, in lower case.
    #[must_use]
    pub fn token_type(&self) -> &'static str {
        match self {
            Self::Bearer => "bearer",
            Self::SshCert { .. } => "ssh-cert",
            Self::Pop { .. } => "pop",
        }
    }

    /// Thumbprint of the key; `None` for a bearer token.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        match self {
            Self::Bearer => None,
            Self::SshCert { key_id, .. } | Self::Pop { key_id } => Some(key_id),
        }
    }
}

/// An access token as cached.
#[derive(Debug, Clone)]
pub struct CachedToken {
    /// The token.
    pub access_token: Secret,
    /// `token_type` as the provider wrote it (RFC 6749, section 7.1).
    pub token_type: String,
    /// Granted scopes.
    pub scopes: ScopeSet,
    /// When the provider issued it.
    pub issued_on: UnixTime,
    /// When it expires.
    pub expires_on: UnixTime,
    /// When the provider advises to renew it.
    pub refresh_on: Option<UnixTime>,
    /// Whose it is and the ID token that came with it, of a token that is kept apart.
    pub subject: Option<Box<TokenSubject>>,
}
