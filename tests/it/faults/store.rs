//! A store that misbehaves: a disk that is full or cannot be written, a database that is deleted, replaced, damaged, cut off, or
//! of a newer version, a journal that a kill has left.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rusqlite::Connection;
use token_broker_tests::{
    daemon::sign_in_by_browser,
    machine::disk::{Access, SmallDisk},
    requirements::require,
    user::User,
    within,
};

use super::{Left, Outcome, Row, cached};
use crate::bad_input::{Stage, of, refresh};

const REFUSES: Outcome = Outcome::Other { what: "does not start, and says why", exit_code: Some(1) };
const BEGINS_ANEW: Outcome =
    Outcome::Other { what: "a new one is begun, the old one kept aside and named", exit_code: None };

/// All rows; `None` where this machine cannot mount a small disk, which is said.
pub(super) async fn rows() -> Option<Vec<Row>> {
    let mut rows = vec![full().await?, read_only().await?];
    for (fault, file, is_replaced) in [
        ("the database is moved away", "cache.db", false),
        ("the database is replaced by a copy", "cache.db", true),
        ("the journal is moved away", "cache.db-wal", false),
    ] {
        rows.push(displaced(fault, file, is_replaced).await);
    }
    rows.push(deleted().await);
    rows.push(killed().await);
    rows.push(flipped().await);
    rows.push(truncated().await);
    rows.push(newer().await);
    Some(rows)
}

async fn refreshed(stage: &Stage) -> Outcome {
    Outcome::of(&within(refresh(&stage.daemon.client())).await)
}

fn row(fault: &str, moment: &'static str, outcome: Outcome, left: Option<Left>, afterwards: Outcome) -> Row {
    Row { fault: fault.to_owned(), moment, outcome, left, afterwards }
}

fn database(stage: &Stage) -> PathBuf {
    stage.daemon.data_dir().join("cache.db")
}

async fn full() -> Option<Row> {
    let mut stage = Stage::set().await;
    stage.daemon.stop().await;
    let disk = require(SmallDisk::over(&stage.daemon.data_dir(), Access::Write))?;
    stage.daemon.start_again().await;
    let token = cached(&stage.daemon.client()).await;
    disk.fill();
    let outcome = refreshed(&stage).await;
    assert_eq!(stage.server.requests("token:refresh_token"), 0, "nothing is asked for that could not be saved");
    let left = Left::of(&stage, &token).await;
    disk.clear();
    let afterwards = refreshed(&stage).await;
    stage.daemon.stop().await;
    Some(row("the disk is full", "a refresh", outcome, Some(left), afterwards))
}

async fn read_only() -> Option<Row> {
    let mut stage = Stage::set().await;
    stage.daemon.stop().await;
    let disk = require(SmallDisk::over(&stage.daemon.data_dir(), Access::ReadOnly))?;
    stage.daemon.try_start().await.expect_err("it is refused");
    drop(disk);
    stage.daemon.start_again().await;
    Some(row("the disk is read-only", "a start", REFUSES, None, refreshed(&stage).await))
}

/// While the daemon runs; put back, all goes on.
async fn displaced(fault: &str, file: &str, is_replaced: bool) -> Row {
    let stage = Stage::set().await;
    let token = cached(&stage.daemon.client()).await;
    let (path, away) = (stage.daemon.data_dir().join(file), stage.daemon.data_dir().join("away"));
    fs::rename(&path, &away).unwrap();
    if is_replaced {
        fs::copy(&away, &path).unwrap();
    }
    let outcome = refreshed(&stage).await;
    assert_eq!(stage.server.requests("token:refresh_token"), 0, "nothing is asked for that could not be saved");
    let left = Left::of(&stage, &token).await;
    let notices = stage.daemon.client().status().await.unwrap().notices;
    assert!(notices.len() == 1 && notices[0].contains(&path.display().to_string()), "{notices:?}");
    fs::rename(&away, &path).unwrap();
    row(fault, "a refresh", outcome, Some(left), refreshed(&stage).await)
}

