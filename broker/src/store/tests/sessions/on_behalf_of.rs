//! On-behalf-of: sessions, which are nobody's account, and tokens that were issued for a user who is not signed in.

use token_broker_proto::Secret;

use super::super::{
    Scratch, add, at, client, grant, grant_key, hit, partition, registration, scopes, sign_in, token, user,
};
use crate::{
    model::{CachedToken, Grant, GrantStamp, TokenPartition, TokenSubject},
    store::{RefreshRecord, Saved, SessionRecord, StoredApplication, Vault},
};

/// What a session of that name, of this user, begins with.
fn session(application: &StoredApplication, name: &str, home: &str, word: &str) -> SessionRecord {
    let client = application.application.client();
    let key = client.session_grant_key(name);
    let subject = Some(Box::new(TokenSubject { user: user(home), id_token: Some(Secret::new("session-id")) }));
    let own = TokenPartition { extra: "hash".into(), ..partition(&client, Some(name)) };
    SessionRecord {
        application: application.stamp,
        grant: (key, Grant { user: Some(user(home)), ..grant(&format!("{word}-rt")) }),
        token: (own, CachedToken { subject, ..token(&format!("{word}-at"), "mail") }),
        client,
    }
}

/// Saves the beginning of a session.
async fn begin(vault: &Vault, session: SessionRecord) -> SessionRecord {
    assert_eq!(vault.save_session(session.clone()).await, Ok(Saved::Done));
    session
}

/// The refresh of a session of "user".
fn rotation(of: &SessionRecord, stamp: GrantStamp) -> RefreshRecord {
    RefreshRecord {
        stamp,
        grant_key: of.grant.0.clone(),
        client: of.client.clone(),
        home_account_id: "user".into(),
        token: of.token.clone(),
        new_grant: Some(grant("rotated-rt")),
    }
}

#[tokio::test]
async fn a_session_is_no_account() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    let application = add(&vault, registration("app", "c")).await;
    let client = client("c");
    let hers = begin(&vault, session(&application, "s1", "user", "hers")).await;
    begin(&vault, session(&application, "s2", "other", "his")).await;
    assert!(vault.users(&client, 9).unwrap().is_empty());
    assert!(vault.find_users(&client, Some("s1")).unwrap().is_empty());
    assert!(vault.find_grant(&client.grant_key("s1")).unwrap().is_none(), "another holder's is another grant");
    let (stamp, kept) = vault.find_grant(&hers.grant.0).unwrap().unwrap();
    assert_eq!(kept.user, Some(user("user")));
    let found = vault.find_token(&hers.token.0, &scopes("mail"), &|_| true).unwrap().unwrap();
    assert_eq!(found.subject.unwrap().id_token.unwrap().expose(), "session-id");
    assert_eq!(hit(&vault, &partition(&client, Some("s1")), "mail"), None, "a plain request finds nothing");

    // A refresh needs no account, and keeps whose it is.
    let rotated = rotation(&hers, stamp);
    assert_eq!(vault.save_refresh(rotated.clone()).await, Ok(Saved::Done));
    let (_, kept) = vault.find_grant(&hers.grant.0).unwrap().unwrap();
    assert_eq!((kept.refresh_token.secret().expose(), kept.user), ("rotated-rt", Some(user("user"))));
    vault.take_session(&client, hers.grant.0).await.unwrap().expect("it was there");
    assert_eq!(vault.save_refresh(rotated).await, Ok(Saved::Discarded), "its grant is gone");
}

#[tokio::test]
async fn with_a_user_go_her_sessions_and_what_was_issued_for_her() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    let application = add(&vault, registration("app", "c")).await;
    let client = client("c");
    let hers = begin(&vault, session(&application, "s1", "user", "hers")).await;
    let his = begin(&vault, session(&application, "s2", "other", "his")).await;
    let of_assertion = TokenPartition { extra: "assertion".into(), ..partition(&client, None) };
    let subject = |home: &str| Some(Box::new(TokenSubject { user: user(home), id_token: None }));
    for (home, scope) in [("user", "one"), ("other", "two")] {
        let token = CachedToken { subject: subject(home), ..token(home, scope) };
        assert_eq!(vault.save_app_token(application.stamp, of_assertion.clone(), token).await, Ok(Saved::Done));
    }
    vault.save_sign_in(sign_in(&application, "user", "signed-in")).await.unwrap();
    assert!(vault.verify().await.unwrap().problems.is_empty());
    vault.take_account(&client, "user").await.unwrap().expect("her grant");
    assert!(vault.find_grant(&hers.grant.0).unwrap().is_none());
    assert_eq!(hit(&vault, &hers.token.0, "mail"), None);
    assert_eq!(hit(&vault, &of_assertion, "one"), None);
    assert_eq!(hit(&vault, &of_assertion, "two").as_deref(), Some("other"));
    assert_eq!(hit(&vault, &his.token.0, "mail").as_deref(), Some("his-at"));
}

