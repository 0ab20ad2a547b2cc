//! The data key: missing, wrong, or readable by others. The daemon says so, changes nothing, and opens without a restart when
//! the key is good again.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use token_broker_client::{Client, Reason};

use crate::bad_input::{Stage, has_words, of, refused, says};

/// The store is locked, for a reason with these words, wherever one asks.
async fn is_locked(client: &Client, words: &[&str]) {
    let failure = refused(client.token(&of("ada")).await);
    says(&failure, Reason::Locked, &["the store is locked"]);
    says(&failure, Reason::Locked, words);
    assert_eq!(failure.advice.as_deref(), Some("broker-cli status"));
    says(&refused(client.accounts(None).await), Reason::Locked, words);
    says(&refused(client.applications().await), Reason::Locked, words);
    let reason = client.status().await.expect("status is answered").lock_reason.expect("it is locked");
    has_words(&reason, words);
}

/// Spoils the key while the daemon is down, and mends it while it runs.
async fn locks(spoil: impl Fn(&Path), words: &[&str], mend: impl Fn(&Path)) {
    let mut stage = Stage::set().await;
    stage.daemon.stop().await;
    let (key, database) = (stage.daemon.data_dir().join("key"), stage.daemon.data_dir().join("cache.db"));
    let before = fs::read(&database).unwrap();
    spoil(&key);
    stage.daemon.try_start().await.expect("it starts locked");
    let client = stage.daemon.client();
    is_locked(&client, &[key.to_str().unwrap()]).await;
    is_locked(&client, words).await;
    assert_eq!(fs::read(&database).unwrap(), before, "nothing was changed");
    assert_eq!(fs::read_dir(stage.daemon.data_dir()).unwrap().filter(|it| is_aside(it.as_ref().unwrap())).count(), 0);
    mend(&key);
    stage.ada.is_served(&client).await;
    stage.still_refreshes().await;
}

fn is_aside(entry: &fs::DirEntry) -> bool {
    entry.file_name().to_string_lossy().contains("damaged")
}

#[tokio::test]
async fn missing() {
    let aside = |key: &Path| key.with_file_name("key.aside");
    let spoil = |key: &Path| fs::rename(key, aside(key)).unwrap();
    locks(spoil, &["is missing: put it back"], |key| fs::rename(aside(key), key).unwrap()).await;
}

#[tokio::test]
async fn another_one() {
    let aside = |key: &Path| key.with_file_name("key.aside");
    let spoil = |key: &Path| {
        fs::copy(key, aside(key)).unwrap();
        fs::write(key, [7; 32]).unwrap();
    };
    let words = ["is not the key this cache was sealed with"];
    locks(spoil, &words, |key| fs::rename(aside(key), key).unwrap()).await;
}

#[tokio::test]
async fn readable_by_others() {
    let set = |key: &Path, mode| fs::set_permissions(key, Permissions::from_mode(mode)).unwrap();
    for mode in [0o640, 0o604] {
        let words = ["can be read by others: chmod 600 it"];
        locks(|key| set(key, mode), &words, |key| set(key, 0o600)).await;
    }
}
