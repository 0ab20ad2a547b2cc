//! Purging by the hour of expiry, row counts, entries, and verification of a good store.

use std::time::Duration;

use token_broker_proto::{
    calls::{CacheEntryKind, StoreCounts},
    oauth::UnixTime,
};

use super::{Scratch, add, at, client, hit, name, partition, registration, sign_in, token, user};
use crate::{
    model::{CachedToken, Client},
    store::{StoredEntry, VerifyReport, WriterMode, tests::Vault},
};

const HOUR: i64 = 3600;

fn expiring(text: &str, expires_on: UnixTime) -> CachedToken {
    CachedToken { issued_on: expires_on.minus(Duration::from_secs(3600)), expires_on, ..token(text, text) }
}

#[tokio::test]
async fn expired_tokens_are_purged_by_the_hour() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    let application = add(&vault, registration("app", "c")).await;
    let own = partition(&client("c"), None);
    let on_the_hour = 1_700_000_000 / HOUR * HOUR;
    let now = |hours: i64| UnixTime::from_seconds(on_the_hour + hours * HOUR);
    for hours in [-9000, -48, -2, -1, 0, 1, 30] {
        let token = expiring(&format!("t{hours}"), now(hours).plus(Duration::from_secs(10)));
        vault.save_app_token(application.stamp, own.clone(), token).await.unwrap();
    }
    assert_eq!(vault.purge_expired(now(0)).await, Ok(4));
    assert_eq!(hit(&vault, &own, "t0").as_deref(), Some("t0"));
    assert_eq!(vault.counts().unwrap().access_tokens, 3);
    assert_eq!(vault.purge_expired(now(0)).await, Ok(0));
    assert_eq!(vault.purge_expired(now(2)).await, Ok(2));
    // The clock was wrong and comes back: what is saved then is purged in its time.
    let late = expiring("late", now(1));
    vault.save_app_token(application.stamp, own.clone(), late).await.unwrap();
    assert_eq!(vault.purge_expired(now(0)).await, Ok(0));
    assert_eq!(vault.purge_expired(now(2)).await, Ok(1));
    // Dead when it was saved: filed under the hour of its issue.
    let mut dead = token("dead", "dead");
    (dead.issued_on, dead.expires_on) = (now(2), now(-500));
    vault.save_app_token(application.stamp, own.clone(), dead).await.unwrap();
    assert_eq!(vault.purge_expired(now(3)).await, Ok(1));
    assert_eq!(vault.purge_expired(now(20_000)).await, Ok(1));
    assert_eq!(vault.counts().unwrap().access_tokens, 0);
    // The application and the mark.
    assert_eq!(vault.verify().await.unwrap(), VerifyReport { rows_checked: 2, problems: vec![] });
    scratch.sql().execute("UPDATE meta SET value = x'00' WHERE key = 'purge mark'", []).unwrap();
    assert_eq!(vault.verify().await.unwrap().problems, ["meta purge mark does not open"]);
    assert_eq!(vault.purge_expired(now(20_000)).await, Ok(0));
}

#[tokio::test]
async fn a_full_hour_is_purged_in_several_steps() {
    let scratch = Scratch::new();
    let vault = Vault::start(scratch.options(WriterMode::Inline)).unwrap();
    let application = add(&vault, registration("app", "c")).await;
    let own = partition(&client("c"), None);
    for index in 0..1203 {
        let token = expiring(&format!("t{index}"), at(0));
        vault.save_app_token(application.stamp, own.clone(), token).await.unwrap();
    }
    assert_eq!(vault.purge_expired(at(2 * HOUR)).await, Ok(1203));
    assert_eq!(vault.counts().unwrap().access_tokens, 0);
}

#[tokio::test]
async fn counts_follow_every_way_a_row_can_come_and_go() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    let counts = |applications, accounts, refresh_tokens, access_tokens| StoreCounts {
        applications,
        accounts,
        access_tokens,
        refresh_tokens,
    };
    assert_eq!(vault.counts().unwrap(), counts(0, 0, 0, 0));
    let application = add(&vault, registration("app", "c")).await;
    for home in ["a", "b", "a"] {
        vault.save_sign_in(sign_in(&application, home, home)).await.unwrap();
    }
    assert_eq!(vault.counts().unwrap(), counts(1, 2, 2, 2));
    vault.remove_entry("rt-2".parse().unwrap()).await.unwrap();
    assert_eq!(vault.counts().unwrap(), counts(1, 2, 1, 2));
    vault.take_account(&client("c"), "b").await.unwrap();
    assert_eq!(vault.counts().unwrap(), counts(1, 1, 1, 1));
    vault.remove_application(&name("app")).await.unwrap();
    assert_eq!(vault.counts().unwrap(), counts(0, 0, 0, 0));
    let left: i64 = scratch.sql().query_row("SELECT count(*) FROM posting", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0, "postings go with their token");
}

