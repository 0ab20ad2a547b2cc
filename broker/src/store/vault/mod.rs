//! The handle of the vault and its state, `Locked | Open | Closed`: start, retry of the key while locked, one place through
//! which every read and every write goes, and the end. What is read and written is in the files beside, a noun each.

mod access_token;
mod account;
mod application;
mod care;
mod entry;
mod grant;
mod import;
mod provider;
mod sign_in;

use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use rusqlite::Connection;
use token_broker_proto::{calls::ApplicationSelector, oauth::UnixTime};

use super::{
    error::{StartError, StoreError},
    folder::DataFolder,
    key::{KeySource, Randomness},
    open::{self, Database, Opened},
    place::Place,
    recall::{Epoch, Recall},
    rows::{Tables, application::StoredApplication},
    seal::Keyring,
    writer::{Committer, Signs, Writer},
};
use crate::{
    metrics::StoreTimings,
    model::{Client, User},
};

pub use application::{RemovedApplication, SavedApplication};
pub use care::{GrantCounts, Surroundings, VerifyReport};
pub use entry::{EntryPage, StoredEntry};
pub use grant::{GrantEntry, RefreshRecord, Saved, SessionRecord};
pub use import::{ImportRecord, Imported};
pub use sign_in::SignInRecord;

/// What a vault needs.
pub struct VaultOptions {
    /// The data folder; made if it is missing.
    pub folder: PathBuf,
    /// Fills a buffer with unpredictable bytes, for keys and nonces.
    pub randomness: Randomness,
    /// Where writes run.
    pub writer: WriterMode,
    /// The time of the start: it names a database that has to be kept aside.
    pub now: UnixTime,
}

/// Where writes run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriterMode {
    /// On a thread that commits in groups.
    Thread,
    /// On the thread of the caller, one by one, so that a simulation is deterministic.
    Inline,
}

/// The vault. Cloning makes another handle; the data folder stays locked until the last one is gone.
#[derive(Clone)]
pub struct Vault(Arc<Shared>);

struct Shared {
    /// First, so that the database is closed before the folder is given up.
    state: RwLock<State>,
    folder: DataFolder,
    source: KeySource,
    randomness: Randomness,
    mode: WriterMode,
    started_on: UnixTime,
    signs: Signs,
}

enum State {
    Locked(String),
    Open(Arc<OpenVault>),
    Closed,
}

/// The two connections and the keys.
struct OpenVault {
    keys: Arc<Keyring>,
    /// `None` once closed.
    reader: Mutex<Option<Connection>>,
    writer: Writer,
    aside: care::Threads,
    place: Place,
    damaged: care::Damaged,
    applications: Recall<ApplicationSelector, Option<Arc<StoredApplication>>>,
    users: Recall<(Client, Option<String>), Arc<[User]>>,
    realms: Recall<String, Option<String>>,
}

impl Vault {
    /// Claims the data folder and opens the vault in it, or makes it. With a missing or a wrong key the vault is locked.
    pub fn start(options: VaultOptions) -> Result<Self, StartError> {
        let folder = DataFolder::claim(&options.folder)?;
        let shared = Shared {
            source: KeySource::File(folder.key()),
            folder,
            randomness: options.randomness,
            mode: options.writer,
            started_on: options.now,
            signs: Signs::default(),
            state: RwLock::new(State::Closed),
        };
        let state = shared.try_open()?;
        if let State::Locked(reason) = &state {
            tracing::warn!(reason, "the store is locked");
        }
        *shared.state.write().unwrap_or_else(PoisonError::into_inner) = state;
        Ok(Self(Arc::new(shared)))
    }

    /// Why the vault is locked or closed; `None` when it is open. Looks for the key again first.
    #[must_use]
    pub fn lock_reason(&self) -> Option<String> {
        match self.0.open() {
            Ok(_) => None,
            Err(StoreError::Locked(reason)) => Some(reason),
            Err(other) => Some(other.to_string()),
        }
    }

    /// How long the store's commits take, for the metrics.
    #[must_use]
    pub fn timings(&self) -> &StoreTimings {
        &self.0.signs.timings
    }

    /// Resolves when the thread that writes has ended: before `close` that is a fault.
    pub async fn writer_ended(&self) {
        self.0.signs.ended().await;
    }

