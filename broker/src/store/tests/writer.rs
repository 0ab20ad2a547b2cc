//! The writer: group commit, durability, jobs that fail or panic beside others, a full disk, and the end.

use std::time::Duration;

use token_broker_proto::calls::ExistingApplication;

use super::{Scratch, add, bytes, client, hit, partition, registration, sign_in, token};
use crate::store::{Saved, StoreError, Vault, WriterMode};

#[tokio::test]
async fn many_saves_at_once_are_all_durable() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    let application = add(&vault, registration("app", "c")).await;
    let mut saves = tokio::task::JoinSet::new();
    for index in 0..200 {
        let (vault, stamp) = (vault.clone(), application.stamp);
        saves.spawn(async move {
            let own = partition(&client("c"), Some(&format!("user{index}")));
            assert_eq!(vault.save_app_token(stamp, own.clone(), token("t", "mail")).await, Ok(Saved::Done));
            // What was answered is there for everybody, this very moment.
            assert!(hit(&vault, &own, "mail").is_some());
        });
    }
    while let Some(save) = saves.join_next().await {
        save.unwrap();
    }
    // As after a crash: what is on the disk now, journal included, before ours has closed anything.
    let crashed = Scratch::new();
    std::fs::create_dir(crashed.folder()).unwrap();
    for name in ["cache.db", "cache.db-wal", "key"] {
        std::fs::copy(scratch.file(name), crashed.file(name)).unwrap();
    }
    assert_eq!(crashed.vault().counts().unwrap().access_tokens, 200);
    drop(vault);
    assert_eq!(scratch.vault().counts().unwrap().access_tokens, 200);
}

#[tokio::test]
async fn writes_that_wait_are_committed_at_the_end() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    let application = add(&vault, registration("app", "c")).await;
    let own = partition(&client("c"), None);
    // The caller hangs up as soon as the write is on its way, and the vault is closed at once.
    for index in 0..100 {
        let save = vault.save_app_token(application.stamp, own.clone(), token("t", &format!("scope{index}")));
        let _ = tokio::time::timeout(Duration::ZERO, save).await;
    }
    vault.close();
    let vault = scratch.vault();
    assert_eq!(vault.counts().unwrap().access_tokens, 100);
    assert_eq!(application.stamp, vault.applications().unwrap()[0].stamp);
}

async fn failing_jobs_roll_back_alone(mode: WriterMode) {
    let scratch = Scratch::new();
    let vault = Vault::start(scratch.options(mode)).unwrap();
    add(&vault, registration("app", "c")).await;
    let (own, other) = (partition(&client("c"), None), partition(&client("c"), Some("a")));
    let (first, second, third) = (own.clone(), own.clone(), other.clone());
    let good = vault.write(move |tables| tables.put_token(&first, &token("good", "mail")));
    let failing = vault.write(move |tables| {
        tables.put_token(&second, &token("failing", "mail"))?;
        Err::<(), _>(StoreError::Corrupt("row".into()))
    });
    let panicking = vault.write(move |tables| -> Result<(), StoreError> {
        tables.put_token(&third, &token("panicking", "mail"))?;
        panic!("on purpose")
    });
    let (good, failing, panicking) = tokio::join!(good, failing, panicking);
    assert_eq!((good, failing), (Ok(()), Err(StoreError::Corrupt("row".into()))));
    assert!(matches!(panicking, Err(StoreError::Unavailable(_))), "{panicking:?}");
    assert_eq!((hit(&vault, &own, "mail").as_deref(), hit(&vault, &other, "mail")), (Some("good"), None));
    add(&vault, registration("still", "c")).await;
    assert_eq!(vault.verify().await.unwrap().problems, [""; 0]);
}

#[tokio::test]
async fn failing_jobs_roll_back_alone_on_the_thread() {
    failing_jobs_roll_back_alone(WriterMode::Thread).await;
}

#[tokio::test]
async fn failing_jobs_roll_back_alone_inline() {
    failing_jobs_roll_back_alone(WriterMode::Inline).await;
}

