//! Scope matching: "requested ⊆ granted" by the postings, against a naive model; partitions; newest first; replacement.

use proptest::prelude::*;

use super::{Scratch, add, at, client, hit, name, partition, registration, scopes, sign_in, token};
use crate::{
    model::{ApplicationStamp, CachedToken, TokenPartition},
    store::{Saved, Vault, WriterMode},
};

async fn put(vault: &Vault, stamp: ApplicationStamp, partition: &TokenPartition, token: CachedToken) {
    assert_eq!(vault.save_app_token(stamp, partition.clone(), token).await, Ok(Saved::Done));
}

#[tokio::test]
async fn a_token_serves_every_subset_of_its_scopes() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    let application = add(&vault, registration("app", "c")).await;
    let own = partition(&client("c"), None);
    put(&vault, application.stamp, &own, token("one", "openid mail files.read")).await;
    for (requested, found) in [
        ("mail", true),
        ("mail files.read", true),
        ("files.read", true),
        ("", true),
        ("openid offline_access profile", true),
        ("mail offline_access", true),
        ("Mail", false),
        ("mail calendar", false),
        ("files", false),
    ] {
        assert_eq!(hit(&vault, &own, requested).is_some(), found, "{requested:?}");
    }
}

#[tokio::test]
async fn trap_10_a_token_that_is_bound_to_a_key_is_no_bearer_token() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    let application = add(&vault, registration("app", "c")).await;
    let bearer = partition(&client("c"), Some("ada"));
    let kinds = [
        TokenPartition { token_type: "ssh-cert".into(), key_id: "k1".into(), ..bearer.clone() },
        TokenPartition { token_type: "ssh-cert".into(), key_id: "k2".into(), ..bearer.clone() },
        TokenPartition { token_type: "pop".into(), key_id: "k1".into(), ..bearer.clone() },
        TokenPartition { extra: "fmi/path".into(), ..bearer.clone() },
    ];
    for (index, kind) in kinds.iter().enumerate() {
        put(&vault, application.stamp, kind, token(&index.to_string(), "mail")).await;
    }
    assert_eq!(hit(&vault, &bearer, "mail"), None);
    put(&vault, application.stamp, &bearer, token("bearer", "mail")).await;
    assert_eq!(hit(&vault, &bearer, "mail").as_deref(), Some("bearer"));
    for (index, kind) in kinds.iter().enumerate() {
        assert_eq!(hit(&vault, kind, "mail"), Some(index.to_string()), "{kind:?}");
    }
}

#[tokio::test]
async fn the_newest_that_is_accepted_wins() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    let application = add(&vault, registration("app", "c")).await;
    let own = partition(&client("c"), None);
    for (text, granted) in [("first", "mail"), ("second", "mail files"), ("third", "mail calendar")] {
        put(&vault, application.stamp, &own, token(text, granted)).await;
    }
    assert_eq!(hit(&vault, &own, "mail").as_deref(), Some("third"));
    assert_eq!(hit(&vault, &own, "files").as_deref(), Some("second"));
    let older = |token: &CachedToken| token.access_token.expose() != "third";
    let found = vault.find_token(&own, &scopes("mail"), &older).unwrap().unwrap();
    assert_eq!(found.access_token.expose(), "second");
    assert!(vault.find_token(&own, &scopes("mail"), &|_| false).unwrap().is_none());
    // With the same scopes it takes the place of the older one, and is the newest.
    put(&vault, application.stamp, &own, token("fourth", "mail")).await;
    assert_eq!(hit(&vault, &own, "mail").as_deref(), Some("fourth"));
    assert_eq!(vault.counts().unwrap().access_tokens, 3);
}

#[tokio::test]
async fn what_was_saved_comes_back_unchanged() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    let application = add(&vault, registration("app", "c")).await;
    let own = partition(&client("c"), None);
    let mut saved = token("with \"quotes\" and \u{e9}\n", "b a");
    saved.refresh_on = Some(at(1800));
    put(&vault, application.stamp, &own, saved.clone()).await;
    let found = vault.find_token(&own, &scopes("a"), &|_| true).unwrap().unwrap();
    assert_eq!(found.access_token.expose(), saved.access_token.expose());
    assert_eq!((found.token_type, found.scopes), (saved.token_type, saved.scopes));
    assert_eq!((found.issued_on, found.expires_on), (saved.issued_on, saved.expires_on));
    assert_eq!(found.refresh_on, saved.refresh_on);
}

