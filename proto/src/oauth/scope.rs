//! Scopes (RFC 6749, section 3.3): one scope, and a set of them. Case-sensitive, sorted, without repeats.

use std::fmt;

use crate::Invalid;

/// Longest scope in bytes.
const MAX_SCOPE_BYTES: usize = 1024;
/// Most scopes in a set.
const MAX_SCOPES: usize = 256;
/// Scopes that ask for kinds of tokens or claims and not for access; they take no part in matching (OpenID Connect Core 1.0).
const RESERVED: [&str; 3] = ["openid", "profile", "offline_access"];

/// One scope: printable ASCII without space, `"` and `\`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(Box<str>);

impl Scope {
    fn parse(text: &str) -> Result<Self, Invalid> {
        let allowed = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E);
        if text.len() > MAX_SCOPE_BYTES {
            return Err(Invalid::new("scopes", format!("a scope is at most {MAX_SCOPE_BYTES} bytes long")));
        }
        if text.bytes().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(Invalid::new(
                "scopes",
                format!("{text:?} has a character that RFC 6749, section 3.3 does not allow in a scope"),
            ))
        }
    }

    /// The scope as sent on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is `openid`, `profile` or `offline_access`.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        RESERVED.contains(&&*self.0)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A set of scopes. Its text form is sorted and joined by spaces.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ScopeSet(Vec<Scope>);

impl ScopeSet {
    /// Reads scopes; each text may hold several, separated by spaces.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, Invalid> {
        let mut scopes = Vec::new();
        for word in texts.into_iter().flat_map(|text| text.split(' ')).filter(|word| !word.is_empty()) {
            if scopes.len() == MAX_SCOPES {
                return Err(Invalid::new("scopes", format!("at most {MAX_SCOPES} scopes are allowed")));
            }
            scopes.push(Scope::parse(word)?);
        }
        Ok(scopes.into_iter().collect())
    }

    /// The `openid` scope alone.
    #[must_use]
    pub fn openid() -> Self {
        Self(vec![Scope("openid".into())])
    }

    /// The scopes, ascending.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this very scope is in the set.
    #[must_use]
    pub fn contains(&self, scope: &str) -> bool {
        self.0.binary_search_by(|own| own.as_str().cmp(scope)).is_ok()
    }

    /// The scopes that take part in matching: all but the reserved ones.
    #[must_use]
    pub fn without_reserved(&self) -> Self {
        Self(self.0.iter().filter(|scope| !scope.is_reserved()).cloned().collect())
    }

    /// Whether every scope that takes part in matching is among the granted ones.
    #[must_use]
    pub fn is_covered_by(&self, granted: &Self) -> bool {
        self.iter().filter(|scope| !scope.is_reserved()).all(|scope| granted.contains(scope.as_str()))
    }

    /// This set and one scope more.
    #[must_use]
    pub fn with(&self, scope: &'static str) -> Self {
        self.0.iter().cloned().chain([Scope(scope.into())]).collect()
    }

    /// The scopes as texts, for the wire.
    #[must_use]
    pub fn to_strings(&self) -> Vec<String> {
        self.0.iter().map(|scope| scope.0.to_string()).collect()
    }
}

impl FromIterator<Scope> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        let mut scopes: Vec<Scope> = scopes.into_iter().collect();
        scopes.sort_unstable();
        scopes.dedup();
        Self(scopes)
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope.as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::ScopeSet;

    fn set(text: &str) -> ScopeSet {
        ScopeSet::parse([text]).unwrap_or_default()
    }

    #[test]
    fn reserved_scopes_take_no_part_in_matching() {
        assert!(set("openid offline_access User.Read").is_covered_by(&set("User.Read Mail.Read")));
        assert!(!set("user.read").is_covered_by(&set("User.Read")));
    }

    #[test]
    fn characters_outside_the_rfc_are_refused() {
        for bad in ["a\"b", "a\\b", "caf\u{e9}", "a\tb"] {
            assert!(ScopeSet::parse([bad]).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn text_form_reads_back(words in proptest::collection::vec("[!-~&&[^\"\\\\]]{1,12}", 0..12)) {
            let first = set(&words.join(" "));
            prop_assert_eq!(&set(&first.to_string()), &first);
            prop_assert!(first.is_covered_by(&first));
        }

        #[test]
        fn a_union_covers_its_parts_and_covering_is_a_subset(
            one in proptest::collection::vec("[a-e]", 0..6),
            other in proptest::collection::vec("[a-e]", 0..6),
        ) {
            let (one, other) = (set(&one.join(" ")), set(&other.join("  ")));
            let union: ScopeSet = one.iter().chain(other.iter()).cloned().collect();
            prop_assert!(one.is_covered_by(&union) && other.is_covered_by(&union));
            prop_assert_eq!(&union, &other.iter().chain(one.iter()).cloned().collect());
            let subset = one.iter().all(|scope| other.contains(scope.as_str()));
            prop_assert_eq!(one.is_covered_by(&other), subset);
            prop_assert_eq!(union == other, subset);
        }

        #[test]
        fn any_text_is_a_set_or_refused(text in "\\PC{0,40}") {
            if let Ok(set) = ScopeSet::parse([text.as_str()]) {
                prop_assert!(set.iter().all(|scope| text.split(' ').any(|word| word == scope.as_str())));
            }
        }
    }
}
