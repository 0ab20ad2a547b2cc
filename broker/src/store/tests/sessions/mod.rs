//! Sign-in, refresh and sign-out against each other: what was begun for something that is gone or was replaced is discarded.

mod on_behalf_of;

use std::time::Duration;

use proptest::prelude::*;
use token_broker_proto::{Secret, oauth::UnixTime};

use super::{
    Scratch, add, at, client, grant, grant_key, hit, identity, partition, refresh, registration, scopes, sign_in, user,
};
use crate::{
    model::{Backoff, CachedToken, Grant, GrantHolder, GrantKey, GrantStamp, GrantState, RefreshToken},
    store::{Saved, SignInRecord, Vault, WriterMode},
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_a_refresh_brought_reads_back(
        texts in proptest::collection::vec("\\PC{1,32}", 5),
        times in proptest::collection::vec(any::<i64>(), 3),
        refresh_on in proptest::option::of(any::<i64>()),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let scratch = Scratch::new();
        let vault = Vault::start(scratch.options(WriterMode::Inline)).unwrap();
        let application = runtime.block_on(add(&vault, registration("app", "client")));
        let mut record = sign_in(&application, &texts[0], "first");
        record.user.name = Some(texts[1].clone());
        runtime.block_on(vault.save_sign_in(record.clone())).unwrap();
        let mut refresh = refresh(&vault, &application, &texts[0], "second");
        let token = &mut refresh.token.1;
        token.access_token = Secret::new(texts[2].as_str());
        token.token_type.clone_from(&texts[3]);
        token.issued_on = UnixTime::from_seconds(times[0]);
        token.expires_on = UnixTime::from_seconds(times[1]);
        token.refresh_on = refresh_on.map(UnixTime::from_seconds);
        let rotated = RefreshToken::new(Secret::new(texts[4].as_str()));
        refresh.new_grant = Some(Grant::issued(rotated, scopes("mail"), UnixTime::from_seconds(times[2])));
        prop_assert_eq!(runtime.block_on(vault.save_refresh(refresh.clone())), Ok(Saved::Done));
        drop(vault);
        let vault = Vault::start(scratch.options(WriterMode::Inline)).unwrap();
        let found = vault.find_token(&refresh.token.0, &scopes("mail"), &|_| true).unwrap().unwrap();
        let shown = |token: &CachedToken| {
            let text = (token.access_token.expose().to_owned(), token.token_type.clone());
            (text, token.issued_on, token.expires_on, token.refresh_on, token.scopes.clone())
        };
        prop_assert_eq!(shown(&found), shown(&refresh.token.1));
        let (stamp, grant) = vault.find_grant(&refresh.grant_key).unwrap().unwrap();
        prop_assert_eq!(stamp.generation, refresh.stamp.generation + 1);
        prop_assert_eq!(grant.refresh_token.secret().expose(), texts[4].as_str());
        prop_assert_eq!((grant.obtained_on.seconds(), grant.scopes), (times[2], scopes("mail")));
        let users = vault.find_users(&refresh.client, Some(texts[0].as_str())).unwrap();
        prop_assert_eq!(users.to_vec(), vec![record.user]);
    }
}

#[tokio::test]
async fn a_rotation_counts_and_replaces_the_token() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    let application = add(&vault, registration("app", "c")).await;
    let key = grant_key(&client("c"), "user");
    vault.save_sign_in(sign_in(&application, "user", "first")).await.unwrap();
    let (first, _) = vault.find_grant(&key).unwrap().unwrap();
    assert_eq!(first.generation, 1);

    let record = refresh(&vault, &application, "user", "second");
    assert_eq!(vault.save_refresh(record.clone()).await, Ok(Saved::Done));
    let (second, rotated) = vault.find_grant(&key).unwrap().unwrap();
    assert_eq!(second, GrantStamp { row: first.row, generation: 2 });
    assert_eq!(rotated.refresh_token.secret().expose(), "second-rt");
    assert_eq!(hit(&vault, &partition(&client("c"), Some("user")), "mail").as_deref(), Some("second-at"));
    assert_eq!(vault.save_identity(&client("c"), "", "user", identity("second-id")).await, Ok(Saved::Done));
    let documents = vault.find_identity(&client("c"), "", "user").unwrap().unwrap();
    assert_eq!(documents.id_token.expose(), "second-id");
    let nobody = vault.save_identity(&client("c"), "", "nobody", identity("stray")).await;
    assert_eq!(nobody, Ok(Saved::Discarded));
    // The same stamp does not fit twice.
    assert_eq!(vault.save_refresh(record).await, Ok(Saved::Discarded));
}

