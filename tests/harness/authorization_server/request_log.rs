//! What was asked: counts by endpoint and grant type, the latest request of each without its secrets, and an event for each
//! new one that a test can wait for.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Mutex,
};

use tokio::sync::watch;

use super::wire::Params;

/// A request as a test may see it; secrets are replaced by `[redacted]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// Parameters of query and form.
    pub parameters: BTreeMap<String, String>,
    /// Headers, by lower-case name; of `authorization` only the scheme.
    pub headers: BTreeMap<String, String>,
}

/// Parameters that are secrets.
const SECRETS: [&str; 10] = [
    "client_secret",
    "code",
    "code_verifier",
    "refresh_token",
    "device_code",
    "token",
    "password",
    "assertion",
    "subject_token",
    "client_assertion",
];

/// Counts and latest requests.
#[derive(Debug, Default)]
pub(super) struct RequestLog {
    latest: Mutex<HashMap<String, Seen>>,
    counts: watch::Sender<HashMap<String, usize>>,
    /// What was redacted, for a test that searches for it elsewhere.
    secrets: Mutex<BTreeSet<String>>,
}

/// Parameters that nobody else should see, though they are no secrets of the protocol: they tie a browser to its sign-in.
const TIES: [&str; 3] = ["state", "nonce", "code_challenge"];

impl RequestLog {
    /// Keeps the values of a request that are redacted.
    pub(super) fn keep_secrets(&self, parameters: &Params) {
        let secret = |(name, _): &&(String, String)| SECRETS.contains(&name.as_str()) || TIES.contains(&name.as_str());
        let values = parameters.0.iter().filter(secret).map(|(_, value)| value.clone());
        self.secrets.lock().unwrap().extend(values.filter(|value| !value.is_empty()));
    }

    /// All that were kept.
    pub(super) fn secrets(&self) -> BTreeSet<String> {
        self.secrets.lock().unwrap().clone()
    }

    /// Adds a request under each of its names, and wakes whoever waits for it.
    pub(super) fn add(&self, names: &[String], seen: &Seen) {
        let mut latest = self.latest.lock().unwrap();
        for name in names {
            latest.insert(name.clone(), seen.clone());
        }
        drop(latest);
        self.counts.send_modify(|counts| {
            for name in names {
                *counts.entry(name.clone()).or_default() += 1;
            }
        });
    }

    pub(super) fn count(&self, name: &str) -> usize {
        self.counts.borrow().get(name).copied().unwrap_or(0)
    }

    pub(super) async fn reached(&self, name: &str, times: usize) {
        let reached = |counts: &HashMap<String, usize>| counts.get(name).copied().unwrap_or(0) >= times;
        self.counts.subscribe().wait_for(reached).await.expect("the log holds its own sender");
    }

    pub(super) fn last(&self, name: &str) -> Option<Seen> {
        self.latest.lock().unwrap().get(name).cloned()
    }
}

impl Seen {
    pub(super) fn add_parameters(&mut self, parameters: &Params) {
        for (name, value) in &parameters.0 {
            let shown = if SECRETS.contains(&name.as_str()) { "[redacted]" } else { value };
            self.parameters.insert(name.clone(), shown.to_owned());
        }
    }

    pub(super) fn add_header(&mut self, name: &str, value: &str) {
        let shown = if name == "authorization" { value.split(' ').next().unwrap_or_default() } else { value };
        self.headers.insert(name.to_owned(), shown.to_owned());
    }
}
