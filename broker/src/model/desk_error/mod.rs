//! Why a desk's verb failed: a closed list that says what the caller can do now. `server` maps it to the wire, exhaustively.

mod meaning;

use std::time::Duration;

use token_broker_proto::{Account, Invalid, ProviderError, Reason};

pub use meaning::{Meaning, Next};

/// Why a verb failed. Its text is one sentence for people and says no more than the caller, or the provider, said itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeskError {
    /// A field breaks a rule.
    #[error("{0}")]
    InvalidRequest(Invalid),
    /// No such application; the text is what was asked for.
    #[error("no application {0} is registered")]
    ApplicationNotFound(String),
    /// The account that was named is not signed in to this application.
    #[error("the account {account} is not signed in to {application}")]
    AccountNotFound {
        /// What was asked for.
        account: String,
        /// Name of the application.
        application: String,
    },
    /// Several accounts are signed in and none was named.
    #[error("several accounts are signed in: name one")]
    AccountAmbiguous {
        /// Some of them.
        candidates: Vec<Account>,
    },
    /// The user has to sign in.
    #[error("{why}")]
    InteractionRequired {
        /// Name of the application.
        application: String,
        /// Why.
        why: Interaction,
    },
    /// The user said no.
    #[error("the sign-in was declined")]
    Declined(Option<Box<ProviderError>>),
    /// A sign-in or a device code ran out.
    #[error("the time for the sign-in is over and nothing was stored; start it again")]
    Expired,
    /// The caller gave up, or the daemon stops.
    #[error("the call was cancelled")]
    Cancelled,
    /// The provider answered with an error.
    #[error("the provider refused: {}", .0.error)]
    AuthorityRefused(Box<ProviderError>),
    /// The provider answered with something that cannot be used: HTML, another issuer's metadata, an ID token that does not
    /// hold...; the text says what.
    #[error("{0}")]
    AuthorityUnusable(String),
    /// The provider publishes another issuer than the one that is configured.
    #[error("{what}")]
    WrongIssuer {
        /// What was found, in a sentence.
        what: String,
        /// What to configure, if that would be accepted.
        published: Option<String>,
    },
    /// The provider cannot be reached or asks to wait.
    #[error("{what}")]
    AuthorityUnavailable {
        /// What happened, with its cause.
        what: String,
        /// HTTP `Retry-After`.
        retry_after: Option<Duration>,
        /// The provider's words, if it said any.
        provider: Option<Box<ProviderError>>,
    },
    /// The name is taken.
    #[error("{0} exists already")]
    AlreadyExists(String),
    /// The daemon, or the provider, cannot do this.
    #[error("{0}")]
    Unsupported(String),
    /// A limit was met; the text names it.
    #[error("the limit is reached: {0}")]
    LimitExceeded(String),
    /// The store is locked.
    #[error("the store is locked: {0}")]
    Locked(String),
    /// The store cannot be read or written now.
    #[error("the store is unavailable: {0}")]
    StoreUnavailable(String),
    /// A row of the store does not open; it is named.
    #[error("the store is damaged at {0}")]
    StoreCorrupt(String),
    /// A fault of ours; the text goes to the log, not to the caller.
    #[error("a fault of the daemon")]
    Internal(String),
}

/// Why the user has to sign in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Interaction {
    /// Nobody is signed in to the application.
    #[error("nobody is signed in")]
    NotSignedIn,
    /// The account has no refresh token that covers these scopes.
    #[error(
        "the signed-in account has no grant for these scopes, of which the provider may have granted fewer than were asked for"
    )]
    NoGrant {
        /// The scopes asked for.
        scopes: String,
    },
    /// The provider refused the refresh token, or asks for the user.
    #[error("the provider asks for a new sign-in: {}", .0.error)]
    Provider(Box<ProviderError>),
    /// The provider does not take the user assertion, or what came of it in a session: the client that sent it has to act.
    #[error("the provider does not let the application act on behalf of this user: {}", .0.error)]
    OnBehalfOf(Box<ProviderError>),
    /// The session was ended, or never began.
    #[error("no on-behalf-of session has this key")]
    NoSession,
    /// The answer to a refresh was lost on the way, and with it perhaps the next refresh token; now the provider refuses the one
    /// that is left.
    #[error(
        "the provider's answer to a refresh was lost on the way, and it takes the refresh token for used now ({}): nobody has \
         misused the account, but it needs a new sign-in", .0.error
    )]
    AnswerLost(Box<ProviderError>),
}

impl DeskError {
    /// The stable word for it.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::InvalidRequest(_) => Reason::InvalidRequest,
            Self::ApplicationNotFound(_) => Reason::ApplicationNotFound,
            Self::AccountNotFound { .. } => Reason::AccountNotFound,
            Self::AccountAmbiguous { .. } => Reason::AccountAmbiguous,
            Self::InteractionRequired { .. } => Reason::InteractionRequired,
            Self::Declined(_) => Reason::Declined,
            Self::Expired => Reason::Expired,
            Self::Cancelled => Reason::Cancelled,
            Self::AuthorityRefused(_) | Self::AuthorityUnusable(_) | Self::WrongIssuer { .. } => {
                Reason::AuthorityRefused
            }
            Self::AuthorityUnavailable { .. } => Reason::AuthorityUnavailable,
            Self::AlreadyExists(_) => Reason::AlreadyExists,
            Self::Unsupported(_) => Reason::Unsupported,
            Self::LimitExceeded(_) => Reason::LimitExceeded,
            Self::Locked(_) => Reason::Locked,
            Self::StoreUnavailable(_) => Reason::StoreUnavailable,
            Self::StoreCorrupt(_) => Reason::StoreCorrupt,
            Self::Internal(_) => Reason::Internal,
        }
    }
}

impl From<Invalid> for DeskError {
    fn from(invalid: Invalid) -> Self {
        Self::InvalidRequest(invalid)
    }
}
