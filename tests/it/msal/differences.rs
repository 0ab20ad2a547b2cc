//! How the broker's requests differ from MSAL's in the same scenario, and the reviewed list of those that are meant
//! (tests/peers/msal/differences.toml): one that is not listed fails, and so does an entry that nothing needs any more.

use std::{cell::Cell, collections::BTreeSet, fmt};

use serde_json::Value;
use token_broker_tests::folder;

use super::{
    request::{Request, Requests},
    scenario::text_of,
};

/// A value that is not there.
const ABSENT: &str = "absent";

/// One parameter of one request that is not the same on both sides.
#[derive(Debug, Clone)]
pub(super) struct Difference {
    pub(super) request: String,
    pub(super) parameter: String,
    pub(super) msal: String,
    pub(super) broker: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { request, parameter, msal, broker } = self;
        write!(f, "{request} | {parameter} | MSAL: {msal} | broker: {broker}")
    }
}

/// An entry of the list; its texts may hold `*` for anything.
pub(super) struct Listed {
    pub(super) scenario: String,
    pub(super) request: String,
    pub(super) parameter: String,
    pub(super) msal: String,
    pub(super) broker: String,
    pub(super) reason: String,
    used: Cell<bool>,
}

impl Listed {
    /// The whole list.
    pub(super) fn all() -> Vec<Self> {
        let text = std::fs::read_to_string(folder("peers/msal/differences.toml")).expect("the list");
        let file: Value = toml::from_str(&text).expect("the list is TOML");
        let entries = file["difference"].as_array().expect("there are some").iter();
        let listed = |entry: &Value| {
            let text = |name: &str| text_of(entry, name).to_owned();
            let any = |name: &str| Some(text(name)).filter(|it| !it.is_empty()).unwrap_or_else(|| "*".to_owned());
            let reason = text("reason");
            assert!(
                !reason.is_empty() && entry.get("parameter").is_some(),
                "an entry without reason or parameter: {entry}"
            );
            Self {
                scenario: any("scenario"),
                request: any("request"),
                parameter: text("parameter"),
                msal: any("msal"),
                broker: any("broker"),
                reason,
                used: Cell::new(false),
            }
        };
        entries.map(listed).collect()
    }

    /// Whether it means this difference; remembers that it was needed.
    pub(super) fn means(&self, scenario: &str, difference: &Difference) -> bool {
        let pairs = [
            (&self.scenario, scenario),
            (&self.request, difference.request.as_str()),
            (&self.parameter, difference.parameter.as_str()),
            (&self.msal, difference.msal.as_str()),
            (&self.broker, difference.broker.as_str()),
        ];
        let means = pairs.into_iter().all(|(pattern, text)| fits(pattern, text));
        if means {
            self.used.set(true);
        }
        means
    }

    /// Whether nothing needed it.
    pub(super) fn is_unused(&self) -> bool {
        !self.used.get()
    }
}

/// Whether a text fits a pattern in which `*` stands for anything.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(start) else { return false };
    text.char_indices()
        .map(|(place, _)| place)
        .chain([text.len()])
        .any(|place| fits(rest, text.get(place..).unwrap_or_default()))
}

/// All differences of the requests of one scenario.
pub(super) fn between(msal: &Requests, broker: &Requests) -> Vec<Difference> {
    let mut found = Vec::new();
    for (theirs, ours) in aligned(&msal.exchanges, &broker.exchanges) {
        match (theirs, ours) {
            (Some(theirs), Some(ours)) => in_parameters(theirs, ours, &mut found),
            (theirs, ours) => found.extend(one_sided(theirs, ours)),
        }
    }
    for only in msal.metadata.difference(&broker.metadata) {
        found.extend(one_sided(Some(only), None));
    }
    for only in broker.metadata.difference(&msal.metadata) {
        found.extend(one_sided(None, Some(only)));
    }
    found
}

fn in_parameters(theirs: &Request, ours: &Request, found: &mut Vec<Difference>) {
    let names: BTreeSet<_> = theirs.parameters.keys().chain(ours.parameters.keys()).collect();
    for name in names {
        let value = |request: &Request| request.parameters.get(name).cloned().unwrap_or_else(|| ABSENT.to_owned());
        let (msal, broker) = (value(theirs), value(ours));
        if msal != broker {
            found.push(Difference { request: theirs.kind.clone(), parameter: name.clone(), msal, broker });
        }
    }
}

/// A request that only one side made.
fn one_sided(theirs: Option<&Request>, ours: Option<&Request>) -> Option<Difference> {
    let asked = |request: &Request| {
        let query = request.parameters.iter().filter(|(name, _)| !name.starts_with(['(', 'h']));
        let query: Vec<_> = query.map(|(name, value)| format!("{name}={value}")).collect();
        format!("{} {}", request.url(), query.join("&")).trim_end().to_owned()
    };
    let request = theirs.or(ours)?.kind.clone();
    let text = |side: Option<&Request>| side.map_or_else(|| ABSENT.to_owned(), asked);
    Some(Difference { request, parameter: "(request)".to_owned(), msal: text(theirs), broker: text(ours) })
}

/// Pairs requests of the same kind in their order; what has no partner stands alone.
fn aligned<'a>(theirs: &'a [Request], ours: &'a [Request]) -> Vec<(Option<&'a Request>, Option<&'a Request>)> {
    match (theirs.split_first(), ours.split_first()) {
        (None, None) => Vec::new(),
        (Some((first, rest)), Some((other, others))) if first.kind == other.kind => {
            [(Some(first), Some(other))].into_iter().chain(aligned(rest, others)).collect()
        }
        (Some((first, rest)), ours_left) => {
            let theirs_left_out = [(Some(first), None)].into_iter().chain(aligned(rest, ours)).collect::<Vec<_>>();
            let Some((other, others)) = ours_left else { return theirs_left_out };
            let ours_left_out = [(None, Some(other))].into_iter().chain(aligned(theirs, others)).collect::<Vec<_>>();
            if ours_left_out.len() < theirs_left_out.len() { ours_left_out } else { theirs_left_out }
        }
        (None, Some((other, others))) => [(None, Some(other))].into_iter().chain(aligned(theirs, others)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, text) in [("*", ""), ("a*c", "abc"), ("a*c*", "ac"), ("*b", "bb"), ("x", "x")] {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("", "x"), ("a*c", "ab"), ("x", "xy"), ("*.y", "xy")] {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
    }
}
