//! What people are told of a sign-in without a page, and whom a refusal concerns: a wrong password, a second factor, a method that an
//! application cannot use, a refresh token that is dead. And that what goes well is stored like every other sign-in.

use serde_json::json;
use token_broker_client::{
    Reason, Secret,
    calls::{SignInMethod, Subject, TokenRequest, TokenSource},
};
use token_broker_tests::{
    authorization_server::{AuthorizationServer, Options as Server},
    daemon::{Options, TestDaemon, application, name, refresh},
    entra::{PASSWORD, Place, USER_CREDENTIAL},
    within,
};

use super::{Stage, WRONG, credential_of, sign_in};
use crate::bad_input::refused;

const ADA: &str = "ada@contoso.example";

#[tokio::test]
async fn a_wrong_password_is_said_and_is_asked_about_once_a_minute_for_its_user_alone() {
    let stage = Stage::set().await;
    for _ in 0..3 {
        let failure = refused(stage.by_password(ADA, WRONG).await);
        assert_eq!(failure.reason, Reason::AuthorityRefused);
        assert!(failure.message.contains("the user name or the password is wrong"), "{failure:?}");
        assert_eq!(failure.provider.as_ref().map(|words| words.error_codes.clone()), Some(vec![50126]));
        assert!(!format!("{failure:?}").contains(WRONG), "{failure:?}");
    }
    let asked = || stage.entra.requests().iter().filter(|request| request.place == Place::Token).count();
    assert_eq!(asked(), 1, "the same wrong password would lock the account");
    stage.has_nothing().await;
    stage.by_password("grace@contoso.example", PASSWORD).await.expect("another user is not concerned");
    stage.by_password(ADA, PASSWORD).await.expect("nor is another password");
}

#[tokio::test]
async fn a_second_factor_needs_a_page() {
    let stage = Stage::set().await;
    let claims = r#"{"access_token":{"capolids":{"essential":true,"values":["1"]}}}"#;
    let plan = json!({"error": "invalid_grant", "suberror": "basic_action", "codes": [50076], "claims": claims});
    stage.entra.plan(Place::Token, plan);
    let failure = refused(stage.by_password(ADA, PASSWORD).await);
    assert_eq!(failure.reason, Reason::InteractionRequired);
    assert!(failure.message.contains("multi-factor authentication"), "{failure:?}");
    let advice = failure.advice.as_deref().unwrap_or_default();
    assert!(advice.starts_with("broker-cli login desk --claims") && advice.contains("capolids"), "{advice}");
    stage.has_nothing().await;
}

#[tokio::test]
async fn a_user_assertion_is_for_confidential_clients() {
    let stage = Stage::set().await;
    let failure = refused(stage.sign_in("desk", credential_of(ADA, USER_CREDENTIAL)).await);
    assert_eq!(failure.reason, Reason::Unsupported);
    assert!(failure.message.contains("desk has no credential of its own"), "{failure:?}");
    assert!(!stage.entra.requests().iter().any(|request| request.place == Place::Token), "nothing was sent");
    let failure = refused(stage.sign_in("agent", credential_of(ADA, "M4rker-assertion")).await);
    assert!(failure.reason == Reason::AuthorityRefused && !format!("{failure:?}").contains("M4rker"), "{failure:?}");
    stage.has_nothing().await;
    let account = stage.sign_in("agent", credential_of(ADA, USER_CREDENTIAL)).await.expect("signed in");
    assert_eq!(account.username, ADA);
}

#[tokio::test]
async fn a_refresh_token_that_is_dead_is_sent_once() {
    let stage = Stage::set().await;
    let method = || SignInMethod::imported_token(Secret::new("M4rker-dead")).expect("a token");
    for _ in 0..2 {
        let failure = refused(stage.sign_in("desk", method()).await);
        assert_eq!(failure.reason, Reason::AuthorityRefused);
        assert!(!format!("{failure:?}").contains("M4rker"), "{failure:?}");
    }
    assert_eq!(stage.entra.requests().iter().filter(|request| request.place == Place::Token).count(), 1);
    stage.has_nothing().await;
}

/// A sign-in like every other: it outlives the daemon, and serves without the password.
#[tokio::test]
async fn what_a_password_brought_outlives_the_daemon() {
    let mut stage = Stage::set().await;
    let account = stage.by_password(ADA, PASSWORD).await.expect("signed in");
    stage.daemon.restart().await;
    let client = stage.daemon.client();
    assert_eq!(within(client.accounts(None)).await.expect("accounts"), [account]);
    let hit = within(client.token(&TokenRequest::new(name("desk")))).await.expect("the cached token");
    assert_eq!(hit.source, TokenSource::Cache);
    within(refresh(&client, "desk")).await.expect("a refresh");
}

#[tokio::test]
async fn a_generic_provider_takes_a_password_and_a_refresh_token() {
    let server = AuthorizationServer::start(Server::default());
    let daemon = TestDaemon::start(Options::default()).await;
    let client = daemon.client();
    let mail = application("mail", server.issuer(), ("native-app", None), "api:read");
    client.add_application(&mail).await.expect("registered");
    let password = |text: &str| SignInMethod::password("ada", Secret::new(text)).expect("a password");
    let failure = refused(sign_in(&client, "mail", password(WRONG)).await);
    assert!(failure.reason == Reason::AuthorityRefused && !format!("{failure:?}").contains(WRONG), "{failure:?}");
    let account = sign_in(&client, "mail", password(&Server::default().password)).await.expect("signed in");
    assert_eq!((account.username.as_str(), account.home_account_id.as_str()), ("ada", "sub-ada"));

    let is_good = |token: &String| token.starts_with("rt-") && server.is_active(token);
    let moved = server.secrets().into_iter().rfind(is_good).expect("a refresh token");
    let method = SignInMethod::imported_token(Secret::new(moved.clone())).expect("a token");
    assert_eq!(sign_in(&client, "mail", method).await.expect("moved"), account);
    assert!(!server.is_active(&moved), "it was used");
    let of_ada = TokenRequest { subject: Subject::User(Some("ada".to_owned())), ..TokenRequest::new(name("mail")) };
    within(client.token(&TokenRequest { force_refresh: true, ..of_ada })).await.expect("by the broker's own token");
}
