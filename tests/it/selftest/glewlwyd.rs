//! The scripted user and plain HTTP against glewlwyd.

use token_broker_tests::{
    http,
    peers::{
        Glewlwyd,
        glewlwyd::{self, NATIVE_APP, SERVICE_APP},
    },
    requirements::require,
};

use super::{RelyingParty, SCOPES, assert_signed_in, rotation_detects_replay};

#[tokio::test]
async fn goes_through_every_flow() {
    let Some(()) = require(glewlwyd::present()) else { return };
    let redirect_uri = format!("http://127.0.0.1:{}/cb", glewlwyd::free_port());
    let provider = Glewlwyd::start(&[&redirect_uri]).await;
    let mut party = RelyingParty::public(&provider.issuer(), NATIVE_APP).await;
    party.redirect_uri = redirect_uri;

    let url = party.authorization_url(SCOPES, &[]);
    let redirect = provider.sign_in_until(&url, &party.redirect_uri).await;
    let tokens = party.redeem(&party.code(&redirect)).await;
    assert_signed_in(&tokens, NATIVE_APP);
    assert!(provider.introspect(&tokens.text("access_token")).await);
    rotation_detects_replay(&party, &tokens).await;

    let device = party.start_device(SCOPES).await;
    provider.approve_device(&device.text("verification_uri_complete")).await;
    let tokens = party.poll(&device).await;
    assert_signed_in(&tokens, NATIVE_APP);
    let body = [("token", tokens.text("refresh_token")), ("client_id", NATIVE_APP.to_owned())];
    let body = body.each_ref().map(|(name, value)| (*name, value.as_str()));
    let revoked = http::post(&format!("{}/revoke", provider.issuer()), &body).await;
    assert_eq!(revoked.status, 401, "this server lets no public client revoke");

    let service = RelyingParty::confidential(&provider.issuer(), SERVICE_APP).await;
    assert_eq!(service.app_only("api:read").await.json()["scope"], "api:read");
    assert_eq!(service.app_only_in_body("api:read").await.status, 200);
}
