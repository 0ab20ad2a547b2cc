//! What an application is called: its name in the broker, and its client identifier at the provider (RFC 6749, section 2.2).

use std::fmt;

use crate::Invalid;

/// Name of an application in the broker: 1 to 64 of ASCII letters, digits, `.`, `_` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApplicationName(Box<str>);

impl ApplicationName {
    /// Reads a name; `field` is what the request calls it.
    pub fn parse(field: &'static str, text: &str) -> Result<Self, Invalid> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if (1..=64).contains(&text.len()) && text.chars().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(Invalid::new(field, "must be 1 to 64 letters, digits, '.', '_' or '-'"))
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ApplicationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Client identifier at the provider: 1 to 512 printable ASCII characters (RFC 6749, appendix A.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClientId(Box<str>);

impl ClientId {
    /// Reads a client identifier.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if (1..=512).contains(&text.len()) && text.bytes().all(|byte| (0x20..=0x7E).contains(&byte)) {
            Ok(Self(text.into()))
        } else {
            Err(Invalid::new("client_id", "must be 1 to 512 printable ASCII characters (RFC 6749, appendix A.1)"))
        }
    }

    /// One that stands in the code.
    pub(super) fn constant(text: &'static str) -> Self {
        Self(text.into())
    }

    /// The identifier.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
