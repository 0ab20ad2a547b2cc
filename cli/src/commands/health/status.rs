//! `status`: the health of the daemon and of its store.

use std::time::Duration;

use token_broker_client::{
    calls::{DaemonStatus, GrantHealth},
    oauth::UnixTime,
};

use super::Session;
use crate::{
    failure::{Exit, Failed},
    output::{self, json_form::StatusJson, table, time},
};

/// Asks and prints.
pub(crate) async fn run(session: &Session) -> Result<Exit, Failed> {
    let status = session.client()?.status().await?;
    let output = session.output;
    if output.is_json() {
        output::json(&StatusJson::from(&status))?;
    } else {
        let grants = grants(&status, time::now());
        output::line(&table::facts(facts(status)))?;
        if let Some(grants) = grants {
            output::line("")?;
            output::line(&grants)?;
        }
    }
    Ok(Exit::Done)
}

/// A line for each grant, and how many there are besides.
fn grants(status: &DaemonStatus, now: UnixTime) -> Option<String> {
    if status.grants.is_empty() {
        return None;
    }
    let rows = status.grants.iter().map(|grant| {
        let state = match (grant.health, grant.backoff_until) {
            (GrantHealth::Live, _) | (GrantHealth::BackingOff, None) => "live".to_owned(),
            (GrantHealth::BackingOff, Some(until)) => format!("backing off, {} left", time::span(until.since(now))),
            (GrantHealth::SignInNeeded, _) => "sign-in needed".to_owned(),
        };
        let token = grant.valid_until.map_or_else(|| "none".to_owned(), |until| time::expiry(until, now));
        let renewal = grant.next_renewal.map_or_else(String::new, |on| time::expiry(on.max(now), now));
        let failure = grant.last_failure.as_ref();
        let said = failure.map_or_else(String::new, |failure| {
            let error = failure.error.as_ref().map(|error| format!(" {error}")).unwrap_or_default();
            format!("{} ago: {}{error}", time::span(now.since(failure.on)), failure.reason.as_str())
        });
        let id = failure.map_or_else(String::new, |failure| failure.correlation_id.clone());
        let account = &grant.account;
        [account.label().to_owned(), account.application.clone(), state, token, renewal, said, id]
    });
    let header = ["ACCOUNT", "APPLICATION", "STATE", "TOKEN ENDS", "RENEWED", "LAST FAILURE", "CORRELATION ID"];
    let table = table::rows(header, rows);
    let listed = i64::try_from(status.grants.len()).unwrap_or(i64::MAX);
    let more = status.counts.refresh_tokens.saturating_sub(listed);
    Some(if more > 0 { format!("{table}\nand {more} more") } else { table })
}

/// Of a locked store nothing can be counted.
fn facts(status: DaemonStatus) -> Vec<(&'static str, String)> {
    let uptime = Duration::from_secs(u64::try_from(status.uptime_seconds).unwrap_or(0));
    let is_open = status.lock_reason.is_none();
    let store = status.lock_reason.map_or_else(|| "open".to_owned(), |reason| format!("locked: {reason}"));
    let counts = status.counts;
    let mut facts = vec![
        ("daemon", format!("token-brokerd {}, process {}, up for {}", status.version, status.pid, time::span(uptime))),
        ("socket", status.socket),
        ("data", status.data_dir),
        ("store", store),
        ("key", status.key_source),
    ];
    if is_open {
        facts.extend([
            ("applications", counts.applications.to_string()),
            ("accounts", counts.accounts.to_string()),
            ("tokens", format!("{} access, {} refresh", counts.access_tokens, counts.refresh_tokens)),
        ]);
    }
    facts.extend(status.notices.into_iter().map(|notice| ("notice", notice)));
    facts
}
