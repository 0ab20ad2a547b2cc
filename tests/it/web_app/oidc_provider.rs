//! The same at npm's certified `oidc-provider`, with a client that it knows as a web application.

use token_broker_client::{
    Reason,
    calls::{BeginAuthorizationRequest, CompleteAuthorizationRequest, NewApplication, TokenSource},
};
use token_broker_tests::{
    daemon::{Options, TestDaemon, application, name, refresh},
    peers::{
        OidcProvider,
        oidc_provider::{self, WEB_APP, WEB_APP_REDIRECT},
    },
    requirements::require,
    user::User,
    within,
};

use super::{TokenRequest, refused};

#[tokio::test]
async fn a_web_client_of_a_certified_server() {
    let Some(()) = require(oidc_provider::present()) else { return };
    let provider = OidcProvider::start(oidc_provider::Options::default()).await;
    let daemon = TestDaemon::start(Options::default()).await;
    let client = daemon.client();
    let new = application("site", provider.issuer(), (WEB_APP.0, Some(WEB_APP.1)), "openid profile api:read");
    let new = NewApplication { redirect_uri: Some(WEB_APP_REDIRECT.to_owned()), ..new };
    client.add_application(&new).await.expect("registered");
    let plain = BeginAuthorizationRequest::new(name("site"), WEB_APP_REDIRECT).expect("a redirect URI");

    let begun = client.begin_authorization(&plain).await.expect("begun");
    let redirect = within(User::named("ada").sign_in_until(begun.url.expose(), WEB_APP_REDIRECT)).await;
    let request = CompleteAuthorizationRequest::new(name("site"), redirect.query().expect("parameters"));
    let account = client.complete_authorization(&request).await.expect("signed in");
    assert_eq!(account.username, "ada");
    assert_eq!(client.token(&TokenRequest::new(name("site"))).await.expect("a token").source, TokenSource::Cache);
    refresh(&client, "site").await.expect("the grant can be refreshed");
    assert_eq!(provider.requests("token:authorization_code:200").await, 1);

    let begun = client.begin_authorization(&plain).await.expect("begun");
    let redirect = within(User::named("eve").decline_until(begun.url.expose(), WEB_APP_REDIRECT)).await;
    let request = CompleteAuthorizationRequest::new(name("site"), redirect.query().expect("parameters"));
    assert_eq!(refused(client.complete_authorization(&request).await).reason, Reason::Declined);
    assert_eq!(client.accounts(None).await.expect("accounts"), [account]);
}
