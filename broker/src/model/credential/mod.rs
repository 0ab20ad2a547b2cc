//! How a client authenticates at the token endpoint (RFC 6749, section 2.3; RFC 7523): what is kept for it, and what of that is
//! shown in one request.

mod certificate;

use std::{path::PathBuf, sync::Arc};

use token_broker_proto::{Secret, oauth::ApplicationName};

pub use certificate::{Certificate, KeyKind, PrivateKey};

/// What a client is registered with.
#[derive(Debug, Clone)]
pub enum Credential {
    /// A public client: nothing.
    Public,
    /// A client secret (RFC 6749, section 2.3.1).
    Secret(Secret),
    /// A certificate, whose key signs client assertions (RFC 7523, section 2.2).
    Certificate(Arc<Certificate>),
    /// Client assertions that somebody else writes into this file; read again each time. Its path is absolute.
    AssertionFile(PathBuf),
    /// Client assertions that are the tokens of this other application, its own and no user's.
    AssertionFrom(ApplicationName),
}

/// What a client shows in one request.
#[derive(Debug, Clone)]
pub enum Presented {
    /// Nothing but its client id.
    Nothing,
    /// Its client secret (RFC 6749, section 2.3.1).
    Secret(Secret),
    /// A client assertion, a JWT (RFC 7523, section 2.2).
    Assertion(Secret),
}

impl Credential {
    /// Whether both are the same. Both are the owner's own: there is nobody to time the comparison.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Public, Self::Public) => true,
            (Self::Secret(one), Self::Secret(other)) => one.expose() == other.expose(),
            (Self::Certificate(one), Self::Certificate(other)) => one.is(other),
            (Self::AssertionFile(one), Self::AssertionFile(other)) => one == other,
            (Self::AssertionFrom(one), Self::AssertionFrom(other)) => one == other,
            (
                Self::Public | Self::Secret(_) | Self::Certificate(_) | Self::AssertionFile(_) | Self::AssertionFrom(_),
                _,
            ) => false,
        }
    }
}