#[tokio::test]
async fn without_rotation_the_grant_stays_and_works_again() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    let application = add(&vault, registration("app", "c")).await;
    let key = grant_key(&client("c"), "user");
    vault.save_sign_in(sign_in(&application, "user", "first")).await.unwrap();
    let (stamp, _) = vault.find_grant(&key).unwrap().unwrap();
    let pause =
        GrantState::BackingOff(Backoff { since: at(1), until: at(9), failures: 3, answer_lost: true, unsent: true });
    assert_eq!(vault.set_grant_state(&key, stamp, pause.clone()).await, Ok(Saved::Done));
    assert_eq!(vault.find_grant(&key).unwrap().unwrap().1.state, pause);

    let mut record = refresh(&vault, &application, "user", "second");
    record.new_grant = None;
    assert_eq!(vault.save_refresh(record).await, Ok(Saved::Done));
    let (same, kept) = vault.find_grant(&key).unwrap().unwrap();
    assert_eq!((same, kept.state), (stamp, GrantState::Live));
    assert_eq!(kept.refresh_token.secret().expose(), "first-rt");
    assert_eq!((kept.obtained_on, kept.last_used_on), (at(0), at(0).plus(Duration::from_secs(50))));
}

#[tokio::test]
async fn a_refresh_loses_against_a_sign_out() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    let application = add(&vault, registration("app", "c")).await;
    for home in ["user", "other"] {
        vault.save_sign_in(sign_in(&application, home, home)).await.unwrap();
    }
    let record = refresh(&vault, &application, "user", "late");
    assert_eq!(vault.take_account(&client("c"), "user").await.map(|grant| grant.is_some()), Ok(true));
    assert_eq!(vault.save_refresh(record).await, Ok(Saved::Discarded));
    assert_eq!(vault.take_account(&client("c"), "user").await.map(|grant| grant.is_some()), Ok(false));
    assert_eq!(hit(&vault, &partition(&client("c"), Some("user")), "mail"), None);
    assert!(vault.find_identity(&client("c"), "", "user").unwrap().is_none());
    assert_eq!(vault.users(&client("c"), 9), Ok(vec![user("other")]));
    assert_eq!(vault.entries(None).unwrap().len(), 3);
}

#[tokio::test]
async fn a_family_grant_goes_with_its_last_client_and_brings_no_token_back() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    let application = add(&vault, registration("app", "c")).await;
    let family = GrantKey { holder: GrantHolder::Family("1".into()), ..grant_key(&client("c"), "user") };
    let mut record = sign_in(&application, "user", "first");
    record.grant = Some((family.clone(), grant("family-rt")));
    vault.save_sign_in(record).await.unwrap();
    let other = add(&vault, registration("other", "d")).await;
    let mut record = sign_in(&other, "user", "second");
    record.grant = Some((family.clone(), grant("family-rt")));
    vault.save_sign_in(record).await.unwrap();
    assert!(vault.find_grant(&grant_key(&client("c"), "user")).unwrap().is_none());
    let (stamp, _) = vault.find_grant(&family).unwrap().unwrap();

    assert!(vault.take_account(&client("c"), "user").await.unwrap().is_none());
    assert!(vault.find_grant(&family).unwrap().is_some());
    let again = sign_in(&application, "user", "late");
    let record = crate::store::RefreshRecord {
        stamp,
        grant_key: family.clone(),
        client: client("c"),
        home_account_id: "user".into(),
        token: again.token.unwrap(),
        new_grant: None,
    };
    assert_eq!(vault.save_refresh(record).await, Ok(Saved::Discarded));

    let last = vault.take_account(&client("d"), "user").await.unwrap();
    assert_eq!(last.unwrap().refresh_token.secret().expose(), "family-rt", "handed over to be revoked");
    assert!(vault.find_grant(&family).unwrap().is_none());
}