    /// Where the data key comes from: `file`.
    #[must_use]
    pub fn key_source(&self) -> &'static str {
        self.0.source.name()
    }

    /// What the owner should know of the data folder, a sentence each: databases that are kept aside, and one that is not in
    /// its place any more.
    #[must_use]
    pub fn notices(&self) -> Vec<String> {
        let displaced = self.0.open().ok().and_then(|open| open.place.displaced());
        displaced.into_iter().chain(open::notices(&self.0.folder)).collect()
    }

    /// Finishes the writes that wait, moves the journal into the database and closes it, for every handle. Blocks for as
    /// long as that takes. The folder stays locked until the last handle is gone.
    pub fn close(self) {
        let mut state = self.0.state.write().unwrap_or_else(PoisonError::into_inner);
        if let State::Open(open) = std::mem::replace(&mut *state, State::Closed) {
            open.close();
        }
    }

    /// Whether the vault was closed: nothing can be saved any more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(*self.0.state.read().unwrap_or_else(PoisonError::into_inner), State::Closed)
    }

    /// Reads from one snapshot of the database, on this thread.
    fn read<T>(&self, work: impl FnOnce(Tables<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let open = self.0.open()?;
        open.read(work).map_err(|error| error.at(&self.0.folder.database()))
    }

    /// Writes in one transaction; durable when it returns.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tables<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let answer = self.0.open()?.writer.submit(work);
        answer.await.unwrap_or_else(|_| Err(closed())).map_err(|error| error.at(&self.0.folder.database()))
    }
}

impl Shared {
    /// The open vault; while it is locked, tries the key again.
    fn open(&self) -> Result<Arc<OpenVault>, StoreError> {
        match &*self.state.read().unwrap_or_else(PoisonError::into_inner) {
            State::Open(open) => return Ok(Arc::clone(open)),
            State::Closed => return Err(closed()),
            State::Locked(_) => {}
        }
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if let State::Locked(_) = *state {
            *state = self.try_open().map_err(|error| StoreError::Unavailable(error.to_string()))?;
        }
        match &*state {
            State::Open(open) => Ok(Arc::clone(open)),
            State::Closed => Err(closed()),
            State::Locked(reason) => Err(StoreError::Locked(reason.clone())),
        }
    }

    fn try_open(&self) -> Result<State, StartError> {
        let database = match open::open(&self.folder, &self.source, &self.randomness, self.started_on)? {
            Opened::Open(database) => *database,
            Opened::Locked(reason) => return Ok(State::Locked(reason)),
        };
        let Database { keys, reader, writer, place } = database;
        let epoch = Epoch::default();
        let committer = Committer::new(writer, Arc::clone(&keys), epoch.clone(), place.clone(), &self.signs);
        let writer = match self.mode {
            WriterMode::Thread => Writer::thread(committer, &self.signs)
                .map_err(|source| StartError::Io { path: self.folder.database(), source })?,
            WriterMode::Inline => Writer::inline(committer),
        };
        let reader = Mutex::new(Some(reader));
        Ok(State::Open(Arc::new(OpenVault {
            keys,
            reader,
            writer,
            aside: care::Threads::default(),
            place,
            damaged: care::Damaged::default(),
            applications: Recall::new(epoch.clone()),
            users: Recall::new(epoch.clone()),
            realms: Recall::new(epoch),
        })))
    }
}

impl OpenVault {
    fn read<T>(&self, work: impl FnOnce(Tables<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let db = reader.as_ref().ok_or_else(closed)?;
        let _snapshot = Snapshot::begin(db)?;
        work(Tables { db, keys: &self.keys })
    }

    fn close(&self) {
        self.aside.stop();
        // The writer closes last: the last connection moves the journal into the database.
        drop(self.reader.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.writer.stop();
    }
}

impl Drop for OpenVault {
    fn drop(&mut self) {
        self.close();
    }
}

/// A read transaction: every statement in it sees the same rows.
struct Snapshot<'a>(&'a Connection);

impl<'a> Snapshot<'a> {
    fn begin(db: &'a Connection) -> Result<Self, StoreError> {
        db.prepare_cached("BEGIN")?.execute([])?;
        Ok(Self(db))
    }
}

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        // Nothing was written; a transaction that SQLite has ended itself needs no end.
        let _ = self.0.prepare_cached("COMMIT").and_then(|mut end| end.execute([]));
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("the store is closed".to_owned())
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("folder", &self.0.folder).finish_non_exhaustive()
    }
}

/// What was found, or nothing for a damaged row; `meaning` says in the log what that leads to.
fn readable<T>(found: Result<Option<T>, StoreError>, meaning: &str) -> Result<Option<T>, StoreError> {
    match found {
        Err(StoreError::Corrupt(row)) => {
            tracing::warn!(row, meaning, "a row of the store does not open");
            Ok(None)
        }
        found => found,
    }
}
