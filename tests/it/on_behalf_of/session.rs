//! Sessions: they go on when the assertion has expired, with one refresh at a time and what it rotates; nothing of one is found by
//! another, and nothing of it stays when it ends.

use serde_json::json;
use token_broker_client::{
    Reason, Secret,
    calls::{CacheEntryKind, OnBehalfOf, SignOutRequest, TokenRequest},
};
use token_broker_tests::{
    authorization_server::Gate,
    daemon::{name, scopes},
    entra::Place,
    within,
};

use super::{ADA, API, BOB, Stage, failure, is_cached, key, on_behalf_of, text, username};

fn begin(assertion: &str, session: Option<&str>) -> TokenRequest {
    on_behalf_of(OnBehalfOf::Begin(Secret::new(assertion), session.map(key)))
}

fn in_session(session: &str) -> TokenRequest {
    on_behalf_of(OnBehalfOf::Session(key(session)))
}

async fn end(stage: &Stage, session: &str) -> Option<token_broker_client::Account> {
    let account = Some(session.to_owned());
    let request = SignOutRequest { application: name("api"), account, revoke: false, correlation_id: None };
    stage.client().sign_out(&request).await.expect("done").account
}

#[tokio::test]
async fn it_goes_on_without_the_assertion_and_over_a_restart() {
    let mut stage = Stage::set().await;
    let assertion = stage.entra.user_assertion(ADA, API, 60);
    let first = stage.ask(begin(&assertion, Some("nightly"))).await.expect("begun");
    assert_eq!((text(&first), username(&first), first.session_key.is_none()), ("access-1", ADA, true));
    let hit = stage.ask(in_session("nightly")).await.expect("a hit");
    assert_eq!((text(&hit), username(&hit), is_cached(&hit)), ("access-1", ADA, true));
    for round in 2..5 {
        stage.pass(7200);
        stage.daemon.restart().await;
        let fresh = stage.ask(TokenRequest { include_id_token: true, ..in_session("nightly") }).await.expect("goes on");
        assert_eq!((text(&fresh), username(&fresh)), (format!("access-{round}").as_str(), ADA));
        assert!(fresh.id_token.is_some());
    }
    let used: Vec<_> =
        stage.asked("token:refresh_token").iter().map(|sent| sent.parameters["refresh_token"].clone()).collect();
    assert_eq!(used, ["refresh-1", "refresh-2", "refresh-3"], "each with what the last one brought");
    assert!(stage.asked("token:refresh_token").iter().all(|sent| sent.headers.contains_key("x-anchormailbox")));
    let other = TokenRequest { scopes: Some(scopes("Mail.Read")), ..in_session("nightly") };
    assert_eq!(text(&stage.ask(other).await.expect("another scope")), "access-5");
    assert!(stage.client().accounts(None).await.expect("a list").is_empty(), "nobody is signed in");
    assert_eq!(failure(stage.ask(TokenRequest::new(name("api"))).await).reason, Reason::InteractionRequired);
    assert_eq!(
        failure(
            stage
                .ask(TokenRequest {
                    application: TokenRequest::new(name("other")).application,
                    ..in_session("nightly")
                })
                .await
        )
        .reason,
        Reason::InteractionRequired
    );
    let report = stage.client().verify_cache().await.expect("a report");
    assert!(report.problems.is_empty(), "{report:?}");
}

#[tokio::test]
async fn the_daemon_makes_a_key_that_nobody_has() {
    let stage = Stage::set().await;
    let assertion = stage.assertion(ADA);
    let mut keys = Vec::new();
    for _ in 0..2 {
        let begun = stage.ask(begin(&assertion, None)).await.expect("begun");
        let made = begun.session_key.clone().expect("a key");
        assert!(is_cached(&stage.ask(on_behalf_of(OnBehalfOf::Session(made.clone()))).await.expect("a hit")));
        keys.push(made);
    }
    assert_ne!(keys[0].expose(), keys[1].expose());
}

#[tokio::test]
async fn a_session_that_begins_anew_is_of_its_new_user_alone() {
    let stage = Stage::set().await;
    let mail = || Some(scopes("Mail.Read"));
    stage.ask(TokenRequest { scopes: mail(), ..begin(&stage.assertion(ADA), Some("shared")) }).await.expect("begun");
    let hers = stage.ask(TokenRequest { scopes: mail(), ..in_session("shared") }).await.expect("a token");
    assert_eq!(username(&hers), ADA);
    stage.ask(begin(&stage.assertion(BOB), Some("shared"))).await.expect("begun anew");
    for wanted in [None, mail()] {
        let his = stage.ask(TokenRequest { scopes: wanted, ..in_session("shared") }).await.expect("a token");
        assert_eq!(username(&his), BOB);
        assert_ne!(text(&his), text(&hers));
    }
    // Under one key at once: each caller gets the token of its own assertion.
    let (adas, bobs) = (begin(&stage.assertion(ADA), Some("raced")), begin(&stage.assertion(BOB), Some("raced")));
    let (client, other) = (stage.client(), stage.client());
    let (hers, his) = tokio::join!(within(client.token(&adas)), within(other.token(&bobs)));
    assert_eq!((username(&hers.expect("a token")), username(&his.expect("a token"))), (ADA, BOB));
}

