//! By an assertion: cached for that very assertion, for nobody else and for no other kind of request; one request, whoever waits.

use std::time::Duration;

use serde_json::json;
use token_broker_client::{
    Reason, Secret,
    calls::{
        ApplicationOptions, ExistingApplication, Extras, NewApplication, NewCredential, OnBehalfOf, OptionTexts,
        SignOutRequest, Subject, TokenRequest,
    },
    oauth::Claims,
};
use token_broker_tests::{
    authorization_server::Gate,
    daemon::{name, scopes},
    entra::Place,
    within,
};

use super::{ADA, API, BOB, Stage, application, by, failure, is_cached, key, on_behalf_of, text, username};

#[tokio::test]
async fn each_assertion_has_its_own_token_and_nobody_is_signed_in() {
    let mut stage = Stage::set().await;
    let (adas, bobs) = (stage.assertion(ADA), stage.assertion(BOB));
    let first = stage.by(&adas).await;
    assert_eq!((text(&first), username(&first), is_cached(&first)), ("access-1", ADA, false));
    let other = stage.by(&bobs).await;
    assert_eq!((text(&other), username(&other)), ("access-2", BOB));
    stage.daemon.restart().await;
    for (assertion, token, user) in [(&adas, "access-1", ADA), (&bobs, "access-2", BOB)] {
        let again = stage.by(assertion).await;
        assert_eq!((text(&again), username(&again), is_cached(&again)), (token, user, true));
    }
    stage.pass(10);
    let renewed = stage.assertion(ADA);
    assert_eq!(text(&stage.by(&renewed).await), "access-3", "a new assertion is a new request");

    // Nothing of it is for a plain request, and no refresh token is kept.
    assert!(stage.client().accounts(None).await.expect("a list").is_empty());
    let plain = failure(stage.ask(TokenRequest::new(name("api"))).await);
    assert_eq!(plain.reason, Reason::InteractionRequired);
    let account = first.account.expect("an account").home_account_id;
    let named = TokenRequest { subject: Subject::User(Some(account)), ..TokenRequest::new(name("api")) };
    assert_eq!(failure(stage.ask(named).await).reason, Reason::InteractionRequired);
    let graph = Some(scopes("https://graph.microsoft.com/.default"));
    let own = TokenRequest { subject: Subject::Application, scopes: graph, ..TokenRequest::new(name("api")) };
    assert!(!is_cached(&stage.ask(own).await.expect("its own token")));
    let counts = stage.client().status().await.expect("status").counts;
    assert_eq!((counts.accounts, counts.refresh_tokens, counts.access_tokens), (0, 0, 4));
    let report = stage.client().verify_cache().await.expect("a report");
    assert!(report.problems.is_empty(), "{report:?}");
}