#[tokio::test]
async fn entries_show_everything_but_the_token() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    let application = add(&vault, registration("app", "c")).await;
    vault.save_sign_in(sign_in(&application, "a", "first")).await.unwrap();
    vault.save_app_token(application.stamp, partition(&client("c"), None), token("app-only", "x")).await.unwrap();
    let entries = vault.entries(Some(&client("c"))).unwrap();
    assert!(vault.entries(Some(&client("d"))).unwrap().is_empty());
    let ids: Vec<_> = entries.iter().map(|entry| entry.id.to_string()).collect();
    assert_eq!(ids, ["at-1", "at-2", "rt-1", "id-1"]);
    assert!(!format!("{entries:?}").contains("first-"));
    for entry in &entries {
        assert_eq!(vault.find_entry(entry.id).unwrap().as_ref(), Some(entry));
        assert_eq!(entry.client, client("c"));
        let of_user = entry.id.to_string() != "at-2";
        assert_eq!(entry.user, of_user.then(|| user("a")));
        assert_eq!(entry.expires_on.is_some(), entry.id.kind == CacheEntryKind::AccessToken);
        assert_eq!(entry.generation, (entry.id.kind == CacheEntryKind::RefreshToken).then_some(1));
        assert_eq!(vault.remove_entry(entry.id).await, Ok(true));
        assert_eq!(vault.remove_entry(entry.id).await, Ok(false));
        assert_eq!(vault.find_entry(entry.id).unwrap(), None);
    }
}

/// All pages of this size, one after the other.
async fn pages(vault: &Vault, of: Option<Client>, size: usize) -> Vec<StoredEntry> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = vault.entries_after(of.clone(), after, size).await.unwrap();
        assert!(page.entries.len() <= size);
        all.extend(page.entries);
        match page.next {
            Some(next) => after = Some(next),
            None => return all,
        }
    }
}

#[tokio::test]
async fn pages_of_any_size_are_the_whole_list() {
    for mode in [WriterMode::Thread, WriterMode::Inline] {
        let scratch = Scratch::new();
        let vault = Vault::start(scratch.options(mode)).unwrap();
        assert_eq!(pages(&vault, None, 3).await, vec![]);
        let (one, other) = (registration("app", "c"), registration("other", "d"));
        for application in [add(&vault, one).await, add(&vault, other).await] {
            for index in 0..7 {
                vault.save_sign_in(sign_in(&application, &format!("user{index}"), "w")).await.unwrap();
            }
        }
        for id in ["at-3", "rt-9", "id-14"] {
            vault.remove_entry(id.parse().unwrap()).await.unwrap();
        }
        for of in [None, Some(client("c")), Some(client("d"))] {
            let whole = vault.entries(of.as_ref()).unwrap();
            for size in [1, 2, 5, 100] {
                assert_eq!(pages(&vault, of.clone(), size).await, whole, "{size}");
            }
        }
    }
}

#[tokio::test]
async fn the_surroundings_are_looked_at_as_they_are_now() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    assert_eq!(vault.try_to_write(at(0)).await, Ok(()));
    let found = vault.surroundings();
    assert!(found.key_problem.is_none() && found.is_in_place && found.free_bytes.is_some_and(|free| free > 0));
    assert_eq!(found.folder_mode, Some(0o700));
    let application = add(&vault, registration("app", "c")).await;
    vault.save_sign_in(sign_in(&application, "a", "w")).await.unwrap();
    let counts = vault.grant_counts(at(0)).await.unwrap();
    assert_eq!((counts.live, counts.backing_off, counts.refused), (1, 0, 0));
    std::fs::remove_file(scratch.file("key")).unwrap();
    std::fs::remove_file(scratch.file("cache.db")).unwrap();
    let found = vault.surroundings();
    assert!(found.key_problem.is_some_and(|why| why.contains("is missing")) && !found.is_in_place);
}

#[tokio::test]
async fn a_good_store_has_no_problems() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    let application = add(&vault, registration("app", "c")).await;
    for index in 0..20 {
        vault.save_sign_in(sign_in(&application, &format!("user{index}"), "w")).await.unwrap();
    }
    let (one, other) = tokio::join!(vault.verify(), vault.verify());
    assert_eq!(one, Ok(VerifyReport { rows_checked: 82, problems: vec![] }));
    assert_eq!(one, other);
}
