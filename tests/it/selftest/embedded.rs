//! The scripted user and plain HTTP against our own authorization server: every flow that the servers of others have too.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use token_broker_tests::{
    authorization_server::{AuthorizationServer, Options},
    clock::ManualClock,
    user::User,
};

use super::{RelyingParty, SCOPES, assert_signed_in, loopback::Loopback, rotation_detects_replay};

const CONFIDENTIAL: (&str, &str) = ("confidential-app", "confidential secret: +/%&=?~");
const SERVICE: (&str, &str) = ("service-app", "service secret: +/%&=?~");

/// A server whose time a test moves.
fn with_clock() -> (AuthorizationServer, ManualClock) {
    let clock = ManualClock::at(1_900_000_000);
    (AuthorizationServer::start(Options { clock: Arc::new(clock.clone()), ..Options::default() }), clock)
}

async fn sign_in(party: &RelyingParty) -> token_broker_tests::http::Reply {
    let url = party.authorization_url(SCOPES, &[]);
    let redirect = User::named("ada").sign_in_until(&url, &party.redirect_uri).await;
    party.redeem(&party.code(&redirect)).await
}

#[tokio::test]
async fn signs_in_by_browser_and_detects_replay() {
    let server = AuthorizationServer::start(Options::default());
    let party = RelyingParty::public(server.issuer(), "native-app").await;
    let tokens = sign_in(&party).await;
    assert_signed_in(&tokens, "native-app");
    assert_eq!(token_broker_tests::jose::claims(&tokens.text("id_token"))["preferred_username"], "ada");
    assert!(server.is_active(&tokens.text("access_token")));
    rotation_detects_replay(&party, &tokens).await;
    assert!(!server.is_active(&tokens.text("access_token")));
    assert_eq!((server.requests("authorization"), server.requests("token:refresh_token")), (2, 3));
    let seen = server.last_request("token:refresh_token").unwrap();
    assert_eq!(seen.parameters["refresh_token"], "[redacted]");
    assert_eq!(seen.parameters["client_id"], "native-app");
}

#[tokio::test]
async fn answers_by_form_post_and_declines() {
    let server = AuthorizationServer::start(Options::default());
    let mut party = RelyingParty::public(server.issuer(), "native-app").await;
    let listener = Loopback::listen();
    party.redirect_uri.clone_from(&listener.redirect_uri);
    let page = User::named("ada").sign_in(&party.authorization_url(SCOPES, &[("response_mode", "form_post")])).await;
    assert_eq!(page.body, "signed in");
    let redirect = format!("{}?{}", party.redirect_uri, listener.parameters()).parse().unwrap();
    assert_signed_in(&party.redeem(&party.code(&redirect)).await, "native-app");

    let redirect = User::named("ada").decline_until(&party.authorization_url(SCOPES, &[]), &party.redirect_uri).await;
    assert!(redirect.query().unwrap().contains("error=access_denied"), "{redirect}");
}

#[tokio::test]
async fn checks_code_verifier_redirect_and_client() {
    let server = AuthorizationServer::start(Options { auto_sign_in: Some("ada".to_owned()), ..Options::default() });
    let mut party = RelyingParty::confidential(server.issuer(), CONFIDENTIAL).await;
    let url = party.authorization_url(SCOPES, &[]);
    let redirect = User::named("nobody").sign_in_until(&url, &party.redirect_uri).await;
    let code = party.code(&redirect);
    assert_eq!(party.redeem_with(&code, &"x".repeat(43)).await.text("error"), "invalid_grant");
    assert_signed_in(&party.redeem(&code).await, CONFIDENTIAL.0);
    assert_eq!(party.redeem(&code).await.text("error"), "invalid_grant", "a code works once");
    let wrong = RelyingParty::confidential(server.issuer(), (CONFIDENTIAL.0, "wrong")).await;
    assert_eq!(wrong.app_only("api:read").await.text("error"), "invalid_client");
    party.redirect_uri = "http://elsewhere.example/cb".to_owned();
    let page = User::named("nobody").sign_in(&party.authorization_url(SCOPES, &[])).await;
    assert_eq!(page.status, 400, "an unregistered redirect address is never used");
}

#[tokio::test]
async fn tokens_end_with_the_clock() {
    let (server, clock) = with_clock();
    let party = RelyingParty::public(server.issuer(), "native-app").await;
    let tokens = sign_in(&party).await;
    clock.advance(Duration::from_secs(3599));
    assert!(server.is_active(&tokens.text("access_token")));
    clock.advance(Duration::from_secs(1));
    assert!(!server.is_active(&tokens.text("access_token")));
    server.change(|options| options.access_token_lifetime = Duration::from_secs(30));
    let fresh = party.refresh(&tokens.text("refresh_token")).await;
    assert_eq!(fresh.json()["expires_in"], 30);
    server.revoke_all();
    assert_eq!(party.refresh(&fresh.text("refresh_token")).await.text("error"), "invalid_grant");
}

#[tokio::test]
async fn signs_in_on_a_device_and_slows_a_hasty_one_down() {
    let (server, clock) = with_clock();
    let party = RelyingParty::public(server.issuer(), "native-app").await;
    let device = party.start_device(SCOPES).await;
    assert_eq!(party.poll(&device).await.text("error"), "authorization_pending");
    assert_eq!(party.poll(&device).await.text("error"), "slow_down");
    clock.advance(Duration::from_secs(10));
    User::named("ada").enter_device_code(&device.text("verification_uri_complete"), &device.text("user_code")).await;
    assert_signed_in(&party.poll(&device).await, "native-app");

    let declined = party.start_device(SCOPES).await;
    User::named("ada").decline_device_code(&declined.text("verification_uri"), &declined.text("user_code")).await;
    assert_eq!(party.poll(&declined).await.text("error"), "access_denied");

    let (approved, expired) = (party.start_device(SCOPES).await, party.start_device(SCOPES).await);
    server.approve_device(&approved.text("user_code"), "grace");
    assert_signed_in(&party.poll(&approved).await, "native-app");
    clock.advance(Duration::from_secs(600));
    assert_eq!(party.poll(&expired).await.text("error"), "expired_token");
}

#[tokio::test]
async fn gives_an_application_its_own_token_and_revokes() {
    let server = AuthorizationServer::start(Options::default());
    let service = RelyingParty::confidential(server.issuer(), SERVICE).await;
    assert_eq!(service.app_only("api:read unknown").await.json()["scope"], "api:read");
    let token = service.app_only_in_body("api:write").await.text("access_token");
    assert!(server.is_active(&token));
    assert_eq!(service.revoke(&token).await.status, 200);
    assert!(!server.is_active(&token));
}

#[tokio::test]
async fn metadata_and_claims_bend_to_a_test() {
    let server = AuthorizationServer::start(Options::default());
    let party = RelyingParty::public(server.issuer(), "native-app").await;
    server.change(|options| {
        options.metadata.insert("issuer".to_owned(), json!("https://wrong.example"));
        options.metadata.insert("jwks_uri".to_owned(), Value::Null);
        options.id_token_claims.insert("iss".to_owned(), json!("https://wrong.example"));
    });
    let metadata =
        token_broker_tests::http::get(&format!("{}/.well-known/openid-configuration", server.issuer())).await;
    assert_eq!((metadata.text("issuer").as_str(), metadata.json().get("jwks_uri")), ("https://wrong.example", None));
    let tokens = sign_in(&party).await;
    assert_eq!(token_broker_tests::jose::claims(&tokens.text("id_token"))["iss"], "https://wrong.example");
}
