//! The words of requests as people and programs write them: scopes, authorities, claims, names, ids.

use token_broker_client::{
    Invalid,
    calls::{CacheEntryId, redirect_uri},
    oauth::{ApplicationName, Authority, Claims, ClientId, CorrelationId, PublicKey, ScopeSet},
};

use crate::exchange::assert_showable;

/// One text, read as each of them.
pub(crate) fn words(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    scopes(text);
    authority(text, Authority::from_issuer, Authority::from_issuer);
    authority(text, Authority::from_url, Authority::from_url);
    authority(text, Authority::from_tenant, Authority::from_url);
    if let Ok(Some(id)) = CorrelationId::parse(text) {
        assert_eq!(CorrelationId::parse(&id.to_string()), Ok(Some(id)));
    }
    if let Ok(Some(claims)) = Claims::parse(text) {
        assert_eq!(claims.as_str(), text);
    }
    if let Ok(id) = text.parse::<CacheEntryId>() {
        assert_eq!(id.to_string().parse(), Ok(id));
    }
    assert!(ApplicationName::parse("application", text).is_ok_and(|name| name.as_str() == text) || !is_name(text));
    assert!(ClientId::parse(text).is_ok_and(|id| id.as_str() == text) || text.len() > 512 || !is_printable(text));
    if let Ok(uri) = redirect_uri(text.to_owned()) {
        let kept = uri.to_ascii_lowercase();
        assert!(uri == text && (kept.starts_with("http:") || kept.starts_with("https:")));
    }
}

/// A public key of a caller, in either form. What is refused may be a private key, so nothing of it is said.
pub(crate) fn public_key(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match PublicKey::parse(text) {
        Ok(key) => {
            let canonical = key.canonical_jwk();
            assert_eq!(PublicKey::parse(&canonical), Ok(key));
            assert!(!canonical.contains("\"d\""), "a private member is kept");
        }
        Err(invalid) => {
            assert_showable(&invalid.rule);
            let words = text.split_ascii_whitespace().filter(|word| word.len() > 24);
            words.for_each(|word| assert!(!invalid.rule.contains(word), "what was given is repeated"));
        }
    }
}

fn scopes(text: &str) {
    let Ok(set) = ScopeSet::parse([text]) else { return };
    assert_eq!(ScopeSet::parse([set.to_string().as_str()]).as_ref(), Ok(&set));
    assert!(set.is_covered_by(&set) && set.without_reserved().is_covered_by(&set));
    assert!(set.iter().all(|scope| set.contains(scope.as_str())));
}

type Reader = fn(&str) -> Result<Authority, Invalid>;

/// What one reader made of the text is shown as a text that the other one reads as the same.
fn authority(text: &str, read: Reader, again: Reader) {
    match read(text) {
        Ok(authority) => {
            assert_showable(&authority.to_string());
            assert_eq!(again(&authority.to_string()), Ok(authority));
        }
        Err(invalid) => assert_showable(&invalid.to_string()),
    }
}

fn is_name(text: &str) -> bool {
    let named = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(named)
}

fn is_printable(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| (0x20..=0x7E).contains(&byte))
}
