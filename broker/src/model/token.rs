//! The access token in the cache and what it is partitioned by.

use token_broker_proto::{
    Secret,
    oauth::{ClientId, ScopeSet, UnixTime},
};

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
    /// Key that the token is bound to; empty for a bearer token.
    pub key_id: String,
    /// Anything else that sets tokens apart, such as a hash of forwarded claims; empty in general.
    pub extra: String,
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
}
