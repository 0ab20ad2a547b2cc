//! The scripted user and plain HTTP against `oidc-provider`.

use token_broker_tests::{
    peers::{
        OidcProvider,
        oidc_provider::{self, CONFIDENTIAL_APP, NATIVE_APP, Options, SERVICE_APP, SERVICE_APP_POST},
    },
    requirements::require,
    user::User,
};

use super::{RelyingParty, SCOPES, assert_signed_in, loopback::Loopback, rotation_detects_replay};

/// `oidc-provider` gives a refresh token only to a user who has consented in this very sign-in.
const CONSENT: [(&str, &str); 1] = [("prompt", "consent")];

#[tokio::test]
async fn signs_in_by_browser_and_detects_replay() {
    let Some(()) = require(oidc_provider::present()) else { return };
    let provider = OidcProvider::start(Options::default()).await;
    let mut party = RelyingParty::public(provider.issuer(), NATIVE_APP).await;
    let listener = Loopback::listen();
    party.redirect_uri.clone_from(&listener.redirect_uri);
    let page = User::named("ada").sign_in(&party.authorization_url(SCOPES, &CONSENT)).await;
    assert_eq!((page.status, page.body.as_str()), (200, "signed in"), "the user sees the listener's page");
    let redirect = format!("{}?{}", party.redirect_uri, listener.parameters()).parse().unwrap();
    let tokens = party.redeem(&party.code(&redirect)).await;
    assert_signed_in(&tokens, NATIVE_APP);
    let claims = token_broker_tests::jose::claims(&tokens.text("id_token"));
    assert_eq!(claims["preferred_username"], "ada", "{claims}");
    assert!(provider.introspect(&tokens.text("access_token")).await);
    rotation_detects_replay(&party, &tokens).await;
    assert!(!provider.introspect(&tokens.text("access_token")).await, "replay revokes the whole grant");
    assert_eq!(provider.requests("token:refresh_token").await, 3);
    assert_eq!(provider.requests("token:refresh_token:200").await, 1);
}

#[tokio::test]
async fn a_code_works_once_and_revocation_ends_the_grant() {
    let Some(()) = require(oidc_provider::present()) else { return };
    let provider = OidcProvider::start(Options { access_token_lifetime: Some(60), ..Options::default() }).await;
    let party = RelyingParty::confidential(provider.issuer(), CONFIDENTIAL_APP).await;
    let user = User::named("grace");
    let url = party.authorization_url(SCOPES, &CONSENT);
    let redirect = user.sign_in_until(&url, &party.redirect_uri).await;
    let tokens = party.redeem(&party.code(&redirect)).await;
    assert_signed_in(&tokens, CONFIDENTIAL_APP.0);
    assert_eq!(tokens.json()["expires_in"], 60);
    assert_eq!(party.revoke(&tokens.text("refresh_token")).await.status, 200);
    assert!(!provider.introspect(&tokens.text("refresh_token")).await);

    let redirect = user.sign_in_until(&url, &party.redirect_uri).await;
    let code = party.code(&redirect);
    assert_eq!(party.redeem(&code).await.status, 200);
    assert_eq!(party.redeem(&code).await.text("error"), "invalid_grant");
}

#[tokio::test]
async fn a_user_can_decline_in_the_browser() {
    let Some(()) = require(oidc_provider::present()) else { return };
    let provider = OidcProvider::start(Options::default()).await;
    let party = RelyingParty::public(provider.issuer(), NATIVE_APP).await;
    let redirect = User::named("ada").decline_until(&party.authorization_url(SCOPES, &[]), &party.redirect_uri).await;
    assert!(redirect.query().unwrap().contains("error=access_denied"), "{redirect}");
}

#[tokio::test]
async fn signs_in_on_a_device() {
    let Some(()) = require(oidc_provider::present()) else { return };
    let provider = OidcProvider::start(Options::default()).await;
    let party = RelyingParty::public(provider.issuer(), NATIVE_APP).await;
    let device = party.start_device(SCOPES).await;
    assert_eq!(party.poll(&device).await.text("error"), "authorization_pending");
    let page = User::named("ada").enter_device_code(&device.text("verification_uri"), &device.text("user_code")).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let tokens = party.poll(&device).await;
    assert_signed_in(&tokens, NATIVE_APP);
    assert_eq!(provider.requests("device_authorization").await, 1);

    let second = party.start_device(SCOPES).await;
    User::named("grace").enter_device_code(&second.text("verification_uri_complete"), &second.text("user_code")).await;
    assert_signed_in(&party.poll(&second).await, NATIVE_APP);

    let declined = party.start_device(SCOPES).await;
    User::named("ada").decline_device_code(&declined.text("verification_uri"), &declined.text("user_code")).await;
    assert_eq!(party.poll(&declined).await.text("error"), "access_denied");
}

#[tokio::test]
async fn gives_an_application_its_own_token() {
    let Some(()) = require(oidc_provider::present()) else { return };
    let provider = OidcProvider::start(Options::default()).await;
    let basic = RelyingParty::confidential(provider.issuer(), SERVICE_APP).await;
    assert_eq!(basic.app_only("api:read").await.json()["scope"], "api:read");
    let posted = RelyingParty::confidential(provider.issuer(), SERVICE_APP_POST).await;
    assert_eq!(posted.app_only_in_body("api:write").await.json()["scope"], "api:write");
}

#[tokio::test]
async fn signs_id_tokens_as_configured() {
    let Some(()) = require(oidc_provider::present()) else { return };
    let options = Options { id_token_algorithm: Some("ES256"), without_rotation: true, ..Options::default() };
    let provider = OidcProvider::start(options).await;
    let party = RelyingParty::public(provider.issuer(), NATIVE_APP).await;
    let url = party.authorization_url(SCOPES, &CONSENT);
    let redirect = User::named("ada").sign_in_until(&url, &party.redirect_uri).await;
    let tokens = party.redeem(&party.code(&redirect)).await;
    let header = tokens.text("id_token").split('.').next().unwrap().to_owned();
    assert!(token_broker_tests::jose::claims(&format!(".{header}"))["alg"] == "ES256");
    let again = party.refresh(&tokens.text("refresh_token")).await;
    assert_eq!(again.text("refresh_token"), tokens.text("refresh_token"), "without rotation it stays");
}
