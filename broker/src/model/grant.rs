//! The grant: a refresh token with its rotation, its state and how often refreshing it failed (RFC 6749, sections 1.5 and 6).

use token_broker_proto::{
    Secret,
    oauth::{ClientId, ScopeSet, UnixTime},
};

/// A refresh token. Exists only inside the broker.
#[derive(Debug, Clone)]
pub struct RefreshToken(Secret);

impl RefreshToken {
    /// Takes the token over.
    #[must_use]
    pub fn new(token: Secret) -> Self {
        Self(token)
    }

    /// The secret text, for the wire and for sealing.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.0
    }
}

/// Names a grant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GrantKey {
    /// `Authority::environment`.
    pub environment: String,
    /// Who may use it.
    pub holder: GrantHolder,
    /// Whose it is.
    pub home_account_id: String,
}

/// What is known of a client's family; a client that has none of this was never seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppMetadata {
    /// Its family; `None` for one that is known to be in none.
    pub family: Option<String>,
}

/// Who may use a grant: one client, or a family of clients of Microsoft Entra ID.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum GrantHolder {
    /// One client.
    Client(ClientId),
    /// Every client of this family.
    Family(String),
}

impl GrantHolder {
    /// The family, if it is one.
    #[must_use]
    pub fn family(&self) -> Option<&str> {
        match self {
            Self::Client(_) => None,
            Self::Family(family) => Some(family),
        }
    }
}

/// One rotation of one grant. Signing in again makes another row, so a stamp never fits a later grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct GrantStamp {
    /// Row of the store; never used again.
    pub row: i64,
    /// Number of the rotation, from 1.
    pub generation: i64,
}

/// A refresh token and what is known of it.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The token.
    pub refresh_token: RefreshToken,
    /// Granted scopes.
    pub scopes: ScopeSet,
    /// When the provider issued this rotation.
    pub obtained_on: UnixTime,
    /// When it was last used.
    pub last_used_on: UnixTime,
    /// Whether it still works.
    pub state: GrantState,
}

/// Whether a grant still works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GrantState {
    /// As far as is known, yes.
    Live,
    /// The last refreshes failed for a reason that may pass.
    BackingOff(Backoff),
    /// The provider refused it for good: the user has to sign in.
    Refused {
        /// When.
        since: UnixTime,
        /// The provider's `error` code.
        error: String,
    },
}

/// A pause between refreshes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// No refresh before this.
    pub until: UnixTime,
    /// Failures in a row.
    pub failures: u32,
}