#[tokio::test]
async fn damaged_rows_of_a_family_keep_nobody_signed_in() {
    for damaged in [&["grant_token"][..], &["app_metadata"], &["grant_token", "app_metadata"]] {
        let scratch = Scratch::new();
        let vault = scratch.vault();
        let application = add(&vault, registration("app", "c")).await;
        let family = client("c").family_grant_key("1", "user");
        let record = sign_in(&application, "user", "first");
        let grant = Some((family.clone(), grant("family-rt")));
        vault.save_sign_in(SignInRecord { grant, ..record }).await.unwrap();
        for table in damaged {
            scratch.sql().execute(&format!("UPDATE {table} SET sealed = x'00'"), []).unwrap();
        }
        let is_known = !damaged.contains(&"app_metadata");
        assert_eq!(vault.find_app_metadata(&client("c")).map(|known| known.is_some()), Ok(is_known), "{damaged:?}");
        let taken = vault.take_account(&client("c"), "user").await.unwrap();
        assert_eq!(taken.is_some(), !damaged.contains(&"grant_token"), "{damaged:?}");
        let counts = vault.counts().unwrap();
        assert_eq!((counts.accounts, counts.refresh_tokens), (0, 0), "{damaged:?}");
    }
}

#[tokio::test]
async fn a_refresh_loses_against_a_new_sign_in() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    let application = add(&vault, registration("app", "c")).await;
    let key = grant_key(&client("c"), "user");
    vault.save_sign_in(sign_in(&application, "user", "first")).await.unwrap();
    let record = refresh(&vault, &application, "user", "late");
    vault.save_sign_in(sign_in(&application, "user", "second")).await.unwrap();

    assert_eq!(vault.save_refresh(record.clone()).await, Ok(Saved::Discarded));
    let refused = GrantState::Refused { since: at(1), error: "invalid_grant".into(), answer_lost: false };
    assert_eq!(vault.set_grant_state(&key, record.stamp, refused).await, Ok(Saved::Discarded));
    let (stamp, kept) = vault.find_grant(&key).unwrap().unwrap();
    assert_eq!((stamp.generation, kept.state), (1, GrantState::Live));
    assert!(stamp.row > record.stamp.row);
    assert_eq!(kept.refresh_token.secret().expose(), "second-rt");
    assert_eq!(vault.counts().unwrap().refresh_tokens, 1);
}

#[tokio::test]
async fn users_are_found_by_id_and_by_username() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    let application = add(&vault, registration("app", "c")).await;
    for home in ["b", "a", "\u{c9}mile"] {
        vault.save_sign_in(sign_in(&application, home, home)).await.unwrap();
    }
    let mut namesake = sign_in(&application, "guest", "guest");
    namesake.user.username = "A@example.ORG".into();
    vault.save_sign_in(namesake).await.unwrap();
    let found = |selector: &str| -> Vec<String> {
        vault
            .find_users(&client("c"), Some(selector))
            .unwrap()
            .iter()
            .map(|user| user.home_account_id.clone())
            .collect()
    };
    assert_eq!(found("a"), ["a"]);
    assert_eq!(found("a@EXAMPLE.org"), ["a", "guest"]);
    assert_eq!(found("\u{e9}mile@example.org"), ["\u{c9}mile"]);
    assert_eq!(found("A"), [""; 0]);
    assert_eq!(found(""), [""; 0]);
    assert!(vault.find_users(&client("other"), Some("a")).unwrap().is_empty());
    let first = vault.users(&client("c"), 2).unwrap();
    assert_eq!(first, [user("b"), user("a")]);
    // Signing in again brings the account up to date and keeps its place.
    let mut again = sign_in(&application, "b", "again");
    again.user.username = "new@example.org".into();
    vault.save_sign_in(again).await.unwrap();
    assert_eq!(found("new@example.org"), ["b"]);
    assert_eq!(found("b@example.org"), [""; 0]);
    assert_eq!(vault.users(&client("c"), 1).unwrap()[0].username, "new@example.org");
    assert_eq!(vault.counts().unwrap().accounts, 4);
}
