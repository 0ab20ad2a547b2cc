//! Registrations: refuse, replace, update; what is removed with them; work that was begun for an old one.

use std::{sync::Arc, time::Duration};

use token_broker_proto::{
    Secret,
    calls::{ApplicationOptions, ApplicationSelector, ExistingApplication, OptionTexts},
    oauth::{Authority, ClientId},
};

use super::{
    ISSUER, Scratch, add, client, grant_key, hit, name, partition, refresh, registration, scopes, sign_in, token,
};
use crate::{
    model::{AppMetadata, Certificate, Credential, KeyKind, PrivateKey, RegisteredApplication},
    store::{
        ImportRecord, Imported, RemovedApplication, Saved, SavedApplication, SignInRecord, StoredApplication, Vault,
    },
};

fn with_secret(registration: RegisteredApplication, secret: &str) -> RegisteredApplication {
    RegisteredApplication { credential: Credential::Secret(Secret::new(secret)), ..registration }
}

async fn save(vault: &Vault, new: RegisteredApplication, existing: ExistingApplication) -> SavedApplication {
    vault.save_application(new, existing).await.unwrap()
}

fn find(vault: &Vault, text: &str) -> StoredApplication {
    vault.find_application(&ApplicationSelector::Name(name(text))).unwrap().unwrap().as_ref().clone()
}

fn secret(application: &StoredApplication) -> Option<&str> {
    match &application.application.credential {
        Credential::Secret(secret) => Some(secret.expose()),
        Credential::Certificate(certificate) => Some(certificate.key.secret.expose()),
        Credential::Public | Credential::AssertionFile(_) | Credential::AssertionFrom(_) => None,
    }
}

#[tokio::test]
async fn every_kind_of_credential_reads_back_and_is_compared() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    let certificate = |leaf: u8, send_x5c| {
        let point = if leaf == 1 { Vec::new() } else { vec![4, 5] };
        let kind = if leaf == 1 { KeyKind::Rsa } else { KeyKind::P384 };
        let key = PrivateKey { kind, secret: Secret::new("cHJpdmF0ZQ=="), point };
        let not_after = token_broker_proto::oauth::UnixTime::from_seconds(7);
        Credential::Certificate(Arc::new(Certificate { chain: vec![vec![leaf], vec![9]], key, not_after, send_x5c }))
    };
    let kinds = [
        Credential::Public,
        Credential::Secret(Secret::new("s3cr3t")),
        certificate(1, false),
        certificate(1, true),
        certificate(2, false),
        Credential::AssertionFile("/run/assertion".into()),
        Credential::AssertionFrom(name("other")),
    ];
    for (index, credential) in kinds.iter().enumerate() {
        let new = RegisteredApplication { credential: credential.clone(), ..registration(&format!("app{index}"), "c") };
        let added = add(&vault, new.clone()).await;
        let found = find(&vault, &format!("app{index}"));
        assert_eq!(added.fingerprint, found.fingerprint);
        for (other_index, other) in kinds.iter().enumerate() {
            assert_eq!(found.application.credential.is(other), index == other_index, "{index} and {other_index}");
        }
        let again = save(&vault, new, ExistingApplication::Replace).await;
        assert!(matches!(again, SavedApplication::Unchanged(_)), "{index}");
    }
}

fn options(number: usize) -> ApplicationOptions {
    if number == 0 {
        return ApplicationOptions::default();
    }
    let pair = |name: &str| vec![(name.to_owned(), "a b".to_owned())];
    let texts = OptionTexts {
        region: "westus2".into(),
        extra_query: pair("audience"),
        extra_body: pair("tag"),
        exclude_scopes: vec!["profile".into()],
        assertion_claims: r#"{"a":1}"#.into(),
        app_name: "Report maker".into(),
        app_version: "1".into(),
    };
    texts.try_into().unwrap()
}

#[tokio::test]
async fn every_kind_of_authority_reads_back() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    let endpoints = token_broker_proto::oauth::Endpoints {
        token: "https://x.example/token".parse().unwrap(),
        authorization: None,
        device_authorization: Some("https://x.example/device".parse().unwrap()),
    };
    let kinds = [
        Authority::from_issuer(ISSUER).unwrap(),
        Authority::from_tenant("common").unwrap(),
        Authority::Endpoints(endpoints),
    ];
    for (index, authority) in kinds.into_iter().enumerate() {
        let text = format!("app{index}");
        let new = RegisteredApplication {
            authority: authority.clone(),
            redirect_uri: Some("http://localhost/x".into()),
            keep_alive: Some(Duration::from_secs(86_400)),
            options: options(index),
            ..with_secret(registration(&text, "c"), "s3cr3t")
        };
        let added = add(&vault, new.clone()).await;
        let found = find(&vault, &text);
        assert_eq!((found.stamp, &found.fingerprint), (added.stamp, &added.fingerprint));
        assert_eq!(found.application.authority, authority);
        assert_eq!((&found.application.scopes, &found.application.redirect_uri), (&new.scopes, &new.redirect_uri));
        assert_eq!(found.application.keep_alive, new.keep_alive);
        assert_eq!((&found.application.options, new.options.is_empty()), (&new.options, index == 0));
        assert_eq!(secret(&found), Some("s3cr3t"));
        let by_client = ApplicationSelector::Client { client_id: new.client_id, authority: Box::new(authority) };
        assert_eq!(vault.find_application(&by_client).unwrap().unwrap().stamp, added.stamp);
    }
    let fingerprint = find(&vault, "app0").fingerprint.unwrap();
    assert_eq!(fingerprint, vault.fingerprint(&Secret::new("s3cr3t")).unwrap());
    assert!(fingerprint.len() == 16 && fingerprint.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_ne!(fingerprint, vault.fingerprint(&Secret::new("s3cr3T")).unwrap());
}

