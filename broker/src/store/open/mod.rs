//! Opening the vault: examine the database without changing it, fetch the key, compare it with the one the database was
//! sealed with, and only then migrate. Owns two decisions. When a new key may be made: when there is no database content. And
//! when a database is kept aside for a new one: only when it is certainly not usable (not ours, its header or schema gone, or
//! the tables without which nothing can be served unreadable) and the key is at hand. A damaged row is never a reason.

mod aside;

use std::{fs, io, io::Read as _, os::unix::fs::PermissionsExt as _, path::Path, sync::Arc, time::Duration};

use rusqlite::{Connection, ErrorCode, OpenFlags, config::DbConfig};

use token_broker_proto::oauth::UnixTime;

use super::{
    error::{StartError, StoreError},
    folder::{DataFolder, private_file},
    key::{DataKey, KeySource, Loaded, Randomness},
    place::Place,
    schema,
    seal::{Keyring, Lookup},
};

pub(super) use aside::notices;

/// How long to wait for another program that looks into the database (a backup).
const BUSY: Duration = Duration::from_secs(2);

/// Settings of every connection. `secure_delete` because freed pages should hold nothing, not even ciphertext; `fullfsync`
/// is what "durable" means on macOS and nothing elsewhere. The writer checkpoints itself: `wal_autocheckpoint` is the backstop.
const SETTINGS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA fullfsync = ON;
    PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY;
    PRAGMA cell_size_check = ON; PRAGMA wal_autocheckpoint = 8000; PRAGMA journal_size_limit = 16777216;";

/// What came of opening.
pub(super) enum Opened {
    /// Everything fits.
    Open(Box<Database>),
    /// The key is missing or wrong; the text says why. Nothing was changed.
    Locked(String),
}

/// An open database with its keys.
pub(super) struct Database {
    pub(super) keys: Arc<Keyring>,
    pub(super) reader: Connection,
    pub(super) writer: Connection,
    pub(super) place: Place,
}

/// Opens the vault in a folder, or makes it. A database that cannot be used is kept aside, under a name with this time.
pub(super) fn open(
    folder: &DataFolder,
    source: &KeySource,
    randomness: &Randomness,
    now: UnixTime,
) -> Result<Opened, StartError> {
    source.discard_draft();
    match open_as_it_is(folder, source, randomness) {
        Err(StartError::NotADatabase { why, .. }) => match source.load() {
            Loaded::Key(_) => {
                let kept = aside::keep(folder, now)?;
                tracing::warn!(why, kept = %kept.display(), "the token cache cannot be used; it is kept, and a new one begun");
                open_as_it_is(folder, source, randomness)
            }
            Loaded::Missing(reason) | Loaded::Unusable(reason) => {
                Ok(Opened::Locked(format!("{reason}; the token cache cannot be used either: {why}")))
            }
        },
        opened => opened,
    }
}

fn open_as_it_is(folder: &DataFolder, source: &KeySource, randomness: &Randomness) -> Result<Opened, StartError> {
    let path = folder.database();
    if is_new(&path)? {
        let key = match source.load() {
            Loaded::Key(key) => key,
            Loaded::Missing(_) => source.create(randomness)?,
            Loaded::Unusable(reason) => return Ok(Opened::Locked(reason)),
        };
        schema::create(folder, &keyring(&path, &key, randomness)?.key_identity())?;
    }
    let mut writer = connect(&path).map_err(|error| unusable(&path, error))?;
    let identity = examine(&path, &writer)?;
    let keys = match source.load() {
        Loaded::Key(key) => keyring(&path, &key, randomness)?,
        Loaded::Missing(reason) | Loaded::Unusable(reason) => return Ok(Opened::Locked(reason)),
    };
    if keys.key_identity() != identity {
        return Ok(Opened::Locked(format!("{} is not the key this cache was sealed with", source.place())));
    }
    schema::probe(&writer).map_err(|error| unusable(&path, error))?;
    let ready = settle(&path, &mut writer).and_then(|()| reader(&path));
    let place = Place::of(&path);
    let reader = ready.map_err(|source| StartError::Database { path, source })?;
    Ok(Opened::Open(Box::new(Database { keys: Arc::new(keys), reader, writer, place })))
}