#[tokio::test]
async fn a_full_disk_is_said_and_passes() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    let application = add(&vault, registration("app", "c")).await;
    let limit = |pages: i64| {
        vault.write(move |tables| Ok(tables.db.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?))
    };
    limit(1).await.unwrap();
    let large = "x".repeat(100_000);
    let own = partition(&client("c"), None);
    let error = vault.save_app_token(application.stamp, own.clone(), token(&large, "mail")).await.unwrap_err();
    let StoreError::Unavailable(text) = &error else { panic!("{error:?}") };
    assert!(text.contains("cache.db: ") && text.contains("full"), "{text}");
    assert_eq!(hit(&vault, &own, "mail"), None);
    assert_eq!(vault.applications().unwrap().len(), 1);
    limit(1_000_000).await.unwrap();
    assert_eq!(vault.save_app_token(application.stamp, own.clone(), token(&large, "mail")).await, Ok(Saved::Done));
}

#[tokio::test]
async fn inline_does_the_same_on_the_callers_thread() {
    let scratch = Scratch::new();
    let vault = Vault::start(scratch.options(WriterMode::Inline)).unwrap();
    let application = add(&vault, registration("app", "c")).await;
    vault.save_sign_in(sign_in(&application, "a", "w")).await.unwrap();
    let here = std::thread::current().id();
    let there = vault.write(move |_| Ok(std::thread::current().id())).await;
    assert_eq!(there, Ok(here));
    vault.close();
    assert!(!scratch.file("cache.db-wal").exists(), "the journal is in the database");
    assert_eq!(scratch.vault().entries(None).unwrap().len(), 3);
}

#[tokio::test]
async fn the_end_is_the_end_for_every_handle() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    let other = vault.clone();
    let ended = vault.clone();
    vault.close();
    ended.writer_ended().await;
    assert!(matches!(other.applications(), Err(StoreError::Unavailable(text)) if text.contains("closed")));
    assert!(matches!(other.take_account(&client("c"), "a").await, Err(StoreError::Unavailable(_))));
    assert!(matches!(other.lock_reason(), Some(text) if text.contains("closed")));
    assert!(!scratch.file("cache.db-wal").exists(), "the journal is in the database");
}

#[tokio::test]
async fn a_file_that_is_moved_away_takes_no_more_writes() {
    for file in ["cache.db", "cache.db-wal"] {
        let scratch = Scratch::new();
        let vault = scratch.vault();
        add(&vault, registration("app", "c")).await;
        std::fs::rename(scratch.file(file), scratch.file("away")).unwrap();
        let save = || vault.save_application(registration("other", "d"), ExistingApplication::Refuse);
        let refused = save().await.unwrap_err();
        let path = scratch.file(file).display().to_string();
        assert!(matches!(&refused, StoreError::Unavailable(why) if why.starts_with(&path)), "{refused}");
        assert_eq!(vault.applications().unwrap().len(), 1, "what is there is served");
        assert_eq!(vault.notices().len(), 1);
        std::fs::rename(scratch.file("away"), scratch.file(file)).unwrap();
        assert!(save().await.is_ok(), "{file} is in its place again");
        assert_eq!(vault.notices().len(), 0);
    }
}

#[tokio::test]
async fn the_journal_of_another_database_is_left_alone() {
    let (scratch, other) = (Scratch::new(), Scratch::new());
    let (vault, theirs) = (scratch.vault(), other.vault());
    add(&vault, registration("ours", "c")).await;
    add(&theirs, registration("theirs", "d")).await;
    for name in ["cache.db", "cache.db-wal"] {
        std::fs::copy(other.file(name), other.file("copy")).unwrap();
        std::fs::rename(other.file("copy"), scratch.file(name)).unwrap();
    }
    let journal = bytes(&scratch.file("cache.db-wal"));
    vault.close();
    assert_eq!(bytes(&scratch.file("cache.db-wal")), journal);
}
