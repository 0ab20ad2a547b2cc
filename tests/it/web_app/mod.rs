//! Sign-in through a web application: the test plays the application, which knows neither secret nor code verifier. Owns the
//! stage (a provider, a daemon, the application `site`) and what goes right; what goes wrong is in `refused`.

mod form_post;
mod oidc_provider;
mod refused;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use token_broker_client::{
    Account, ClientError, Failure,
    calls::{
        BeginAuthorizationRequest, BegunAuthorization, CompleteAuthorizationRequest, NewApplication, Subject,
        TokenAnswer, TokenRequest, TokenSource,
    },
};
use token_broker_tests::{
    authorization_server::{AuthorizationServer, Client as ServerClient, Endpoint, Fault, Gate, Options as Server},
    clock::ManualClock,
    daemon::{Options, TestDaemon, application, name, scopes},
    user::User,
    within,
};
use url::Url;

/// Where the web application takes its users back.
const REDIRECT: &str = "https://web.example/login/authorized";
/// How it is known to the provider.
const CLIENT: (&str, &str) = ("web-app", "web secret: +/%&=?~");

/// A provider and a daemon on one clock, with the web application `site` registered at both.
struct Stage {
    server: AuthorizationServer,
    daemon: TestDaemon,
    clock: ManualClock,
}

impl Stage {
    async fn set() -> Self {
        let clock = ManualClock::now_and_still();
        let web_app = ServerClient {
            redirect_uris: vec![REDIRECT.to_owned(), "http://localhost/login/authorized".to_owned()],
            ..ServerClient::confidential(CLIENT.0, CLIENT.1)
        };
        let server = Server { clock: Arc::new(clock.clone()), clients: vec![web_app], ..Server::default() };
        let server = AuthorizationServer::start(server);
        let daemon = TestDaemon::start(Options { clock: Arc::new(clock.clone()), ..Options::default() }).await;
        daemon.client().add_application(&site(&server, "site")).await.expect("registered");
        Self { server, daemon, clock }
    }

    async fn begin(&self, request: &BeginAuthorizationRequest) -> Result<BegunAuthorization, ClientError> {
        within(self.daemon.client().begin_authorization(request)).await
    }

    /// A sign-in of this user, up to the query that her browser is about to bring to the web application.
    async fn at_the_redirect(&self, user: &str, request: &BeginAuthorizationRequest) -> String {
        let begun = self.begin(request).await.expect("begun");
        let redirect = within(User::named(user).sign_in_until(begun.url.expose(), REDIRECT)).await;
        redirect.query().expect("parameters").to_owned()
    }

    async fn complete(&self, parameters: &str) -> Result<Account, ClientError> {
        let request = CompleteAuthorizationRequest::new(name("site"), parameters);
        within(self.daemon.client().complete_authorization(&request)).await
    }

    async fn token(&self, user: &str, wanted: &str) -> Result<TokenAnswer, ClientError> {
        let request = TokenRequest { scopes: Some(scopes(wanted)), ..of(user) };
        within(self.daemon.client().token(&request)).await
    }
}

fn site(server: &AuthorizationServer, name: &str) -> NewApplication {
    let new = application(name, server.issuer(), (CLIENT.0, Some(CLIENT.1)), "openid profile api:read");
    NewApplication { redirect_uri: Some(REDIRECT.to_owned()), ..new }
}

fn plain() -> BeginAuthorizationRequest {
    BeginAuthorizationRequest::new(name("site"), REDIRECT).expect("a redirect URI")
}

fn of(user: &str) -> TokenRequest {
    TokenRequest { subject: Subject::User(Some(user.to_owned())), ..TokenRequest::new(name("site")) }
}

fn query(url: &str) -> BTreeMap<String, String> {
    Url::parse(url).expect("a URL").query_pairs().into_owned().collect()
}

#[track_caller]
fn refused<T>(outcome: Result<T, ClientError>) -> Failure {
    match outcome {
        Err(ClientError::Broker(failure)) => *failure,
        Err(other) => panic!("not the daemon's own words: {other:?}"),
        Ok(_) => panic!("it was not refused"),
    }
}

