//! Whether the open database is still the one that its name leads to. A file that was deleted or replaced stays open and takes
//! writes, which are gone with the daemon: so none are taken any more, and what is in it is served on. Owns that look and its
//! words; when to look is for the writer and the status.

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use super::error::StoreError;

/// The files of an open database, as they were when it was opened.
#[derive(Debug, Clone)]
pub(super) struct Place(Vec<(PathBuf, Identity)>);

/// Device and inode.
type Identity = (u64, u64);

impl Place {
    /// Of this database, which is open, and of its journal.
    pub(super) fn of(database: &Path) -> Self {
        let files = [database.to_owned(), database.with_extension("db-wal")];
        Self(files.into_iter().filter_map(|path| identity(&path).ok().map(|found| (path, found))).collect())
    }

    /// What has become of it, as a sentence about the file; `None` when everything is where it was.
    pub(super) fn displaced(&self) -> Option<String> {
        self.0.iter().find_map(|(path, known)| {
            let what = match identity(path) {
                Ok(found) if found == *known => return None,
                Ok(_) => "was replaced by another file",
                Err(error) if error.kind() == io::ErrorKind::NotFound => "was deleted or moved away",
                // It cannot be looked at now; a write that fails says why.
                Err(_) => return None,
            };
            Some(format!(
                "{} {what} while the daemon runs. What it held is still served, and nothing more can be saved: put the file \
                 back, or restart the daemon to go on with what is there now",
                path.display()
            ))
        })
    }

    /// Before a write.
    pub(super) fn look(&self) -> Result<(), StoreError> {
        self.displaced().map_or(Ok(()), |what| Err(StoreError::Unavailable(what)))
    }
}

fn identity(path: &Path) -> io::Result<Identity> {
    fs::symlink_metadata(path).map(|found| (found.dev(), found.ino()))
}
