//! The main job at npm's certified `oidc-provider`.

use token_broker_client::{
    ClientError, Reason,
    calls::{Revocation, SignInEvent, SignInRequest, SignOutRequest, Subject, TokenRequest, TokenSource},
};
use token_broker_tests::{
    daemon::{Options, TestDaemon, application, name, refresh, scopes, sign_in_by_browser, sign_in_by_device},
    peers::{
        OidcProvider,
        oidc_provider::{self, CONFIDENTIAL_APP, NATIVE_APP, SERVICE_APP, SERVICE_APP_POST},
    },
    requirements::require,
    user::User,
};

const SCOPES: &str = "openid profile api:read";

/// A provider, a daemon, and the application `mail` registered with it.
async fn stage() -> Option<(OidcProvider, TestDaemon)> {
    let () = require(oidc_provider::present())?;
    let provider = OidcProvider::start(oidc_provider::Options::default()).await;
    let daemon = TestDaemon::start(Options::default()).await;
    let mail = application("mail", provider.issuer(), (NATIVE_APP, None), SCOPES);
    daemon.client().add_application(&mail).await.expect("registered");
    Some((provider, daemon))
}

#[tokio::test]
async fn browser_sign_in_then_hits_refreshes_restart_and_sign_out() {
    let Some((provider, mut daemon)) = stage().await else { return };
    let client = daemon.client();
    let account = sign_in_by_browser(&client, "mail", &User::named("ada")).await.expect("signed in");
    assert_eq!((account.username.as_str(), account.application.as_str()), ("ada", "mail"));

    let before = provider.all_requests().await;
    let plain = TokenRequest::new(name("mail"));
    let hit = client.token(&plain).await.expect("a cached token");
    assert_eq!(hit.source, TokenSource::Cache);
    assert!(scopes("api:read").is_covered_by(&hit.scopes), "{}", hit.scopes);
    assert_eq!(provider.all_requests().await, before, "a hit asks the provider nothing");

    let mut last = hit.access_token.expose().to_owned();
    for round in 1..=10 {
        let fresh = refresh(&client, "mail").await.unwrap_or_else(|error| panic!("refresh {round}: {error}"));
        assert_eq!(fresh.source, TokenSource::IdentityProvider);
        assert_ne!(fresh.access_token.expose(), last, "refresh {round}");
        last = fresh.access_token.expose().to_owned();
    }
    assert_eq!(provider.requests("token:refresh_token:200").await, 10);

    daemon.restart().await;
    let hit = client.token(&plain).await.expect("the cache outlives the daemon");
    assert_eq!((hit.source, hit.access_token.expose()), (TokenSource::Cache, last.as_str()));
    assert!(provider.introspect(&last).await);
    refresh(&client, "mail").await.expect("so does the grant");

    let request = SignOutRequest { application: name("mail"), account: None, revoke: true, correlation_id: None };
    let answer = client.sign_out(&request).await.expect("signed out");
    assert_eq!(answer.revocation, Revocation::Accepted);
    assert!(!provider.introspect(&last).await, "the provider knows it");
    assert!(client.accounts(None).await.expect("a list").is_empty());
    let Err(ClientError::Broker(failure)) = client.token(&plain).await else { panic!("nobody is signed in") };
    assert_eq!(failure.reason, Reason::InteractionRequired);
    assert_eq!(failure.advice.as_deref(), Some("broker-cli login mail"));
}

#[tokio::test]
async fn device_sign_in_and_id_token() {
    let Some((provider, daemon)) = stage().await else { return };
    let client = daemon.client();
    let account = sign_in_by_device(&client, "mail", async |code| {
        let (uri, user_code) = (code.verification_uri.clone(), code.user_code.expose().to_owned());
        User::named("grace").enter_device_code(&uri, &user_code).await;
    })
    .await
    .expect("signed in");
    assert_eq!(account.username, "grace");
    let request = TokenRequest { include_id_token: true, ..TokenRequest::new(name("mail")) };
    let answer = client.token(&request).await.expect("a token");
    let id_token = answer.id_token.expect("the ID token was asked for");
    assert_eq!(token_broker_tests::jose::claims(id_token.expose())["preferred_username"], "grace");
    assert_eq!(answer.account, Some(account));
    refresh(&client, "mail").await.expect("the device's grant can be refreshed");
    assert_eq!(provider.requests("device_authorization").await, 1);
}

#[tokio::test]
async fn two_users_of_one_application_are_kept_apart() {
    let Some((_provider, daemon)) = stage().await else { return };
    let client = daemon.client();
    for user in ["ada", "grace"] {
        sign_in_by_browser(&client, "mail", &User::named(user)).await.expect("signed in");
    }
    let Err(ClientError::Broker(failure)) = client.token(&TokenRequest::new(name("mail"))).await else {
        panic!("two accounts fit")
    };
    assert_eq!((failure.reason, failure.candidates.len()), (Reason::AccountAmbiguous, 2));
    for user in ["ada", "GRACE"] {
        let request = TokenRequest { subject: Subject::User(Some(user.to_owned())), ..TokenRequest::new(name("mail")) };
        let answer = client.token(&request).await.expect("a token");
        assert_eq!(answer.account.expect("an account").username, user.to_lowercase());
    }
    let stranger = TokenRequest { subject: Subject::User(Some("eve".into())), ..TokenRequest::new(name("mail")) };
    let Err(ClientError::Broker(failure)) = client.token(&stranger).await else { panic!("eve is not there") };
    assert_eq!(failure.reason, Reason::AccountNotFound);
}

#[tokio::test]
async fn declining_leaves_nothing_behind() {
    let Some((_provider, daemon)) = stage().await else { return };
    let client = daemon.client();
    let mut events = client.sign_in(&SignInRequest::new(name("mail"))).await.expect("begun");
    let Ok(Some(SignInEvent::OpenUrl(url))) = events.next().await else { panic!("the URL comes first") };
    let user = User::named("ada");
    let (page, done) = tokio::join!(user.decline(url.expose()), events.next());
    assert!(page.status == 400 && page.body.contains("declined"), "{}", page.body);
    let Err(ClientError::Broker(failure)) = done else { panic!("the user declined") };
    assert_eq!(failure.reason, Reason::Declined);
    assert!(client.accounts(None).await.expect("a list").is_empty());
}

#[tokio::test]
async fn an_application_gets_its_own_token() {
    let Some((provider, daemon)) = stage().await else { return };
    let client = daemon.client();
    for (job, (id, secret)) in [("basic", SERVICE_APP), ("post", SERVICE_APP_POST)] {
        let new = application(job, provider.issuer(), (id, Some(secret)), "api:read");
        client.add_application(&new).await.expect("registered");
        let request = TokenRequest { subject: Subject::Application, ..TokenRequest::new(name(job)) };
        let first = client.token(&request).await.expect("a token");
        assert_eq!((first.source, &first.account), (TokenSource::IdentityProvider, &None));
        let second = client.token(&request).await.expect("a token");
        assert_eq!((second.source, second.access_token.expose()), (TokenSource::Cache, first.access_token.expose()));
    }
    assert_eq!(provider.requests("token:client_credentials:200").await, 2);
}

#[tokio::test]
async fn a_confidential_client_signs_users_in() {
    let Some((provider, daemon)) = stage().await else { return };
    let client = daemon.client();
    let (id, secret) = CONFIDENTIAL_APP;
    let new = application("web", provider.issuer(), (id, Some(secret)), SCOPES);
    client.add_application(&new).await.expect("registered");
    sign_in_by_browser(&client, "web", &User::named("ada")).await.expect("signed in");
    refresh(&client, "web").await.expect("refreshed");
}
