//! `status`: the health of the daemon and of its store.

use std::time::Duration;

use token_broker_client::calls::DaemonStatus;

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
        output::line(&table::facts(facts(status)))?;
    }
    Ok(Exit::Done)
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
