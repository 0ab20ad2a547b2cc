//! `cache list|show|remove|import-msal|verify`. Tokens are shown as type, scopes, expiry and fingerprint, never whole.

mod import;

use token_broker_client::{
    Account,
    calls::{CacheEntry, CacheEntryId},
    oauth::{ApplicationName, UnixTime},
};

use super::Session;
use crate::{
    arguments::cache::CacheCommand,
    failure::{Exit, Failed},
    output::{
        self,
        json_form::{EntriesJson, EntryJson, EntryRemovedJson, VerificationJson},
        table, time, visible,
    },
};

/// Runs the command.
pub(super) async fn run(session: &Session, command: CacheCommand) -> Result<Exit, Failed> {
    match command {
        CacheCommand::List { app } => list(session, app.as_ref()).await,
        CacheCommand::Show { id } => show(session, id).await,
        CacheCommand::Remove { id } => remove(session, id).await,
        CacheCommand::ImportMsal { file, app, dry_run } => import::run(session, &file, &app, dry_run).await,
        CacheCommand::Verify => verify(session).await,
    }
}

async fn list(session: &Session, application: Option<&ApplicationName>) -> Result<Exit, Failed> {
    let entries = session.client()?.cache_entries(application).await?;
    let output = session.output;
    if output.is_json() {
        output::json(&EntriesJson::from(entries.as_slice()))?;
    } else if entries.is_empty() {
        let name = application.map_or("APP", ApplicationName::as_str);
        output.note(&format!("the cache is empty\ntry: broker-cli login {name}"));
    } else {
        let now = time::now();
        let rows = entries.into_iter().map(|entry| {
            [
                entry.id.to_string(),
                kind(&entry),
                entry.application.clone().unwrap_or_default(),
                whose(entry.account.as_ref()),
                entry.scopes.join(" "),
                expiry(&entry, now),
                entry.fingerprint,
            ]
        });
        let header = ["ID", "KIND", "APPLICATION", "ACCOUNT", "SCOPES", "EXPIRES", "FINGERPRINT"];
        output::line(&table::rows(header, rows))?;
    }
    Ok(Exit::Done)
}

/// What it is; of a token that is bound to a key its type, too.
fn kind(entry: &CacheEntry) -> String {
    let kind = entry.id.kind.as_str();
    match (&entry.key_id, &entry.token_type) {
        (Some(_), Some(token_type)) => format!("{kind} {token_type}"),
        _ => kind.to_owned(),
    }
}

async fn show(session: &Session, id: CacheEntryId) -> Result<Exit, Failed> {
    let entry = session.client()?.cache_entry(id).await?;
    let output = session.output;
    if output.is_json() {
        output::json(&EntryJson::from(&entry))?;
    } else {
        output::line(&table::facts(facts(entry, time::now())))?;
    }
    Ok(Exit::Done)
}

fn facts(entry: CacheEntry, now: UnixTime) -> impl Iterator<Item = (&'static str, String)> {
    let account = whose(entry.account.as_ref());
    let expires = expiry(&entry, now);
    let facts = [
        ("id", entry.id.to_string()),
        ("kind", entry.id.kind.as_str().to_owned()),
        ("application", entry.application.unwrap_or_default()),
        ("client id", entry.client_id),
        ("account", account),
        ("environment", entry.environment),
        ("scopes", entry.scopes.join(" ")),
        ("token type", entry.token_type.unwrap_or_default()),
        ("key id", entry.key_id.unwrap_or_default()),
        ("expires", expires),
        ("rotation", entry.generation.map(|generation| generation.to_string()).unwrap_or_default()),
        ("fingerprint", entry.fingerprint),
    ];
    facts.into_iter().filter(|(_, fact)| !fact.is_empty())
}

async fn remove(session: &Session, id: CacheEntryId) -> Result<Exit, Failed> {
    session.client()?.remove_cache_entry(id).await?;
    let output = session.output;
    if output.is_json() {
        output::json(&EntryRemovedJson { removed: id.to_string() })?;
    } else {
        output::line(&format!("Removed {id}"))?;
    }
    Ok(Exit::Done)
}

async fn verify(session: &Session) -> Result<Exit, Failed> {
    let verification = session.client()?.verify_cache().await?;
    let output = session.output;
    let is_sound = verification.problems.is_empty();
    if output.is_json() {
        output::json(&VerificationJson::from(&verification))?;
    } else {
        let verdict = if is_sound { "all is well" } else { "damaged:" };
        output::line(&format!("Checked {} rows: {verdict}", verification.rows_checked))?;
        for problem in &verification.problems {
            output::line(&format!("  {}", visible(problem)))?;
        }
    }
    Ok(if is_sound { Exit::Done } else { Exit::StoreDamaged })
}

fn whose(account: Option<&Account>) -> String {
    account.map_or_else(|| "(the application)".to_owned(), |account| account.label().to_owned())
}

fn expiry(entry: &CacheEntry, now: UnixTime) -> String {
    entry.expires_on.map(|at| time::expiry(at, now)).unwrap_or_default()
}