#[tokio::test]
async fn partitions_never_mix() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    let application = add(&vault, registration("app", "c")).await;
    let base = partition(&client("c"), Some("user"));
    let variants = [
        base.clone(),
        TokenPartition { environment: "other.example".into(), ..base.clone() },
        TokenPartition { client_id: client("other").client_id, ..base.clone() },
        TokenPartition { home_account_id: Some("other".into()), ..base.clone() },
        TokenPartition { home_account_id: Some(String::new()), ..base.clone() },
        TokenPartition { home_account_id: None, ..base.clone() },
        TokenPartition { tenant: "t".into(), ..base.clone() },
        TokenPartition { token_type: "pop".into(), ..base.clone() },
        TokenPartition { key_id: "k".into(), ..base.clone() },
        TokenPartition { extra: "k".into(), ..base.clone() },
    ];
    for own in &variants {
        assert_eq!(hit(&vault, own, "mail"), None);
    }
    for (index, own) in variants.iter().enumerate() {
        put(&vault, application.stamp, own, token(&format!("token {index}"), "mail")).await;
    }
    for (index, own) in variants.iter().enumerate() {
        assert_eq!(hit(&vault, own, "mail"), Some(format!("token {index}")));
    }
}

#[tokio::test]
async fn everything_survives_a_restart() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    let application = add(&vault, registration("app", "c")).await;
    vault.save_sign_in(sign_in(&application, "user", "first")).await.unwrap();
    let (entries, accounts) = (vault.entries(None).unwrap(), vault.accounts().unwrap());
    vault.close();
    let vault = scratch.vault();
    assert_eq!(vault.entries(None).unwrap(), entries);
    assert_eq!(entries.len(), 3);
    assert_eq!(vault.accounts().unwrap(), accounts);
    assert_eq!(vault.applications().unwrap()[0].application.name, name("app"));
    assert_eq!(hit(&vault, &partition(&client("c"), Some("user")), "mail").as_deref(), Some("first-at"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Tokens with random scopes out of six letters, saved in two partitions, then every request of up to three letters.
    #[test]
    fn matching_is_that_of_a_naive_model(
        saved in proptest::collection::vec((any::<bool>(), "[a-f]{0,6}"), 0..24),
        requests in proptest::collection::vec((any::<bool>(), "[a-g]{0,3}", 0_usize..24), 1..24),
    ) {
        let scratch = Scratch::new();
        let vault = Vault::start(scratch.options(WriterMode::Inline)).unwrap();
        let spaced = |letters: &str| letters.chars().flat_map(|letter| [letter, ' ']).collect::<String>();
        let owner = |first: bool| partition(&client("c"), Some(if first { "one" } else { "two" }));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let stamp = runtime.block_on(add(&vault, registration("app", "c"))).stamp;
        let mut model: Vec<(bool, CachedToken)> = Vec::new();
        for (index, (first, letters)) in saved.iter().enumerate() {
            let token = token(&index.to_string(), &spaced(letters));
            model.retain(|(own, old)| (own, &old.scopes) != (first, &token.scopes));
            model.push((*first, token.clone()));
            runtime.block_on(put(&vault, stamp, &owner(*first), token));
        }
        for (first, letters, refused) in &requests {
            let requested = scopes(&spaced(letters));
            let accept = |token: &CachedToken| token.access_token.expose() != refused.to_string();
            let fits = |(own, token): &&(bool, CachedToken)| {
                own == first && requested.is_covered_by(&token.scopes) && accept(token)
            };
            let expected = model.iter().rev().find(fits).map(|(_, token)| token.access_token.expose().to_owned());
            let found = vault.find_token(&owner(*first), &requested, &accept).unwrap();
            prop_assert_eq!(found.map(|token| token.access_token.expose().to_owned()), expected);
        }
    }
}
