//! The core of the main job at Debian's glewlwyd.

use token_broker_client::calls::{SignInEvent, SignInRequest, Subject, TokenRequest, TokenSource};
use token_broker_tests::{
    daemon::{Options, TestDaemon, application, name, refresh, sign_in_by_device},
    peers::glewlwyd::{self, Glewlwyd, NATIVE_APP, SERVICE_APP, USER, free_port},
    requirements::require,
};

#[tokio::test]
async fn browser_device_refresh_and_app_only() {
    let Some(()) = require(glewlwyd::present()) else { return };
    // This server compares redirect URIs exactly, so the application names its port.
    let redirect_uri = format!("http://127.0.0.1:{}/cb", free_port());
    let provider = Glewlwyd::start(&[&redirect_uri]).await;
    let daemon = TestDaemon::start(Options::default()).await;
    let client = daemon.client();
    let mut mail = application("mail", &provider.issuer(), (NATIVE_APP, None), "openid");
    mail.redirect_uri = Some(redirect_uri);
    client.add_application(&mail).await.expect("registered");

    let mut events = client.sign_in(&SignInRequest::new(name("mail"))).await.expect("begun");
    let Ok(Some(SignInEvent::OpenUrl(url))) = events.next().await else { panic!("the URL comes first") };
    let (page, done) = tokio::join!(provider.sign_in(url.expose()), events.next());
    assert_eq!(page.status, 200, "{}", page.body);
    let Ok(Some(SignInEvent::SignedIn(account))) = done else { panic!("{done:?}") };
    assert!(!account.home_account_id.is_empty(), "{} of {}", account.label(), USER.0);

    let hit = client.token(&TokenRequest::new(name("mail"))).await.expect("a token");
    assert_eq!(hit.source, TokenSource::Cache);
    for round in 1..=3 {
        refresh(&client, "mail").await.unwrap_or_else(|error| panic!("refresh {round}: {error:?}"));
    }

    let again = sign_in_by_device(&client, "mail", async |code| {
        let uri = code.verification_uri_complete.expect("the complete URI").expose().to_owned();
        provider.approve_device(&uri).await;
    })
    .await
    .expect("signed in on a device");
    assert_eq!(again.home_account_id, account.home_account_id);

    let job = application("job", &provider.issuer(), (SERVICE_APP.0, Some(SERVICE_APP.1)), "api:read");
    client.add_application(&job).await.expect("registered");
    let request = TokenRequest { subject: Subject::Application, ..TokenRequest::new(name("job")) };
    assert_eq!(client.token(&request).await.expect("a token").source, TokenSource::IdentityProvider);
}