#[tokio::test]
async fn a_client_is_the_first_name_with_that_registration() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    for text in ["zebra", "ant"] {
        add(&vault, registration(text, "c")).await;
    }
    let by_client = ApplicationSelector::Client {
        client_id: ClientId::parse("c").unwrap(),
        authority: Box::new(Authority::from_issuer(ISSUER).unwrap()),
    };
    assert_eq!(vault.find_application(&by_client).unwrap().unwrap().application.name, name("zebra"));
    let names: Vec<_> = vault.applications().unwrap().into_iter().map(|one| one.application.name).collect();
    assert_eq!(names, [name("ant"), name("zebra")]);
}

#[tokio::test]
async fn a_taken_name_is_refused_replaced_or_updated() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    let original = with_secret(registration("app", "c"), "old");
    let added = add(&vault, original.clone()).await;
    assert!(matches!(save(&vault, original.clone(), ExistingApplication::Refuse).await, SavedApplication::Exists));
    for existing in [ExistingApplication::Replace, ExistingApplication::Update] {
        let saved = save(&vault, original.clone(), existing).await;
        assert!(matches!(saved, SavedApplication::Unchanged(same) if same.stamp == added.stamp));
    }
    // No credential given: update keeps the old one. Nothing else differs either, so nothing happens.
    let saved = save(&vault, registration("app", "c"), ExistingApplication::Update).await;
    assert!(matches!(saved, SavedApplication::Unchanged(_)), "{saved:?}");
    let wider = RegisteredApplication { scopes: scopes("mail files"), ..registration("app", "c") };
    let saved = save(&vault, wider.clone(), ExistingApplication::Update).await;
    assert!(matches!(&saved, SavedApplication::Replaced(new) if new.stamp.0 > added.stamp.0), "{saved:?}");
    assert_eq!(secret(&find(&vault, "app")), Some("old"));
    // A new secret counts as a change, and replace keeps none.
    save(&vault, with_secret(wider.clone(), "new"), ExistingApplication::Update).await;
    assert_eq!(secret(&find(&vault, "app")), Some("new"));
    save(&vault, wider.clone(), ExistingApplication::Replace).await;
    assert_eq!(secret(&find(&vault, "app")), None);
    // Another client does not inherit a secret.
    save(&vault, with_secret(wider, "new"), ExistingApplication::Update).await;
    save(&vault, registration("app", "another"), ExistingApplication::Update).await;
    assert_eq!(secret(&find(&vault, "app")), None);
    assert_eq!(vault.counts().unwrap().applications, 1);
}

#[tokio::test]
async fn tokens_go_with_the_last_name_of_their_client() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    let one = add(&vault, registration("one", "c")).await;
    let two = add(&vault, registration("two", "c")).await;
    let other = add(&vault, registration("other", "d")).await;
    for (application, home) in [(&one, "a"), (&two, "b"), (&other, "a")] {
        vault.save_sign_in(sign_in(application, home, home)).await.unwrap();
    }
    assert_eq!(vault.remove_application(&name("one")).await, Ok(Some(RemovedApplication::default())));
    assert_eq!(vault.users(&client("c"), 9).unwrap().len(), 2);
    let removed = RemovedApplication { accounts: 2, tokens: 4 };
    assert_eq!(vault.remove_application(&name("two")).await, Ok(Some(removed)));
    assert_eq!(vault.remove_application(&name("two")).await, Ok(None));
    assert!(vault.entries(Some(&client("c"))).unwrap().is_empty());
    assert_eq!(vault.entries(None).unwrap().len(), 3);
    assert_eq!(vault.verify().await.unwrap().problems, [""; 0]);
}

