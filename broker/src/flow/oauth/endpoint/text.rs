//! Foreign texts: made fit to be shown, checked against the grammar of tokens and codes (RFC 6749, appendix A), and compared.

use ring::digest::{SHA256, digest};

/// A foreign text that may stand in a message: control characters and marks that turn the direction of writing become
/// spaces, and what is longer than `limit` characters is cut.
pub(in crate::flow) fn readable(text: &str, limit: usize) -> String {
    let plain = |c: char| if c.is_control() || is_invisible(c) { ' ' } else { c };
    let mut shown: String = text.chars().take(limit).map(plain).collect();
    if text.chars().nth(limit).is_some() {
        shown.push('\u{2026}');
    }
    shown.trim().to_owned()
}

/// Line separators, zero-width characters and direction marks.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

/// Whether this is `1*VSCHAR` of RFC 6749, appendix A (tokens and codes), within the limit.
pub(in crate::flow) fn is_visible_ascii(text: &str, max_bytes: usize) -> bool {
    (1..=max_bytes).contains(&text.len()) && text.bytes().all(|byte| (0x20..=0x7E).contains(&byte))
}

/// Compares a secret with a foreign text by their hashes: how long that takes says nothing of where they differ.
pub(in crate::flow) fn same_text(ours: &str, theirs: &str) -> bool {
    digest(&SHA256, ours.as_bytes()).as_ref() == digest(&SHA256, theirs.as_bytes()).as_ref()
}

#[cfg(test)]
mod tests {
    use super::{is_visible_ascii, readable, same_text};

    #[test]
    fn what_a_terminal_would_obey_is_gone() {
        assert_eq!(readable("\u{1b}[31mred\r\nTrace\u{202e}x", 100), "[31mred  Trace x");
        assert_eq!(readable("\u{e9}\u{e9}\u{e9}", 2), "\u{e9}\u{e9}\u{2026}");
    }

    #[test]
    fn tokens_are_visible_ascii() {
        assert!(is_visible_ascii("a b~", 4));
        for bad in ["", "abcde", "a\n", "\u{e9}", "a\u{7f}"] {
            assert!(!is_visible_ascii(bad, 4), "{bad:?}");
        }
    }

    #[test]
    fn texts_are_the_same_or_not() {
        assert!(same_text("state", "state"));
        assert!(!same_text("state", "stat") && !same_text("state", ""));
    }
}
