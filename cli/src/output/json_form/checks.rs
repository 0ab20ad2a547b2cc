//! The forms of `doctor` and `metrics`.

use serde::Serialize;
use token_broker_client::calls::Check;

/// `doctor`.
#[derive(Serialize)]
pub(crate) struct ChecksJson<'a> {
    pub(crate) checks: Vec<CheckJson<'a>>,
}

/// Something that was looked at.
#[derive(Serialize)]
pub(crate) struct CheckJson<'a> {
    name: &'a str,
    /// `ok`, `warning` or `problem`.
    state: &'static str,
    found: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<&'a str>,
}

/// `metrics`.
#[derive(Serialize)]
pub(crate) struct MetricsJson<'a> {
    /// The whole text.
    pub(crate) metrics: &'a str,
}

impl<'a> From<&'a Check> for CheckJson<'a> {
    fn from(check: &'a Check) -> Self {
        Self { name: &check.name, state: check.state.as_str(), found: &check.found, advice: check.advice.as_deref() }
    }
}

#[cfg(test)]
mod tests {
    use token_broker_client::calls::Check;

    use super::{CheckJson, ChecksJson};

    #[test]
    fn the_form_is_the_one_that_scripts_know() {
        let checks = [Check::ok("disk", "a"), Check::problem("key", "b", "c")];
        let form = ChecksJson { checks: checks.iter().map(CheckJson::from).collect() };
        assert_eq!(
            serde_json::to_string(&form).unwrap(),
            r#"{"checks":[{"name":"disk","state":"ok","found":"a"},{"name":"key","state":"problem","found":"b","advice":"c"}]}"#
        );
    }
}
