//! What sets apart the tokens of one client, user and tenant beyond their scopes, as one text (`TokenPartition::extra`). The form
//! is the extended cache key of Microsoft's libraries, so that what they cached for the same request is found; whatever goes in,
//! a user assertion for one, is only hashed.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::digest::{Context, SHA256};

/// The key of these parts, each with its name; empty when there is none. The order does not matter.
#[must_use]
pub fn cache_key(parts: &[(&str, &str)]) -> String {
    if parts.is_empty() {
        return String::new();
    }
    let mut sorted = parts.to_vec();
    sorted.sort_unstable();
    let mut hash = Context::new(&SHA256);
    for text in sorted.into_iter().flat_map(|(name, value)| [name, value]) {
        // With its length before it, no two lists read the same.
        hash.update(format!("{}:", text.len()).as_bytes());
        hash.update(text.as_bytes());
    }
    URL_SAFE_NO_PAD.encode(hash.finish()).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::cache_key;

    #[test]
    fn it_is_the_key_of_msal() {
        // Made by `_compute_ext_cache_key` of MSAL Python 1.39.0.
        for (parts, key) in [
            (vec![("fmi_path", "a/b")], "ov4rzjppsoorvfirec6knwpq_ewdthx-s92gexiklps"),
            (vec![("fmi_path", "a/b"), ("client_claims", r#"{"a":1}"#)], "wg_rbk_cuheqqmcwwn0kfqticijcntvcrezdrwpn9zq"),
        ] {
            assert_eq!(cache_key(&parts), key);
            assert_eq!(cache_key(&parts.into_iter().rev().collect::<Vec<_>>()), key);
        }
    }

    #[test]
    fn nothing_reads_like_something_else() {
        assert_eq!(cache_key(&[]), "");
        let keys = [
            cache_key(&[("a", "bc")]),
            cache_key(&[("ab", "c")]),
            cache_key(&[("a", "b"), ("c", "")]),
            cache_key(&[("a", ""), ("b", "c")]),
        ];
        for (number, key) in keys.iter().enumerate() {
            assert!(!keys.iter().skip(number + 1).any(|other| other == key), "{number}");
        }
    }
}
