//! The one type of everything secret: tokens, client secrets, codes. Wiped from memory when dropped, never printed, never
//! compared; [`Secret::expose`] is the only way to its text, so a search for that word is the list of places to audit.

use std::fmt;

use zeroize::optimization_barrier;

/// A text that must not be seen.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Takes the text over.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself. Do not log it, print it or put it into an error.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is no text at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Drop for Secret {
    /// Wiped in one sweep: byte by byte, as `zeroize` does it, was a fifth of the cost of a cached token.
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.0).into_bytes();
        let capacity = bytes.capacity();
        bytes.clear();
        bytes.resize(capacity, 0);
        optimization_barrier(bytes.as_slice());
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn debug_shows_nothing_of_the_text() {
        let shown = format!("{:?} {:#?}", Secret::new("s3cr3t"), Some(Secret::new("s3cr3t")));
        assert!(!shown.contains("s3cr3t") && shown.contains("[redacted]"), "{shown}");
    }
}