#[tokio::test]
async fn a_session_that_begins_anew_has_nothing_of_the_old_one() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    let application = add(&vault, registration("app", "c")).await;
    let client = client("c");
    let hers = session(&application, "s1", "user", "hers");
    let his = begin(&vault, session(&application, "s2", "other", "his")).await;

    // Begun anew by somebody else: nothing of the old one stays, whatever its scopes.
    let anew = session(&application, "s2", "user", "anew");
    let anew = SessionRecord { token: (anew.token.0, token("anew-at", "calendar")), ..anew };
    assert_eq!(vault.save_session(anew).await, Ok(Saved::Done));
    assert_eq!(hit(&vault, &his.token.0, "mail"), None);
    assert_eq!(
        vault.take_session(&client, his.grant.0.clone()).await.unwrap().and_then(|it| it.user),
        Some(user("user"))
    );
    assert!(vault.take_session(&client, his.grant.0.clone()).await.unwrap().is_none());
    assert_eq!(hit(&vault, &his.token.0, "calendar"), None);

    // It goes with its application.
    vault.save_session(hers.clone()).await.unwrap();
    vault.remove_application(&application.application.name).await.unwrap();
    assert_eq!(vault.save_session(hers).await, Ok(Saved::Discarded));
    let counts = vault.counts().unwrap();
    assert_eq!((counts.access_tokens, counts.refresh_tokens), (0, 0));
}

#[tokio::test]
async fn a_session_that_nobody_used_ends_and_a_sign_in_stays() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    let application = add(&vault, registration("app", "c")).await;
    vault.save_sign_in(sign_in(&application, "user", "first")).await.unwrap();
    let old = begin(&vault, session(&application, "s1", "user", "old")).await;
    let used = begin(&vault, session(&application, "s2", "user", "used")).await;
    assert_eq!(vault.purge_sessions(at(0)).await, Ok(0), "last used at that very moment");
    let (stamp, _) = vault.find_grant(&used.grant.0).unwrap().unwrap();
    let mut again = RefreshRecord { new_grant: None, ..rotation(&used, stamp) };
    again.token.1.issued_on = at(50);
    assert_eq!(vault.save_refresh(again).await, Ok(Saved::Done));
    assert_eq!(vault.purge_sessions(at(50)).await, Ok(1));
    assert!(vault.find_grant(&old.grant.0).unwrap().is_none());
    assert_eq!(hit(&vault, &old.token.0, "mail"), None);
    assert_eq!(hit(&vault, &used.token.0, "mail").as_deref(), Some("used-at"));
    assert!(vault.find_grant(&grant_key(&client("c"), "user")).unwrap().is_some(), "a sign-in is no session");
    assert_eq!(vault.purge_sessions(at(51)).await, Ok(1));
    assert_eq!(vault.counts().unwrap().refresh_tokens, 1);
}

#[tokio::test]
async fn what_is_learned_of_a_token_is_kept_while_it_is_there() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    let application = add(&vault, registration("app", "c")).await;
    let own = TokenPartition { extra: "hash".into(), ..partition(&client("c"), Some("user")) };
    let learned = |word: &str| {
        let id_token = Some(Secret::new(format!("{word}-id")));
        CachedToken { subject: Some(Box::new(TokenSubject { user: user("user"), id_token })), ..token("at", "mail") }
    };
    assert_eq!(vault.save_token_again(own.clone(), learned("stray")).await, Ok(Saved::Discarded));
    vault.save_app_token(application.stamp, own.clone(), token("at", "mail")).await.unwrap();
    assert_eq!(vault.save_token_again(own.clone(), learned("its")).await, Ok(Saved::Done));
    let found = vault.find_token(&own, &scopes("mail"), &|_| true).unwrap().unwrap();
    assert_eq!(found.subject.unwrap().id_token.unwrap().expose(), "its-id");
    assert_eq!(vault.counts().unwrap().access_tokens, 1);
}