#[tokio::test]
async fn a_family_grant_goes_with_the_last_application_of_its_family() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    let family = client("c").family_grant_key("1", "a");
    for (text, client_id) in [("one", "c"), ("two", "d"), ("three", "e")] {
        let stored = add(&vault, registration(text, client_id)).await;
        let signed_in = sign_in(&stored, "a", text);
        let grant = signed_in.grant.clone().map(|(_, grant)| (family.clone(), grant));
        vault.save_sign_in(SignInRecord { grant, ..signed_in }).await.unwrap();
    }
    let one = RemovedApplication { accounts: 1, tokens: 1 };
    assert_eq!(vault.remove_application(&name("one")).await, Ok(Some(one)));
    // It has left the family, and its account is still there.
    vault.save_app_metadata(&client("e"), AppMetadata { family: None }).await.unwrap();
    assert!(vault.find_grant(&family).unwrap().is_some());
    let two = RemovedApplication { accounts: 1, tokens: 2 };
    assert_eq!(vault.remove_application(&name("two")).await, Ok(Some(two)));
    assert!(vault.find_grant(&family).unwrap().is_none());
    assert_eq!(vault.remove_application(&name("three")).await, Ok(Some(one)));
    assert_eq!(vault.counts().unwrap().refresh_tokens, 0);
}

#[tokio::test]
async fn a_client_that_left_its_family_takes_the_grant_that_nobody_else_has() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    let stored = add(&vault, registration("one", "c")).await;
    let signed_in = sign_in(&stored, "a", "first");
    let grant = signed_in.grant.clone().map(|(_, grant)| (client("c").family_grant_key("1", "a"), grant));
    vault.save_sign_in(SignInRecord { grant, ..signed_in }).await.unwrap();
    vault.save_app_metadata(&client("c"), AppMetadata { family: None }).await.unwrap();
    assert!(vault.take_account(&client("c"), "a").await.unwrap().is_some(), "handed over to be revoked");
    assert_eq!(vault.counts().unwrap().refresh_tokens, 0);
}

#[tokio::test]
async fn a_changed_client_loses_its_tokens_unless_another_name_has_it() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    let one = add(&vault, registration("one", "c")).await;
    add(&vault, registration("two", "c")).await;
    vault.save_sign_in(sign_in(&one, "a", "a")).await.unwrap();
    save(&vault, registration("one", "d"), ExistingApplication::Replace).await;
    assert_eq!(vault.accounts().unwrap().len(), 1);
    save(&vault, registration("two", "d"), ExistingApplication::Replace).await;
    assert_eq!(vault.accounts().unwrap().len(), 0);
    assert!(vault.entries(None).unwrap().is_empty());
}

#[tokio::test]
async fn work_for_an_old_registration_is_discarded() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    let old = add(&vault, registration("app", "c")).await;
    let own = partition(&client("c"), None);
    vault.remove_application(&name("app")).await.unwrap();
    assert_eq!(vault.save_sign_in(sign_in(&old, "a", "late")).await, Ok(Saved::Discarded));
    let new = add(&vault, registration("app", "c")).await;
    assert_ne!(old.stamp, new.stamp);
    let late = vault.save_app_token(old.stamp, own.clone(), token("late", "mail")).await;
    assert_eq!(late, Ok(Saved::Discarded));
    assert_eq!((hit(&vault, &own, "mail"), vault.accounts().unwrap().len()), (None, 0));
    assert_eq!(vault.save_app_token(new.stamp, own.clone(), token("now", "mail")).await, Ok(Saved::Done));
    assert_eq!(hit(&vault, &own, "mail").as_deref(), Some("now"));
}

#[tokio::test]
async fn a_refresh_outlives_the_replacement_of_its_registration() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    let old = add(&vault, registration("app", "c")).await;
    vault.save_sign_in(sign_in(&old, "a", "first")).await.unwrap();
    let under_way = refresh(&vault, &old, "a", "second");
    let wider = RegisteredApplication { scopes: scopes("mail files"), ..registration("app", "c") };
    assert!(matches!(save(&vault, wider, ExistingApplication::Replace).await, SavedApplication::Replaced(_)));
    assert_eq!(vault.save_refresh(under_way).await, Ok(Saved::Done));
    let (stamp, grant) = vault.find_grant(&grant_key(&client("c"), "a")).unwrap().unwrap();
    assert_eq!((stamp.generation, grant.refresh_token.secret().expose()), (2, "second-rt"));
}

#[tokio::test]
async fn an_import_outlives_the_replacement_of_its_registration() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    add(&vault, registration("app", "c")).await;
    let user = || vec![ImportRecord::User(super::user("a"))];
    let wider = RegisteredApplication { scopes: scopes("mail files"), ..registration("app", "c") };
    save(&vault, wider, ExistingApplication::Replace).await;
    assert_eq!(vault.import(client("c"), user()).await, Ok(Some(vec![Imported::Taken])));
    save(&vault, registration("app", "d"), ExistingApplication::Replace).await;
    assert_eq!(vault.import(client("c"), user()).await, Ok(None), "nothing stands for its client any more");
}
