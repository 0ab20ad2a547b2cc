//! `cache import-msal`. The file is read twice: first only to look, so that one that is damaged changes nothing.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use token_broker_client::{
    Invalid,
    calls::{ImportReport, ImportedKind},
    oauth::ApplicationName,
};

use super::Session;
use crate::{
    failure::{Exit, Failed},
    output::{
        self,
        json_form::{ImportJson, ImportedJson, LeftOutJson},
        table,
    },
};

/// Bytes sent at once.
const PIECE: usize = 128 * 1024;

/// Imports and tells what was taken.
pub(super) async fn run(
    session: &Session,
    path: &Path,
    application: &ApplicationName,
    dry_run: bool,
) -> Result<Exit, Failed> {
    let mut report = pass(session, path, application, true).await?;
    if !dry_run {
        report = pass(session, path, application, false).await?;
    }
    let output = session.output;
    if output.is_json() {
        output::json(&form(&report, dry_run))?;
        return Ok(Exit::Done);
    }
    output::line(&summary(&report, dry_run))?;
    if !report.left_out.is_empty() {
        let rows = report.left_out.iter();
        let rows = rows.map(|left| [left.kind.as_str().to_owned(), left.count.to_string(), left.why.clone()]);
        output::line(&table::rows(["LEFT OUT", "COUNT", "WHY"], rows))?;
    }
    let accounts = count(&report, ImportedKind::Account);
    if accounts > 0 && !dry_run {
        output.note(&format!("try: broker-cli token {application}"));
    }
    Ok(Exit::Done)
}

async fn pass(
    session: &Session,
    path: &Path,
    application: &ApplicationName,
    dry_run: bool,
) -> Result<ImportReport, Failed> {
    let unreadable = |error: &io::Error| Invalid::new("FILE", format!("{} cannot be read: {error}", path.display()));
    let file = File::open(path).map_err(|error| unreadable(&error))?;
    let broken = Arc::new(Mutex::new(None));
    let pieces = Pieces { file, broken: Arc::clone(&broken) };
    let report = session.client()?.import_msal_cache(application, dry_run, pieces).await;
    if let Some(error) = broken.lock().unwrap_or_else(PoisonError::into_inner).take() {
        return Err(unreadable(&error).into());
    }
    Ok(report?)
}

/// The file in pieces; ends where reading fails, and keeps why.
struct Pieces {
    file: File,
    broken: Arc<Mutex<Option<io::Error>>>,
}

impl Iterator for Pieces {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut piece = Vec::new();
        match (&mut self.file).take(PIECE as u64).read_to_end(&mut piece) {
            Ok(0) => None,
            Ok(_) => Some(piece),
            Err(error) => {
                *self.broken.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                None
            }
        }
    }
}

fn count(report: &ImportReport, kind: ImportedKind) -> u64 {
    report.taken.get(&kind).copied().unwrap_or(0)
}

fn summary(report: &ImportReport, dry_run: bool) -> String {
    let did = if dry_run { "Would import" } else { "Imported" };
    let taken = ImportedKind::ALL.map(|kind| {
        let n = count(report, kind);
        let noun = match kind {
            ImportedKind::Account => "account",
            ImportedKind::AccessToken => "access token",
            ImportedKind::RefreshToken => "refresh token",
            ImportedKind::IdToken => "ID token",
        };
        format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
    });
    let known = match report.known {
        0 => String::new(),
        known => format!("; {known} known already"),
    };
    format!("{did} {}{known}", taken.join(", "))
}

fn form(report: &ImportReport, dry_run: bool) -> ImportJson<'_> {
    let left_out = report.left_out.iter();
    ImportJson {
        dry_run,
        imported: ImportedJson {
            accounts: count(report, ImportedKind::Account),
            access_tokens: count(report, ImportedKind::AccessToken),
            refresh_tokens: count(report, ImportedKind::RefreshToken),
            id_tokens: count(report, ImportedKind::IdToken),
        },
        already_there: report.known,
        left_out: left_out
            .map(|left| LeftOutJson { kind: left.kind.as_str(), why: &left.why, count: left.count })
            .collect(),
    }
}
