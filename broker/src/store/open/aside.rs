//! Keeping a database that cannot be used: it is moved, with its journal, beside its place under a name that says when, and
//! is never removed. Owns those names and the notices about them. What cannot be used is for `open` to decide.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use token_broker_proto::oauth::UnixTime;

use crate::store::{error::StartError, folder::DataFolder};

/// How the names of databases that are kept aside begin.
const MARK: &str = "cache.db.damaged-";
/// SQLite's own files beside a database.
const JOURNAL: [&str; 2] = ["-wal", "-shm"];

/// Moves the database and its journal aside; the name that it has now.
pub(super) fn keep(folder: &DataFolder, now: UnixTime) -> Result<PathBuf, StartError> {
    let (from, to) = (folder.database(), free_name(folder.path(), now));
    // The database first: a journal that a crash leaves behind alone is kept by the next start.
    for suffix in ["", "-wal", "-shm"] {
        let (from, to) = (suffixed(&from, suffix), suffixed(&to, suffix));
        match fs::rename(&from, &to) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(StartError::Io { path: from, source });
            }
            _ => {}
        }
    }
    folder.sync()?;
    Ok(to)
}

/// A sentence for each database that is kept aside, for as long as it is there.
pub(in crate::store) fn notices(folder: &DataFolder) -> Vec<String> {
    let names = fs::read_dir(folder.path()).into_iter().flatten().flatten();
    let names = names.filter_map(|entry| entry.file_name().into_string().ok()).filter(|name| name.starts_with(MARK));
    let kept: BTreeSet<String> = names.map(|name| JOURNAL.iter().fold(name, |name, end| without(name, end))).collect();
    let told = |name: String| {
        let path = folder.path().join(name);
        format!(
            "a token cache that could not be used is kept at {}: a new one was begun, so its users and applications are \
             not known here. Remove that file when nobody needs it",
            path.display()
        )
    };
    kept.into_iter().map(told).collect()
}

fn without(name: String, end: &str) -> String {
    name.strip_suffix(end).map(str::to_owned).unwrap_or(name)
}

fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// A name that no file has yet.
fn free_name(folder: &Path, now: UnixTime) -> PathBuf {
    let first = folder.join(format!("{MARK}{}", stamp(now)));
    let taken = |path: &Path| ["", "-wal", "-shm"].iter().any(|end| fs::symlink_metadata(suffixed(path, end)).is_ok());
    let mut name = first.clone();
    let mut number = 2;
    while taken(&name) {
        name = suffixed(&first, &format!("-{number}"));
        number += 1;
    }
    name
}

/// `2026-01-31T235959Z`: UTC, without the colons that some file systems refuse.
fn stamp(now: UnixTime) -> String {
    now.date_time().replace(':', "")
}