#[tokio::test]
async fn a_user_signs_in_and_the_account_outlives_the_daemon() {
    let mut stage = Stage::set().await;
    let begun = stage.begin(&plain()).await.expect("begun");
    let asked = query(begun.url.expose());
    let is = |name: &str, value: &str| assert_eq!(asked.get(name).map(String::as_str), Some(value), "{name}");
    is("redirect_uri", REDIRECT);
    is("state", begun.state.expose());
    is("code_challenge_method", "S256");
    is("scope", "api:read offline_access openid profile");
    assert!(
        asked.contains_key("nonce") && !asked.contains_key("code_verifier") && !asked.contains_key("client_secret")
    );
    let redirect = within(User::named("ada").sign_in_until(begun.url.expose(), REDIRECT)).await;
    let account = stage.complete(redirect.query().expect("parameters")).await.expect("signed in");
    assert_eq!((account.username.as_str(), account.application.as_str()), ("ada", "site"));
    assert!(!account.home_account_id.is_empty());
    let before = stage.server.requests("token");
    stage.daemon.restart().await;
    let hit = stage.token(&account.home_account_id, "api:read").await.expect("a token");
    assert_eq!((hit.source, hit.account), (TokenSource::Cache, Some(account)));
    let fresh = TokenRequest { force_refresh: true, ..of("ada") };
    within(stage.daemon.client().token(&fresh)).await.expect("the grant is there, too");
    assert_eq!(stage.server.requests("token"), before + 1);
}

#[tokio::test]
async fn several_users_are_away_at_once() {
    let stage = Stage::set().await;
    let mut away = Vec::new();
    for user in ["ada", "grace", "mary"] {
        away.push((user, stage.at_the_redirect(user, &plain()).await));
    }
    let mut tokens = std::collections::BTreeSet::new();
    for (user, parameters) in away.into_iter().rev() {
        let account = stage.complete(&parameters).await.expect("signed in");
        assert_eq!(account.username, user);
        let token = stage.token(user, "api:read").await.expect("a token");
        assert_eq!(token.account, Some(account));
        tokens.insert(token.access_token.expose().to_owned());
    }
    assert_eq!(tokens.len(), 3);
    assert_eq!(stage.daemon.client().accounts(None).await.expect("accounts").len(), 3);
}

#[tokio::test]
async fn more_consent_keeps_what_was_granted_before() {
    let stage = Stage::set().await;
    stage.complete(&stage.at_the_redirect("ada", &plain()).await).await.expect("signed in");
    let before = stage.token("ada", "api:read").await.expect("a token").access_token.expose().to_owned();
    let more =
        BeginAuthorizationRequest { scopes: Some(scopes("mail:read")), login_hint: Some("ada".to_owned()), ..plain() };
    let begun = stage.begin(&more).await.expect("begun");
    assert_eq!(query(begun.url.expose())["scope"], "api:read mail:read offline_access openid profile");
    assert_eq!(query(begun.url.expose())["login_hint"], "ada");
    let pending = stage.token("ada", "api:read").await.expect("while she is away");
    assert_eq!((pending.source, pending.access_token.expose()), (TokenSource::Cache, before.as_str()));
    let redirect = within(User::named("ada").sign_in_until(begun.url.expose(), REDIRECT)).await;
    stage.complete(redirect.query().expect("parameters")).await.expect("signed in");
    assert_eq!(stage.token("ada", "mail:read").await.expect("the new scope").source, TokenSource::Cache);
    stage.clock.advance(Duration::from_secs(7200));
    for wanted in ["api:read", "mail:read", "api:read mail:read"] {
        stage.token("ada", wanted).await.expect("the new grant covers both");
    }
    // A hint that names nobody here, and another user's grant, add nothing.
    for hint in ["eve", "grace"] {
        let request = BeginAuthorizationRequest { login_hint: Some(hint.to_owned()), ..more.clone() };
        let begun = stage.begin(&request).await.expect("begun");
        assert_eq!(query(begun.url.expose())["scope"], "mail:read offline_access openid");
    }
}

#[tokio::test]
async fn a_code_that_is_being_redeemed_goes_through_without_its_caller() {
    let stage = Stage::set().await;
    let parameters = stage.at_the_redirect("ada", &plain()).await;
    let gate = Gate::closed();
    stage.server.fail_next(Endpoint::Token, Fault::HoldAfter(gate.clone()));
    let client = stage.daemon.client();
    let request = CompleteAuthorizationRequest::new(name("site"), parameters);
    let leaver = tokio::spawn(async move { client.complete_authorization(&request).await });
    within(gate.reached(1)).await;
    leaver.abort();
    gate.open();
    // A stop waits for what is under way.
    let mut stage = stage;
    stage.daemon.restart().await;
    assert_eq!(stage.token("ada", "api:read").await.expect("signed in all the same").source, TokenSource::Cache);
}
