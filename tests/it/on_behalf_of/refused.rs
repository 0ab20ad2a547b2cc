//! What is refused, and how: the client that sent the user's token has to act, or the service's owner. Nothing is stored, and no
//! error holds a token.

use serde_json::json;
use token_broker_client::{
    Failure, Reason, Secret,
    calls::{NewCredential, OnBehalfOf, TokenRequest},
};
use token_broker_tests::{daemon::name, entra::Place};

use super::{ADA, API, BOB, OTHER, Stage, by, failure, key, on_behalf_of};

async fn stores_nothing(stage: &Stage) {
    let counts = stage.client().status().await.expect("status").counts;
    assert_eq!((counts.accounts, counts.access_tokens, counts.refresh_tokens), (0, 0, 0));
}

fn says(failure: &Failure, reason: Reason, words: &[&str], secret: &str) {
    assert_eq!(failure.reason, reason, "{failure:?}");
    for word in words {
        assert!(failure.message.contains(word), "{word:?} in {:?}", failure.message);
    }
    assert!(!format!("{failure:?}").contains(secret), "{failure:?}");
}

#[tokio::test]
async fn the_client_has_to_sign_the_user_in_and_is_told_with_which_claims() {
    let stage = Stage::set().await;
    let claims = r#"{"access_token":{"polids":{"essential":true,"values":["1"]}}}"#;
    let plan =
        json!({ "error": "interaction_required", "codes": [50079], "suberror": "basic_action", "claims": claims });
    stage.entra.plan(Place::Token, plan);
    let assertion = stage.assertion(ADA);
    let failure = failure(stage.ask(by(&assertion)).await);
    says(&failure, Reason::InteractionRequired, &["on behalf of this user", "multi-factor"], &assertion);
    assert_eq!(failure.provider.as_ref().and_then(|provider| provider.claims.as_deref()), Some(claims));
    let advice = failure.advice.as_deref().unwrap_or_default();
    assert!(advice.contains("client application") && advice.contains("claims"), "{advice}");
    stores_nothing(&stage).await;
}

#[tokio::test]
async fn assertions_that_are_not_good() {
    let stage = Stage::set().await;
    let expired = stage.entra.user_assertion(ADA, API, 60);
    let foreign = stage.entra.user_assertion(ADA, OTHER, 3600);
    let good = stage.assertion(ADA);
    let (unsigned, _) = good.rsplit_once('.').expect("a JWT");
    let tampered = format!("{unsigned}.{}", foreign.rsplit('.').next().unwrap_or_default());
    stage.pass(61);
    for (assertion, words) in [
        (expired, "the user assertion has expired"),
        (foreign, "not an access token that was issued for this application"),
        (tampered, "not an access token that was issued for this application"),
    ] {
        let failure = failure(stage.ask(by(&assertion)).await);
        says(&failure, Reason::InteractionRequired, &["invalid_grant", words], &assertion);
        assert!(failure.provider.is_some_and(|provider| provider.correlation_id.is_some()));
    }
    let before = stage.handed_over().len();
    for (assertion, words) in [
        ("opaque-t0ken", "is not a JWT"),
        ("a.b", "is not a JWT"),
        (&"x".repeat(17 * 1024), "longer than 16384 bytes"),
        ("a b.c.d", "visible ASCII"),
    ] {
        let failure = failure(stage.ask(by(assertion)).await);
        says(&failure, Reason::InvalidRequest, &[words], "opaque-t0ken");
        assert_eq!(failure.field.as_deref(), Some("on_behalf_of"));
    }
    assert_eq!(stage.handed_over().len(), before, "nothing was sent");
    stores_nothing(&stage).await;
}

#[tokio::test]
async fn an_application_without_a_credential_and_sessions_that_are_none() {
    let stage = Stage::set().await;
    stage.add("public", "a0100000-0000-4000-8000-000000000003", NewCredential::None).await;
    let assertion = stage.assertion(BOB);
    let of_public = TokenRequest { application: TokenRequest::new(name("public")).application, ..by(&assertion) };
    let failure_of = async |request| failure(stage.ask(request).await);
    let public = failure_of(of_public).await;
    says(&public, Reason::InvalidRequest, &["needs an application with a credential"], &assertion);
    let unknown = failure_of(on_behalf_of(OnBehalfOf::Session(key("n0-such-key")))).await;
    says(&unknown, Reason::InteractionRequired, &["no on-behalf-of session has this key"], "n0-such-key");
    assert!(!unknown.message.contains("broker-cli login"), "{unknown:?}");
    assert!(stage.handed_over().is_empty(), "nothing was sent");
    stores_nothing(&stage).await;
}

/// A session needs what it goes on with.
#[tokio::test]
async fn a_session_does_not_begin_without_a_refresh_token() {
    let stage = Stage::set().await;
    let assertion = stage.assertion(ADA);
    for missing in ["refresh_token", "id_token"] {
        stage.entra.plan(Place::Token, json!({ "with": { missing: null } }));
        let begin = on_behalf_of(OnBehalfOf::Begin(Secret::new(&*assertion), Some(key("nightly"))));
        let failure = failure(stage.ask(begin).await);
        says(&failure, Reason::AuthorityRefused, &["no session can begin"], &assertion);
    }
    stores_nothing(&stage).await;
}
