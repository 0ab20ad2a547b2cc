//! The data folder, and the file in it that is no cache of ours: kept aside under a name with the date, never lost.

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

/// What is kept aside, by name, with its content.
fn kept(scratch: &Scratch) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(scratch.folder()).unwrap().map(|entry| entry.unwrap());
    let names = entries.map(|entry| entry.file_name().into_string().unwrap());
    let mut kept: Vec<_> = names.filter(|name| name.contains(".damaged-")).collect();
    kept.sort();
    kept.into_iter().map(|name| (name.clone(), bytes(&scratch.file(&name)))).collect()
}

/// What may lie in the place of a good database.
fn unusable(scratch: &Scratch, good: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut damaged_header = good.to_vec();
    damaged_header[0] = b'X';
    let mut damaged_pages = good.to_vec();
    damaged_pages[100..4096].fill(0xAA);
    let path = scratch.0.path().join("foreign.db");
    let foreign = Connection::open(&path).unwrap();
    foreign.execute_batch("CREATE TABLE mine (a); INSERT INTO mine VALUES (1)").unwrap();
    drop(foreign);
    vec![
        ("empty", Vec::new()),
        ("a few bytes", good[..50].to_vec()),
        ("one page of many", good[..4096].to_vec()),
        ("half", good[..good.len() / 2].to_vec()),
        ("text", "hello ".repeat(1000).into_bytes()),
        ("foreign", bytes(&path)),
        ("damaged header", damaged_header),
        ("damaged pages", damaged_pages),
    ]
}

#[tokio::test]
async fn a_file_that_is_no_cache_is_kept_aside() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    for index in 0..50 {
        add(&vault, registration(&format!("app{index}"), "c")).await;
    }
    vault.close();
    let (path, good) = (scratch.file("cache.db"), bytes(&scratch.file("cache.db")));
    for (case, content) in unusable(&scratch, &good) {
        fs::write(&path, &content).unwrap();
        let vault = scratch.vault();
        assert_eq!(vault.applications().unwrap().len(), 0, "{case}");
        let notices = vault.notices();
        assert!(
            notices.len() == 1 && notices[0].contains("cache.db.damaged-2023-11-14T221320Z:"),
            "{case}: {notices:?}"
        );
        vault.close();
        let kept = kept(&scratch);
        assert!(kept[0].1 == content, "{case} was changed");
        for (name, _) in kept {
            fs::remove_file(scratch.file(&name)).unwrap();
        }
    }
    // The key stayed the same: the good one is as good as before.
    fs::write(&path, good).unwrap();
    assert_eq!(scratch.vault().applications().unwrap().len(), 50);
}

#[tokio::test]
async fn without_the_key_nothing_is_moved() {
    let scratch = Scratch::new();
    scratch.vault().close();
    fs::rename(scratch.file("key"), scratch.0.path().join("key")).unwrap();
    fs::write(scratch.file("cache.db"), "hello").unwrap();
    let vault = scratch.vault();
    let reason = vault.lock_reason().unwrap();
    assert!(reason.contains("is missing: put it back; the token cache cannot be used either"), "{reason}");
    assert!(kept(&scratch).is_empty() && bytes(&scratch.file("cache.db")) == b"hello");
    fs::rename(scratch.0.path().join("key"), scratch.file("key")).unwrap();
    assert_eq!(vault.lock_reason(), None);
    assert_eq!(kept(&scratch)[0].1, b"hello");
}

#[tokio::test]
async fn two_of_one_second_do_not_meet() {
    let scratch = Scratch::new();
    scratch.vault().close();
    for content in ["one", "two"] {
        fs::write(scratch.file("cache.db"), content).unwrap();
        scratch.vault().close();
    }
    let kept: Vec<_> = kept(&scratch).into_iter().map(|(_, content)| content).collect();
    assert_eq!(kept, [b"one", b"two"]);
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
    let vault = scratch.vault();
    assert_eq!((vault.applications().unwrap().len(), vault.notices().len()), (0, 1));
    assert!(kept(&scratch).iter().any(|(name, content)| name.ends_with("-wal") && *content == journal));
}