/// Deleted while the daemon runs, and then it is restarted.
async fn deleted() -> Row {
    let mut stage = Stage::set().await;
    fs::remove_file(database(&stage)).unwrap();
    stage.daemon.restart().await;
    let kept = stage.daemon.client().status().await.unwrap().notices;
    assert!(kept.len() == 1 && kept[0].contains("cache.db.damaged-"), "its journal is kept: {kept:?}");
    let left = Left::of(&stage, "").await;
    row("the database is deleted while the daemon runs", "a restart", BEGINS_ANEW, Some(left), refreshed(&stage).await)
}

/// The files as a kill leaves them: what was written last is in the journal only.
async fn killed() -> Row {
    let mut stage = Stage::set().await;
    within(refresh(&stage.daemon.client())).await.expect("a new token");
    let token = cached(&stage.daemon.client()).await;
    let data = stage.daemon.data_dir();
    let files = ["cache.db", "cache.db-wal"].map(|name| (data.join(name), fs::read(data.join(name)).unwrap()));
    assert!(!files[1].1.is_empty(), "the journal holds something");
    stage.daemon.stop().await;
    for (path, bytes) in &files {
        private(path, bytes);
    }
    stage.daemon.start_again().await;
    let left = Left::of(&stage, &token).await;
    row("a kill has left a journal", "a start", Outcome::Works, Some(left), refreshed(&stage).await)
}

fn private(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(path, mode).unwrap();
}

/// One bit of one token; the rest serves.
async fn flipped() -> Row {
    let stage = Stage::set().await;
    let client = stage.daemon.client();
    sign_in_by_browser(&client, "mail", &User::named("grace")).await.expect("signed in");
    let token = cached(&client).await;
    let sql = Connection::open(database(&stage)).unwrap();
    let mut sealed: Vec<u8> =
        sql.query_row("SELECT sealed FROM access_token WHERE id = 1", [], |row| row.get(0)).unwrap();
    sealed[20] ^= 1;
    sql.execute("UPDATE access_token SET sealed = ?1 WHERE id = 1", [sealed]).unwrap();
    let problems = client.verify_cache().await.expect("a report").problems;
    assert!(problems.len() == 1 && problems[0].starts_with("access_token 1"), "it is named: {problems:?}");
    // The grant is whole, so another token is fetched.
    let outcome = Outcome::of(&client.token(&of("ada")).await);
    client.token(&of("grace")).await.expect("grace's row is whole");
    let left = Left::of(&stage, &token).await;
    row("a bit of a token's row is flipped", "that token is wanted", outcome, Some(left), refreshed(&stage).await)
}

async fn truncated() -> Row {
    let mut stage = Stage::set().await;
    stage.daemon.stop().await;
    let good = fs::read(database(&stage)).unwrap();
    fs::write(database(&stage), &good[..good.len() / 2]).unwrap();
    stage.daemon.start_again().await;
    let left = Left::of(&stage, "").await;
    stage.daemon.stop().await;
    fs::write(database(&stage), &good).unwrap();
    stage.daemon.start_again().await;
    row("the database is cut off in the middle", "a start", BEGINS_ANEW, Some(left), refreshed(&stage).await)
}

async fn newer() -> Row {
    let mut stage = Stage::set().await;
    stage.daemon.stop().await;
    let set = |version: i64| {
        let sql = Connection::open(database(&stage)).unwrap();
        let was: i64 = sql.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        sql.pragma_update(None, "user_version", version).unwrap();
        was
    };
    let was = set(999);
    stage.daemon.try_start().await.expect_err("it is refused");
    let set_back = || Connection::open(database(&stage)).unwrap().pragma_update(None, "user_version", was).unwrap();
    set_back();
    stage.daemon.start_again().await;
    row("a newer version wrote the database", "a start", REFUSES, None, refreshed(&stage).await)
}