/// A connection that cannot write.
pub(super) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let db = connect(path)?;
    db.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA query_only = ON; PRAGMA temp_store = MEMORY;")?;
    // The first read looks for the journal by its name; from then on the names may go, and it still reads.
    db.execute_batch("SELECT 1 FROM sqlite_schema LIMIT 1")?;
    Ok(db)
}

fn keyring(path: &Path, key: &DataKey, randomness: &Randomness) -> Result<Keyring, StartError> {
    let failed = |error: StoreError| StartError::Io { path: path.to_owned(), source: io::Error::other(error) };
    Keyring::derive(key, Arc::clone(randomness)).map_err(failed)
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    db.busy_timeout(BUSY)?;
    // Until the key fits, closing must not move the journal into the database.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    // Else every lookup is planned anew for the value it looks for.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    db.set_prepared_statement_cache_capacity(64);
    Ok(db)
}

/// Whether there is no database yet. Reads the header itself, since SQLite takes an empty file for a new database.
fn is_new(path: &Path) -> Result<bool, StartError> {
    let foreign = |why: String| StartError::NotADatabase { path: path.to_owned(), why };
    let mut file = match private_file().open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // Its journal may hold everything; SQLite would throw it away, or play it into a new database.
            let journal = path.with_extension("db-wal");
            let alone = fs::symlink_metadata(&journal).is_ok_and(|found| found.len() > 0);
            return if alone {
                Err(foreign(format!("it is gone, but {} is there", journal.display())))
            } else {
                Ok(true)
            };
        }
        Err(source) => return Err(StartError::Io { path: path.to_owned(), source }),
    };
    let mut header = Vec::new();
    let io = |source| StartError::Io { path: path.to_owned(), source };
    if !file.metadata().map_err(io)?.is_file() {
        return Err(foreign("it is not a file".to_owned()));
    }
    file.by_ref().take(100).read_to_end(&mut header).map_err(io)?;
    if header.len() < 100 {
        return Err(foreign(format!("it has {} bytes only", header.len())));
    }
    let ours = header.starts_with(b"SQLite format 3\0")
        && header.get(68..72) == Some(schema::APPLICATION_ID.to_be_bytes().as_slice());
    if ours { Ok(false) } else { Err(foreign("another program wrote it".to_owned())) }
}

/// The identity of the key that the database was sealed with, if this version can read the database. Changes nothing.
fn examine(path: &Path, db: &Connection) -> Result<Lookup, StartError> {
    let failed = |error| unusable(path, error);
    let found = schema::user_version(db).map_err(failed)?;
    if found > schema::newest() {
        return Err(StartError::NewerSchema { path: path.to_owned(), found, known: schema::newest() });
    }
    match schema::recorded(db).map_err(failed)? {
        (Some(identity), Some(format)) if schema::knows_format(format) => Ok(identity),
        (Some(_), Some(_)) => Err(StartError::UnknownFormat { path: path.to_owned() }),
        _ => {
            let why = "it does not say which key it was sealed with".to_owned();
            Err(StartError::NotADatabase { path: path.to_owned(), why })
        }
    }
}

fn settle(path: &Path, db: &mut Connection) -> rusqlite::Result<()> {
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    db.execute_batch(SETTINGS)?;
    schema::migrate(db)?;
    // The rows are sealed; still nobody else has any business with them.
    if let Err(error) = fs::set_permissions(path, fs::Permissions::from_mode(0o600)) {
        tracing::warn!(%error, "the mode of the database cannot be set");
    }
    Ok(())
}

/// An error of the first look: the file is damaged, or it cannot be read now.
fn unusable(path: &Path, error: rusqlite::Error) -> StartError {
    let path = path.to_owned();
    match error.sqlite_error_code() {
        // `Unknown` is what SQLite says of a table that is not there; no code at all, of a value of another kind.
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::Unknown) | None => {
            StartError::NotADatabase { path, why: format!("it is damaged ({error})") }
        }
        Some(_) => StartError::Database { path, source: error },
    }
}
