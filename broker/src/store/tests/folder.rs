//! The data folder and the file in it that is no cache of ours: refused by name, untouched.

use std::{fs, os::unix::fs::PermissionsExt as _};

use rusqlite::Connection;

use super::{Scratch, add, bytes, registration};
use crate::store::{StartError, Vault, WriterMode};

fn refused(scratch: &Scratch) -> StartError {
    match Vault::start(scratch.options(WriterMode::Thread)) {
        Err(error) => error,
        Ok(_) => panic!("it started"),
    }
}

#[test]
fn the_folder_is_made_for_its_owner_only() {
    let scratch = Scratch::new();
    let _vault = scratch.vault();
    assert_eq!(fs::metadata(scratch.folder()).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_folder_that_others_could_change_is_refused() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.folder()).unwrap();
    for mode in [0o770, 0o707, 0o777] {
        fs::set_permissions(scratch.folder(), fs::Permissions::from_mode(mode)).unwrap();
        let error = refused(&scratch);
        assert!(matches!(error, StartError::UnsafeFolder { .. }), "{error}");
        assert!(error.to_string().contains("can be written by others"), "{error}");
    }
    assert_eq!(fs::read_dir(scratch.folder()).unwrap().count(), 0);
    fs::remove_dir(scratch.folder()).unwrap();
    std::os::unix::fs::symlink(scratch.0.path(), scratch.folder()).unwrap();
    assert!(refused(&scratch).to_string().contains("is a symbolic link"));
    fs::remove_file(scratch.folder()).unwrap();
    fs::write(scratch.folder(), "").unwrap();
    assert!(refused(&scratch).to_string().contains("is not a folder"));
}

#[test]
fn the_second_process_is_told_the_first() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    let error = refused(&scratch);
    assert!(matches!(&error, StartError::InUse { pid: Some(pid), .. } if *pid == std::process::id()), "{error}");
    assert!(error.to_string().ends_with(&format!("is in use by process {}", std::process::id())), "{error}");
    // Another handle keeps the folder.
    let other = vault.clone();
    vault.close();
    assert!(matches!(refused(&scratch), StartError::InUse { .. }));
    assert!(other.applications().unwrap_err().to_string().contains("closed"));
    drop(other);
    scratch.vault();
}

#[tokio::test]
async fn a_newer_schema_is_refused_untouched() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    add(&vault, registration("app", "c")).await;
    vault.close();
    scratch.sql().execute_batch("PRAGMA user_version = 99").unwrap();
    let before = bytes(&scratch.file("cache.db"));
    let error = refused(&scratch);
    assert!(matches!(error, StartError::NewerSchema { found: 99, known: 1, .. }), "{error}");
    assert!(error.to_string().contains("cache.db has schema 99"), "{error}");
    assert_eq!(bytes(&scratch.file("cache.db")), before);
    // It is the newer version's turn again, with nothing lost.
    scratch.sql().execute_batch("PRAGMA user_version = 1").unwrap();
    assert_eq!(scratch.vault().applications().unwrap().len(), 1);
}

#[tokio::test]
async fn a_newer_schema_in_the_journal_is_refused_too() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    add(&vault, registration("app", "c")).await;
    let newer = scratch.sql();
    newer.execute_batch("PRAGMA user_version = 99").unwrap();
    vault.close();
    // The newer version's connection is still there, as a crash would leave its journal.
    assert!(matches!(refused(&scratch), StartError::NewerSchema { found: 99, .. }));
}

#[tokio::test]
async fn a_file_that_is_no_cache_is_refused_untouched() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    for index in 0..50 {
        add(&vault, registration(&format!("app{index}"), "c")).await;
    }
    vault.close();
    let (path, good) = (scratch.file("cache.db"), bytes(&scratch.file("cache.db")));
    let mut damaged_header = good.clone();
    damaged_header[0] = b'X';
    let mut damaged_pages = good.clone();
    damaged_pages[100..4096].fill(0xAA);
    let foreign = {
        let path = scratch.0.path().join("foreign.db");
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE mine (a); INSERT INTO mine VALUES (1)").unwrap();
        bytes(&path)
    };
    let cases = [
        ("empty", Vec::new()),
        ("a few bytes", good[..50].to_vec()),
        ("one page of many", good[..4096].to_vec()),
        ("half", good[..good.len() / 2].to_vec()),
        ("text", "hello ".repeat(1000).into_bytes()),
        ("foreign", foreign),
        ("damaged header", damaged_header),
        ("damaged pages", damaged_pages),
    ];
    for (case, content) in cases {
        fs::write(&path, &content).unwrap();
        let error = refused(&scratch);
        assert!(matches!(error, StartError::NotADatabase { .. }), "{case}: {error:?}");
        assert!(error.to_string().contains(path.to_str().unwrap()), "{case}: {error}");
        assert!(bytes(&path) == content, "{case} was changed");
    }
    fs::write(&path, good).unwrap();
    assert_eq!(scratch.vault().applications().unwrap().len(), 50);
}

#[tokio::test]
async fn a_journal_without_its_database_is_kept() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    add(&vault, registration("app", "c")).await;
    let journal = bytes(&scratch.file("cache.db-wal"));
    vault.close();
    fs::remove_file(scratch.file("cache.db")).unwrap();
    fs::write(scratch.file("cache.db-wal"), &journal).unwrap();
    assert!(refused(&scratch).to_string().contains("it is gone, but"));
    assert_eq!(bytes(&scratch.file("cache.db-wal")), journal);
}
