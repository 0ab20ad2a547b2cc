//! Why a desk's verb failed: a closed list that says what the caller can do now. `server` maps it to the wire, exhaustively.

use std::time::Duration;

use token_broker_proto::{Account, Invalid, ProviderError};

/// Why a verb failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeskError {
    /// A field breaks a rule.
    InvalidRequest(Invalid),
    /// No such application; the text is what was asked for.
    ApplicationNotFound(String),
    /// The account that was named is not signed in to this application.
    AccountNotFound {
        /// What was asked for.
        account: String,
        /// Name of the application.
        application: String,
    },
    /// Several accounts are signed in and none was named.
    AccountAmbiguous {
        /// Some of them.
        candidates: Vec<Account>,
    },
    /// The user has to sign in.
    InteractionRequired {
        /// Name of the application.
        application: String,
        /// Why.
        why: Interaction,
    },
    /// The user said no.
    Declined(Option<ProviderError>),
    /// A sign-in or a device code ran out.
    Expired,
    /// The caller gave up, or the daemon stops.
    Cancelled,
    /// The caller may not do this; the text is the rule.
    AccessDenied(String),
    /// The provider answered with an error, or with something that is no answer.
    AuthorityRefused(ProviderError),
    /// The provider cannot be reached or asks to wait.
    AuthorityUnavailable {
        /// What happened, with its cause.
        what: String,
        /// HTTP `Retry-After`.
        retry_after: Option<Duration>,
        /// The provider's words, if it said any.
        provider: Option<ProviderError>,
    },
    /// The name is taken.
    AlreadyExists(String),
    /// The daemon, or the provider, cannot do this.
    Unsupported(String),
    /// A limit was met.
    LimitExceeded(&'static str),
    /// The store is locked.
    Locked(String),
    /// The store cannot be read or written now.
    StoreUnavailable(String),
    /// A row of the store does not open; it is named.
    StoreCorrupt(String),
    /// A fault of ours; the text goes to the log, not to the caller.
    Internal(String),
}

/// Why the user has to sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Interaction {
    /// Nobody is signed in to the application.
    NotSignedIn,
    /// The account has no refresh token that covers these scopes.
    NoGrant {
        /// The scopes asked for.
        scopes: String,
    },
    /// The provider refused the refresh token, or asks for the user.
    Provider(ProviderError),
}

impl From<Invalid> for DeskError {
    fn from(invalid: Invalid) -> Self {
        Self::InvalidRequest(invalid)
    }
}