#[tokio::test]
async fn one_refresh_serves_all_who_wait() {
    let stage = Stage::set().await;
    stage.ask(begin(&stage.assertion(ADA), Some("nightly"))).await.expect("begun");
    stage.pass(7200);
    let gate = Gate::closed();
    stage.entra.hold_next(Place::Token, gate.clone());
    let asking: Vec<_> = (0..8)
        .map(|_| {
            let client = stage.client();
            tokio::spawn(async move { client.token(&in_session("nightly")).await })
        })
        .collect();
    within(stage.entra.until(|requests| requests.iter().any(|request| request.kind() == "token:refresh_token"))).await;
    gate.open();
    for one in asking {
        assert_eq!(text(&within(one).await.expect("no panic").expect("a token")), "access-2");
    }
    assert_eq!(stage.asked("token:refresh_token").len(), 1);
}

#[tokio::test]
async fn it_ends_by_sign_out_and_by_removal_from_the_cache() {
    let stage = Stage::set().await;
    let gone = |outcome| {
        let failure = failure(outcome);
        assert_eq!(failure.reason, Reason::InteractionRequired);
        assert!(failure.message.contains("no on-behalf-of session"), "{}", failure.message);
    };
    stage.ask(begin(&stage.assertion(ADA), Some("one"))).await.expect("begun");
    stage.ask(begin(&stage.assertion(BOB), Some("two"))).await.expect("begun");
    assert_eq!(end(&stage, "one").await.expect("whose it was").username, ADA);
    gone(stage.ask(in_session("one")).await);
    assert!(is_cached(&stage.ask(in_session("two")).await.expect("the other goes on")));
    let counts = stage.client().status().await.expect("status").counts;
    assert_eq!((counts.access_tokens, counts.refresh_tokens), (1, 1));

    let entries = stage.client().cache_entries(Some(&name("api"))).await.expect("a list");
    let grant = entries.iter().find(|entry| entry.id.kind == CacheEntryKind::RefreshToken).expect("the session's");
    assert_eq!(grant.account.as_ref().map(|account| account.username.as_str()), Some(BOB));
    stage.client().remove_cache_entry(grant.id).await.expect("removed");
    gone(stage.ask(in_session("two")).await);
    assert!(end(&stage, "two").await.is_none());
}

#[tokio::test]
async fn a_refresh_that_lands_after_its_end_brings_nothing_back() {
    let stage = Stage::set().await;
    stage.ask(begin(&stage.assertion(ADA), Some("nightly"))).await.expect("begun");
    stage.pass(7200);
    let gate = Gate::closed();
    stage.entra.hold_next(Place::Token, gate.clone());
    let client = stage.client();
    let waiting = tokio::spawn(async move { client.token(&in_session("nightly")).await });
    within(stage.entra.until(|requests| requests.iter().any(|request| request.kind() == "token:refresh_token"))).await;
    end(&stage, "nightly").await.expect("it was there");
    gate.open();
    assert_eq!(failure(within(waiting).await.expect("no panic")).reason, Reason::InteractionRequired);
    let counts = stage.client().status().await.expect("status").counts;
    assert_eq!((counts.access_tokens, counts.refresh_tokens), (0, 0));
}

#[tokio::test]
async fn the_provider_refuses_it_and_the_client_is_told() {
    let stage = Stage::set().await;
    stage.ask(begin(&stage.assertion(ADA), Some("nightly"))).await.expect("begun");
    stage.pass(7200);
    let claims = r#"{"access_token":{"acrs":{"value":"c1"}}}"#;
    stage.entra.plan(Place::Token, json!({ "error": "interaction_required", "codes": [50076], "claims": claims }));
    let challenged = failure(stage.ask(in_session("nightly")).await);
    assert_eq!(challenged.reason, Reason::InteractionRequired);
    assert_eq!(challenged.provider.and_then(|provider| provider.claims).as_deref(), Some(claims));
    assert!(challenged.advice.is_some_and(|advice| advice.contains("client application")));

    // What was refused is not sent again for a minute.
    stage.pass(61);
    let plan = json!({ "error": "invalid_grant", "codes": [50173], "suberror": "bad_token" });
    stage.entra.plan(Place::Token, plan);
    for _ in 0..2 {
        let dead = failure(stage.ask(TokenRequest { force_refresh: true, ..in_session("nightly") }).await);
        assert_eq!(dead.reason, Reason::InteractionRequired);
        assert!(!dead.message.contains("broker-cli login"), "{}", dead.message);
    }
    assert_eq!(stage.asked("token:refresh_token").len(), 2, "a dead grant is not tried again");
    stage.ask(begin(&stage.assertion(ADA), Some("nightly"))).await.expect("begun anew");
    assert!(is_cached(&stage.ask(in_session("nightly")).await.expect("it goes on")));
}
