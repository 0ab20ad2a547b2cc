//! `Diagnose`: what was looked at, how it is, and what to do.

use super::given;
use crate::wire::v1;

/// How something is that was looked at; the worst is the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CheckState {
    /// All is well.
    Ok,
    /// It works, and somebody should look at it.
    Warning,
    /// Something does not work.
    Problem,
}

impl CheckState {
    /// The word of the JSON output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

/// Something that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was looked at, a word for programs.
    pub name: String,
    /// How it is.
    pub state: CheckState,
    /// What was found, for people.
    pub found: String,
    /// What to do.
    pub advice: Option<String>,
}

impl Check {
    /// All is well.
    #[must_use]
    pub fn ok(name: &str, found: impl Into<String>) -> Self {
        Self { name: name.to_owned(), state: CheckState::Ok, found: found.into(), advice: None }
    }

    /// It works, and somebody should look at it.
    #[must_use]
    pub fn warning(name: &str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { state: CheckState::Warning, advice: Some(advice.into()), ..Self::ok(name, found) }
    }

    /// Something does not work.
    #[must_use]
    pub fn problem(name: &str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { state: CheckState::Problem, advice: Some(advice.into()), ..Self::ok(name, found) }
    }
}

impl From<Check> for v1::Check {
    fn from(check: Check) -> Self {
        let state = match check.state {
            CheckState::Ok => v1::CheckState::Ok,
            CheckState::Warning => v1::CheckState::Warning,
            CheckState::Problem => v1::CheckState::Problem,
        };
        let advice = check.advice.unwrap_or_default();
        Self { name: check.name, state: state.into(), found: check.found, advice }
    }
}

impl From<v1::Check> for Check {
    fn from(wire: v1::Check) -> Self {
        let state = match wire.state() {
            v1::CheckState::Ok => CheckState::Ok,
            // A newer daemon's word for something between the two that are known here.
            v1::CheckState::Unspecified | v1::CheckState::Warning => CheckState::Warning,
            v1::CheckState::Problem => CheckState::Problem,
        };
        Self { name: wire.name, state, found: wire.found, advice: given(wire.advice) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Check, CheckState};
    use crate::wire::v1;

    #[test]
    fn a_check_reads_back() {
        for check in [Check::ok("a", "b"), Check::warning("a", "b", "c"), Check::problem("a", "b", "c")] {
            assert_eq!(Check::from(v1::Check::from(check.clone())), check);
        }
        assert!(CheckState::Ok < CheckState::Warning && CheckState::Warning < CheckState::Problem);
    }
}
