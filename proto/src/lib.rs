//! The contract of token-broker: the generated wire types of `token_broker.v1`, the words of the API as valid-by-construction
//! types, and the conversions between the two, each beside its word.
//!
//! It owns no behaviour: nothing here does input or output. `RefreshToken` and other private words are not here on purpose,
//! so that a client cannot name them.

pub mod account;
pub mod calls;
pub mod failure;
pub mod oauth;
pub mod reason;
pub mod secret;
pub mod wire;

pub use account::Account;
pub use failure::{Failure, ProviderError};
pub use reason::Reason;
pub use secret::Secret;

/// A field of a request that breaks a rule; nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {rule}")]
pub struct Invalid {
    /// Name of the field as in the `.proto` file.
    pub field: &'static str,
    /// The rule that it breaks, for people; never quotes a secret.
    pub rule: String,
}

impl Invalid {
    /// Names the field and the rule.
    pub fn new(field: &'static str, rule: impl Into<String>) -> Self {
        Self { field, rule: rule.into() }
    }
}
