//! What the store stands on: whether it can be written, its folder, its key, its disk, and how its grants fare. For the
//! diagnosis: facts only, what they mean is for the desk to say.

use std::{fs, io::ErrorKind, os::unix::fs::MetadataExt as _};

use rustix::fs::statvfs;
use token_broker_proto::oauth::UnixTime;

use crate::{
    model::GrantState,
    store::{error::StoreError, key::Loaded, vault::Vault},
};

/// What was found around the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surroundings {
    /// The data folder.
    pub folder: String,
    /// Mode of the folder; `None` if it cannot be looked at.
    pub folder_mode: Option<u32>,
    /// Why the key could not be loaded again, if so.
    pub key_problem: Option<String>,
    /// Whether the database is still in its place.
    pub is_in_place: bool,
    /// Bytes that are free for us on the disk; `None` if the system does not say.
    pub free_bytes: Option<u64>,
}

/// How the grants fare.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GrantCounts {
    /// That work as far as is known.
    pub live: usize,
    /// That are left alone for a while after failures.
    pub backing_off: usize,
    /// That the provider refused for good: their users have to sign in.
    pub refused: usize,
}

impl Vault {
    /// Looks around.
    #[must_use]
    pub fn surroundings(&self) -> Surroundings {
        let (folder, database) = (self.0.folder.path(), self.0.folder.database());
        let key_problem = match self.0.source.load() {
            Loaded::Key(_) => None,
            Loaded::Missing(why) | Loaded::Unusable(why) => Some(why),
        };
        Surroundings {
            folder: folder.display().to_string(),
            folder_mode: fs::metadata(folder).ok().map(|found| found.mode() & 0o7777),
            key_problem,
            is_in_place: !fs::metadata(&database).is_err_and(|error| error.kind() == ErrorKind::NotFound),
            free_bytes: statvfs(folder).ok().map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize)),
        }
    }

    /// Saves something durably, the purge mark as it is, to see whether that works.
    pub async fn try_to_write(&self, now: UnixTime) -> Result<(), StoreError> {
        self.write(move |tables| {
            let hour = tables.purge_mark()?.unwrap_or(now.seconds().div_euclid(3600));
            tables.move_purge_mark(hour)
        })
        .await
    }

    /// How the grants fare; opens every one of them, off this thread.
    pub async fn grant_counts(&self, now: UnixTime) -> Result<GrantCounts, StoreError> {
        self.read_aside(move |tables| {
            let mut counts = GrantCounts::default();
            for stored in tables.grants(None, &(1..=i64::MAX))? {
                match stored.grant.state {
                    GrantState::Refused { .. } => counts.refused += 1,
                    GrantState::BackingOff(backoff) if backoff.until > now => counts.backing_off += 1,
                    GrantState::BackingOff(_) | GrantState::Live => counts.live += 1,
                }
            }
            Ok(counts)
        })
        .await
    }
}
