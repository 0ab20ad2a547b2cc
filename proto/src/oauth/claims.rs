//! A claims request or claims challenge: a JSON object (OpenID Connect Core 1.0, section 5.5).

use crate::Invalid;

/// Longest claims object in bytes.
const MAX_BYTES: usize = 16 * 1024;

/// A JSON object of requested claims, in the text form it came in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Claims(Box<str>);

impl Claims {
    /// Reads a JSON object; an empty text is no claims.
    pub fn parse(text: &str) -> Result<Option<Self>, Invalid> {
        if text.is_empty() {
            return Ok(None);
        }
        if text.len() > MAX_BYTES {
            return Err(Invalid::new("claims", format!("at most {MAX_BYTES} bytes are allowed")));
        }
        match serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text) {
            Ok(_) => Ok(Some(Self(text.into()))),
            Err(_) => Err(Invalid::new("claims", "must be a JSON object (OpenID Connect Core 1.0, section 5.5)")),
        }
    }

    /// The JSON text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
