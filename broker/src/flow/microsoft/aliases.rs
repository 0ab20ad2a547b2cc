//! shim
/// x
#[must_use]
pub fn is_alias(one: &str, other: &str) -> bool { one.eq_ignore_ascii_case(other) }
