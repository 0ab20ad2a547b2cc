//! The region of Azure whose token endpoint an application asks for its own tokens, so that a fault elsewhere does not reach it. A
//! name is a label of DNS (RFC 1123, section 2.1) that begins with a letter, as MSAL has it.

use std::fmt;

use crate::Invalid;

/// The word for a region that is looked for.
const AUTO: &str = "auto";

/// A region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Region {
    /// The one that the machine is in, if it is in one.
    Auto,
    /// This one, such as `westus2`.
    Named(String),
}

impl Region {
    /// Reads `auto` or the name of a region.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        match text {
            AUTO => Ok(Self::Auto),
            name if is_region_name(name) => Ok(Self::Named(name.to_owned())),
            _ => {
                let rule = "must be auto, or the name of a region such as westus2: small letters, digits and hyphens";
                Err(Invalid::new("region", rule))
            }
        }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => AUTO,
            Self::Named(name) => name,
        })
    }
}

/// Whether this can be the name of a region: it becomes the first label of a host.
#[must_use]
pub fn is_region_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    text.len() <= 63
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(allowed)
        && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::Region;

    #[test]
    fn a_region_is_a_label_of_a_host() {
        for name in ["westus2", "a", "usgov-virginia", "auto"] {
            assert_eq!(Region::parse(name).map(|region| region.to_string()).as_deref(), Ok(name));
        }
        let long = "a".repeat(64);
        for name in ["", "WestUS2", "2west", "-west", "west-", "west us", "evil.example/", "west.us", &long] {
            assert!(Region::parse(name).is_err(), "{name:?}");
        }
    }
}
