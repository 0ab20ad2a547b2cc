//! The correlation id: a UUID that names one call in our log and at the provider (`client-request-id`).

use std::fmt;

use uuid::{Builder, Uuid};

use crate::Invalid;

/// Names one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CorrelationId(Uuid);

impl CorrelationId {
    /// Reads a UUID; an empty text is none.
    pub fn parse(text: &str) -> Result<Option<Self>, Invalid> {
        if text.is_empty() {
            return Ok(None);
        }
        match Uuid::try_parse(text) {
            Ok(uuid) => Ok(Some(Self(uuid))),
            Err(_) => Err(Invalid::new("correlation_id", "must be a UUID")),
        }
    }

    /// A version 4 UUID of these random bytes (RFC 9562, section 5.4).
    #[must_use]
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(Builder::from_random_bytes(bytes).into_uuid())
    }
}

impl fmt::Display for CorrelationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
