//! Why the vault cannot start, and why an operation on it failed. Owns the mapping of SQLite's errors; messages name files
//! and rows, never their content.

use std::{io, path::PathBuf};

use rusqlite::ErrorCode;

use crate::model::DeskError;

/// Why there is no vault: things the daemon cannot live with.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Others could change the data folder.
    #[error("the data folder {} {why}", path.display())]
    UnsafeFolder {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it, and what would mend it.
        why: String,
    },
    /// Another process has it.
    #[error("the data folder {} is in use by {}", path.display(), owner(*pid))]
    InUse {
        /// The folder.
        path: PathBuf,
        /// The other process, if it said its name.
        pid: Option<u32>,
    },
    /// A newer version wrote the database; nothing was changed.
    #[error("{} has schema {found}, this version knows up to {known}: use a newer token-broker", path.display())]
    NewerSchema {
        /// The database.
        path: PathBuf,
        /// Its `user_version`.
        found: i64,
        /// The newest that this version knows.
        known: i64,
    },
    /// The database is of a format that this version does not know; nothing was changed.
    #[error("{} was sealed by another version, in a format that this one does not know: use a newer token-broker", path.display())]
    UnknownFormat {
        /// The database.
        path: PathBuf,
    },
    /// The data folder cannot be written to.
    #[error("the data folder {} cannot be written to ({source}): the daemon has to save tokens in it", path.display())]
    ReadOnlyFolder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not our database, or a damaged one. `open` keeps it aside; this leaves the room only if that did not help.
    #[error("{} is not a token cache that can be used: {why}", path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// SQLite failed on a database that looked good.
    #[error("{}: {}", path.display(), of_disk(source))]
    Database {
        /// The database.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
}

/// SQLite's words, and what they mean where they do not say it.
fn of_disk(error: &rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(ErrorCode::SystemIoFailure | ErrorCode::DiskFull) => format!("the disk is full or failing ({error})"),
        _ => error.to_string(),
    }
}

fn owner(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

/// Why an operation failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The data key is missing or wrong; the text says why.
    #[error("the token cache is locked: {0}")]
    Locked(String),
    /// The store cannot be read or written now (disk full, read-only, closed); the text has the path and the cause.
    #[error("{0}")]
    Unavailable(String),
    /// A row was changed or damaged; the text names it, such as `access_token 17`.
    #[error("{0} is damaged")]
    Corrupt(String),
}

impl StoreError {
    /// Says which file it was about, where the cause alone would not tell.
    pub(super) fn at(self, path: &std::path::Path) -> Self {
        match self {
            // A cause that begins with the file needs no file before it.
            Self::Unavailable(cause) if !cause.starts_with(&path.display().to_string()) => {
                Self::Unavailable(format!("{}: {cause}", path.display()))
            }
            other => other,
        }
    }
}

/// Values are never part of these messages: rusqlite names columns and types only.
impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Corrupt(format!("the database ({error})"))
            }
            _ => Self::Unavailable(error.to_string()),
        }
    }
}

impl From<StoreError> for DeskError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Locked(why) => Self::Locked(why),
            StoreError::Unavailable(why) => Self::StoreUnavailable(why),
            StoreError::Corrupt(row) => Self::StoreCorrupt(row),
        }
    }
}
