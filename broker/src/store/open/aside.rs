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
    let (days, second) = (now.seconds().div_euclid(86_400), now.seconds().rem_euclid(86_400));
    // Years of 365.2425 days that begin in March, so that the odd day is the last one.
    let day = days + 719_468;
    let (era, day_of_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}{minute:02}{second:02}Z")
}

#[cfg(test)]
mod tests {
    use token_broker_proto::oauth::UnixTime;

    use super::stamp;

    #[test]
    fn the_name_says_when() {
        let known = [
            (0, "1970-01-01T000000Z"),
            (951_782_399, "2000-02-28T235959Z"),
            (951_782_400, "2000-02-29T000000Z"),
            (1_709_251_199, "2024-02-29T235959Z"),
            (1_767_225_599, "2025-12-31T235959Z"),
            (4_107_542_400, "2100-03-01T000000Z"),
        ];
        for (seconds, text) in known {
            assert_eq!(stamp(UnixTime::from_seconds(seconds)), text);
        }
    }
}
