//! The key: missing, wrong or badly kept means locked, nothing is changed, and the vault opens when the key comes.

use std::{fs, os::unix::fs::PermissionsExt as _};

use super::{Scratch, add, bytes, client, registration};
use crate::store::{StoreError, Vault, WriterMode};

/// A vault with one application, closed.
async fn filled() -> Scratch {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    add(&vault, registration("app", "c")).await;
    vault.close();
    scratch
}

fn locked(vault: &Vault) -> String {
    match vault.applications() {
        Err(StoreError::Locked(reason)) => {
            assert_eq!(vault.lock_reason().as_ref(), Some(&reason));
            reason
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_missing_key_locks_until_it_is_back() {
    let scratch = filled().await;
    let aside = scratch.0.path().join("aside");
    fs::rename(scratch.file("key"), &aside).unwrap();
    let before = bytes(&scratch.file("cache.db"));
    let vault = scratch.vault();
    let reason = locked(&vault);
    let path = scratch.file("key");
    assert!(reason.starts_with(&format!("the key file {} is missing", path.display())), "{reason}");
    let written = vault.take_account(&client("c"), "a").await;
    assert!(matches!(written, Err(StoreError::Locked(_))), "{written:?}");
    assert!(matches!(vault.verify().await, Err(StoreError::Locked(_))));
    assert!(!path.exists(), "no new key over an old cache");
    assert_eq!(bytes(&scratch.file("cache.db")), before);

    fs::rename(&aside, &path).unwrap();
    assert_eq!(vault.lock_reason(), None);
    assert_eq!(vault.applications().unwrap().len(), 1);
    add(&vault, registration("more", "c")).await;
}

#[tokio::test]
async fn a_wrong_key_locks_and_changes_nothing() {
    let scratch = filled().await;
    let right = bytes(&scratch.file("key"));
    let before = bytes(&scratch.file("cache.db"));
    fs::write(scratch.file("key"), [7; 32]).unwrap();
    let vault = scratch.vault();
    let reason = locked(&vault);
    assert!(reason.ends_with("is not the key this cache was sealed with"), "{reason}");
    vault.close();
    assert_eq!(bytes(&scratch.file("cache.db")), before);
    fs::write(scratch.file("key"), right).unwrap();
    assert_eq!(scratch.vault().applications().unwrap().len(), 1);
}

#[tokio::test]
async fn a_badly_kept_key_locks() {
    let scratch = filled().await;
    let (path, right) = (scratch.file("key"), bytes(&scratch.file("key")));
    let vault_says = |what: &str| {
        let reason = locked(&scratch.vault());
        assert!(reason.contains(what), "{reason}");
    };
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    vault_says("can be read by others");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&path, &right[..31]).unwrap();
    vault_says("has 31 bytes instead of 32");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    vault_says("is not a file");
    fs::remove_dir(&path).unwrap();
    let aside = scratch.0.path().join("aside");
    fs::write(&aside, &right).unwrap();
    std::os::unix::fs::symlink(&aside, &path).unwrap();
    vault_says("cannot be read");
}

#[tokio::test]
async fn a_new_vault_keeps_a_key_that_is_there() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.folder()).unwrap();
    fs::write(scratch.file("key"), [7; 32]).unwrap();
    // Not yet fit to be used: locked, and no database is made.
    fs::set_permissions(scratch.file("key"), fs::Permissions::from_mode(0o644)).unwrap();
    let vault = scratch.vault();
    assert!(locked(&vault).contains("can be read by others"));
    assert!(!scratch.file("cache.db").exists());
    fs::set_permissions(scratch.file("key"), fs::Permissions::from_mode(0o600)).unwrap();
    add(&vault, registration("app", "c")).await;
    assert_eq!(bytes(&scratch.file("key")), [7; 32]);
}

#[tokio::test]
async fn what_a_crash_left_is_cleared() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.folder()).unwrap();
    for draft in ["key.new", "cache.new"] {
        fs::write(scratch.file(draft), "half").unwrap();
    }
    let vault = Vault::start(scratch.options(WriterMode::Inline)).unwrap();
    add(&vault, registration("app", "c")).await;
    assert_eq!(vault.key_source(), "file");
    vault.close();
    let mut names: Vec<_> = fs::read_dir(scratch.folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["cache.db", "key", "lock"]);
    for name in names {
        let mode = fs::metadata(scratch.file(&name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}