#[tokio::test]
async fn what_is_sent_is_what_the_platform_wants() {
    let stage = Stage::set().await;
    let assertion = stage.assertion(ADA);
    let claims = Claims::parse(r#"{"access_token":{"nbf":{"essential":true}}}"#).expect("claims");
    let request = TokenRequest { scopes: Some(scopes("Mail.Read")), claims, ..by(&assertion) };
    stage.ask(request).await.expect("a token");
    let sent = &stage.handed_over()[0].parameters;
    for (name, value) in [
        ("assertion", assertion.as_str()),
        ("requested_token_use", "on_behalf_of"),
        ("scope", "Mail.Read offline_access openid profile"),
        ("claims", r#"{"access_token":{"nbf":{"essential":true}}}"#),
        ("client_id", API),
        ("client_info", "1"),
    ] {
        assert_eq!(sent.get(name).map(String::as_str), Some(value), "{name}");
    }
}

#[tokio::test]
async fn whoever_asks_at_once_shares_one_request() {
    let stage = Stage::set().await;
    let gate = Gate::closed();
    stage.entra.hold_next(Place::Token, gate.clone());
    let assertion = stage.assertion(ADA);
    let asking: Vec<_> = (0..8)
        .map(|_| {
            let (client, request) = (stage.client(), by(&assertion));
            tokio::spawn(async move { client.token(&request).await })
        })
        .collect();
    within(stage.entra.until(|requests| requests.iter().any(|request| request.place == Place::Token))).await;
    gate.open();
    for one in asking {
        let answer = within(one).await.expect("no panic").expect("a token");
        assert_eq!(text(&answer), "access-1");
    }
    assert_eq!(stage.handed_over().len(), 1);
}

#[tokio::test]
async fn a_challenge_and_force_go_past_the_cache_and_an_outage_does_not_cost_a_valid_token() {
    let stage = Stage::set().await;
    let assertion = stage.assertion(ADA);
    let first = stage.by(&assertion).await;
    let challenge = Claims::parse(r#"{"access_token":{"nbf":{"essential":true}}}"#).expect("claims");
    let challenged = stage.ask(TokenRequest { claims: challenge, ..by(&assertion) }).await.expect("a token");
    assert_ne!(text(&challenged), text(&first));
    assert_eq!(text(&stage.by(&assertion).await), text(&challenged), "it takes the place of the old one");
    let forced = stage.ask(TokenRequest { force_refresh: true, ..by(&assertion) }).await.expect("a token");
    assert_eq!(text(&stage.by(&assertion).await), text(&forced));

    stage.pass(3400);
    stage.entra.plan(Place::Token, json!({ "status": 503, "error": "temporarily_unavailable" }));
    assert_eq!(text(&stage.by(&assertion).await), text(&forced), "valid for 200 s yet");
    stage.entra.plan(Place::Token, json!({ "status": 503, "error": "temporarily_unavailable" }));
    let insisted = failure(stage.ask(TokenRequest { force_refresh: true, ..by(&assertion) }).await);
    assert_eq!(insisted.reason, Reason::AuthorityUnavailable);
    assert!(insisted.retry_after.is_some());
}

#[tokio::test]
async fn the_id_token_comes_with_the_token_and_what_goes_along_sets_apart() {
    let stage = Stage::set().await;
    let assertion = stage.assertion(ADA);
    let with_id = TokenRequest { include_id_token: true, ..by(&assertion) };
    let first = stage.ask(with_id.clone()).await.expect("a token");
    let again = stage.ask(with_id).await.expect("a token");
    let id_token = again.id_token.clone().expect("it is kept with the token");
    assert_eq!(first.id_token.expect("an ID token").expose(), id_token.expose());
    assert_eq!(token_broker_tests::jose::claims(id_token.expose())["preferred_username"], ADA);
    assert!(stage.by(&assertion).await.id_token.is_none(), "nobody asked for it");
    let of = |text: &str| {
        let client_claims = Claims::parse(text).expect("claims");
        TokenRequest { extras: Extras { client_claims, ..Extras::default() }, ..by(&assertion) }
    };
    let (one, other) = (r#"{"access_token":{"a":{"value":"1"}}}"#, r#"{"access_token":{"a":{"value":"2"}}}"#);
    let [one_token, other_token] = [stage.ask(of(one)).await, stage.ask(of(other)).await].map(Result::unwrap);
    assert!(!is_cached(&one_token) && !is_cached(&other_token));
    assert_eq!(text(&stage.ask(of(one)).await.expect("a token")), text(&one_token));
    assert_eq!(text(&stage.by(&assertion).await), text(&again));
    assert_eq!(stage.handed_over()[1].parameters["claims"], one);
}

#[tokio::test]
async fn another_name_of_the_client_that_asks_with_parameters_of_its_own_has_its_own_tokens() {
    let stage = Stage::set().await;
    let texts = OptionTexts { extra_query: vec![("slice".into(), "test".into())], ..OptionTexts::default() };
    let options = ApplicationOptions::try_from(texts).expect("options");
    let sliced = NewApplication { options, ..application("sliced", API, NewCredential::Secret(Secret::new("s3cret"))) };
    stage.client().add_application(&sliced).await.expect("registered");
    let assertion = Secret::new(stage.assertion(ADA));
    let session = OnBehalfOf::Begin(assertion.clone(), Some(key("hers")));
    for (begin, again) in [
        (OnBehalfOf::Assertion(assertion.clone()), OnBehalfOf::Assertion(assertion)),
        (session, OnBehalfOf::Session(key("hers"))),
    ] {
        let first = stage.ask(on_behalf_of(begin)).await.expect("a token");
        assert_eq!(text(&stage.ask(on_behalf_of(again.clone())).await.expect("a token")), text(&first));
        let of_sliced = TokenRequest { subject: Subject::OnBehalfOf(again), ..TokenRequest::new(name("sliced")) };
        let other = stage.ask(of_sliced).await.expect("a token");
        assert_ne!(text(&other), text(&first));
    }
}

#[tokio::test]
async fn its_tokens_go_with_the_application_and_not_when_nobody_signs_out() {
    let stage = Stage::set().await;
    let assertion = stage.assertion(ADA);
    stage.by(&assertion).await;
    let nobody = SignOutRequest { application: name("api"), account: None, revoke: false, correlation_id: None };
    assert!(stage.client().sign_out(&nobody).await.expect("done").account.is_none());
    assert!(is_cached(&stage.by(&assertion).await));
    stage.client().remove_application(&name("api")).await.expect("removed");
    assert_eq!(stage.client().status().await.expect("status").counts.access_tokens, 0);
}

/// What came for a registration that was replaced meanwhile is thrown away, and asked for anew.
#[tokio::test]
async fn its_registration_is_replaced_meanwhile() {
    let stage = Stage::set().await;
    let gate = Gate::closed();
    stage.entra.hold_next(Place::Token, gate.clone());
    let (client, request) = (stage.client(), by(&stage.assertion(ADA)));
    let waiting = tokio::spawn(async move { client.token(&request).await });
    within(gate.reached(1)).await;
    let (existing, keep_alive) = (ExistingApplication::Replace, Some(Duration::from_secs(86_400)));
    let api = application("api", API, NewCredential::Secret(Secret::new("s3cret")));
    stage.client().add_application(&NewApplication { existing, keep_alive, ..api }).await.expect("replaced");
    gate.open();
    let answer = within(waiting).await.expect("no panic").expect("a token");
    assert_eq!((text(&answer), username(&answer), stage.handed_over().len()), ("access-2", ADA, 2));
}
