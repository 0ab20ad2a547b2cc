//! The schema of `cache.db`: append-only migrations, and what is recorded in clear of the format and the key. A new database
//! is built beside its place and renamed, so a `cache.db` is whole or damaged, never half made. Does not know the key itself.

use std::{fs, path::Path};

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};

use super::{
    error::StartError,
    folder::{DataFolder, private_file},
    seal::Lookup,
};

/// Every migration that was ever released, in order: append only. `user_version` is how many have run.
const MIGRATIONS: &[&str] = &[include_str!("migrations/0001.sql")];

/// `application_id` in the header of every database of ours: `TkBr`.
pub(super) const APPLICATION_ID: i32 = i32::from_be_bytes(*b"TkBr");

/// Version of sealing and hashing, apart from the schema.
const FORMAT: i64 = 1;

/// The newest schema that this version knows.
pub(super) fn newest() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// Builds an empty database that records the key it is sealed with.
pub(super) fn create(folder: &DataFolder, key_identity: &Lookup) -> Result<(), StartError> {
    let path = folder.database();
    let draft = path.with_extension("new");
    let io = |source| StartError::Io { path: draft.clone(), source };
    // A crash may have left one; only its lock holder, us, can be using it.
    if fs::symlink_metadata(&draft).is_ok() {
        fs::remove_file(&draft).map_err(io)?;
    }
    private_file().write(true).create_new(true).open(&draft).map_err(io)?;
    build(&draft, key_identity).map_err(|source| StartError::Database { path: draft.clone(), source })?;
    fs::File::open(&draft).and_then(|file| file.sync_all()).map_err(io)?;
    fs::rename(&draft, &path).map_err(io)?;
    folder.sync()
}

fn build(draft: &Path, key_identity: &Lookup) -> rusqlite::Result<()> {
    let mut db = Connection::open(draft)?;
    // The draft is worth nothing until it is renamed: no journal on disk.
    db.pragma_update_and_check(None, "journal_mode", "MEMORY", |_| Ok(()))?;
    db.pragma_update(None, "application_id", APPLICATION_ID)?;
    migrate(&mut db)?;
    let insert = "INSERT INTO meta (key, value) VALUES (?1, ?2)";
    db.execute(insert, ("format", FORMAT))?;
    db.execute(insert, ("key identity", key_identity))?;
    db.close().map_err(|(_, error)| error)
}

/// Runs the migrations that have not run yet, each in its own transaction.
pub(super) fn migrate(db: &mut Connection) -> rusqlite::Result<()> {
    let done = user_version(db)?;
    for (version, migration) in (1_i64..).zip(MIGRATIONS).filter(|(version, _)| *version > done) {
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(())
}

/// How many migrations the database has seen.
pub(super) fn user_version(db: &Connection) -> rusqlite::Result<i64> {
    db.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// The identity of the key that the database was sealed with, and the format; `None` for what is not recorded.
pub(super) fn recorded(db: &Connection) -> rusqlite::Result<(Option<Lookup>, Option<i64>)> {
    let mut query = db.prepare("SELECT value FROM meta WHERE key = ?1")?;
    let identity = query.query_row(["key identity"], |row| row.get(0)).optional()?;
    let format = query.query_row(["format"], |row| row.get(0)).optional()?;
    Ok((identity, format))
}

/// Fails if a table is unreadable without which nothing can be served. Looks at each one's root only: microseconds.
pub(super) fn probe(db: &Connection) -> rusqlite::Result<()> {
    for table in ["application", "account", "grant_token"] {
        db.query_row(&format!("SELECT sealed FROM {table} NOT INDEXED LIMIT 1"), [], |_| Ok(())).optional()?;
    }
    Ok(())
}

/// Whether this version reads the format.
pub(super) fn knows_format(format: i64) -> bool {
    format == FORMAT
}
