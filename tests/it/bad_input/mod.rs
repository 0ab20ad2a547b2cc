//! Bad input, from wherever it comes: each line of it is answered with a reason and a message that a person understands, and
//! none costs an account, a token or the daemon. Owns the stage (`ada` signed in to `mail`) and what "nothing was lost" means.

mod config;
mod device_code;
mod metadata;
mod redirect;
mod request;
mod store;
mod tls;
mod token_endpoint;
mod wire;

use std::sync::Arc;

use token_broker_client::{
    Account, Client, ClientError, Failure, Reason,
    calls::{Subject, TokenAnswer, TokenRequest, TokenSource},
};
use token_broker_tests::{
    authorization_server::{AuthorizationServer, Options as Server},
    clock::ManualClock,
    daemon::{Options, TestDaemon, application, name, sign_in_by_browser},
    user::User,
    within,
};

/// A provider and a daemon on one clock, with `ada` signed in to `mail`.
pub(crate) struct Stage {
    pub(crate) server: AuthorizationServer,
    pub(crate) daemon: TestDaemon,
    pub(crate) clock: ManualClock,
    pub(crate) ada: SignedIn,
}

/// A user who is signed in, and the token that is cached for her.
pub(crate) struct SignedIn {
    pub(crate) account: Account,
    pub(crate) token: String,
}

impl Stage {
    pub(crate) async fn set() -> Self {
        Self::with(Server::default(), Options::default()).await
    }

    /// The clocks of both are replaced by the stage's own.
    pub(crate) async fn with(server: Server, daemon: Options) -> Self {
        let clock = ManualClock::now_and_still();
        let server = AuthorizationServer::start(Server { clock: Arc::new(clock.clone()), ..server });
        let daemon = TestDaemon::start(Options { clock: Arc::new(clock.clone()), ..daemon }).await;
        let client = daemon.client();
        let mail = application("mail", server.issuer(), ("native-app", None), "openid api:read");
        client.add_application(&mail).await.expect("registered");
        let account = sign_in_by_browser(&client, "mail", &User::named("ada")).await.expect("signed in");
        let token = client.token(&of("ada")).await.expect("a token").access_token.expose().to_owned();
        Self { server, daemon, clock, ada: SignedIn { account, token } }
    }

    /// A refresh that must fail.
    async fn failed_refresh(&self) -> Failure {
        refused(refresh(&self.daemon.client()).await)
    }

    async fn still_serves(&self) {
        self.ada.is_served(&self.daemon.client()).await;
    }

    /// The grant is as good as ever: a refresh brings a new token.
    async fn still_refreshes(&mut self) {
        self.ada.can_refresh(&self.daemon.client()).await;
    }
}

impl SignedIn {
    /// Nothing was lost: over this connection the daemon knows the account, gives out its cached token, says that it is well,
    /// and every row of its store is in order.
    pub(crate) async fn is_served(&self, client: &Client) {
        assert!(within(client.accounts(None)).await.expect("accounts").contains(&self.account), "the account is there");
        let hit = within(client.token(&of("ada"))).await.expect("the cached token");
        assert_eq!((hit.source, hit.access_token.expose()), (TokenSource::Cache, self.token.as_str()));
        assert_eq!(within(client.status()).await.expect("status").lock_reason, None);
        let report = within(client.verify_cache()).await.expect("a report");
        assert!(report.problems.is_empty(), "{report:?}");
    }

    async fn can_refresh(&mut self, client: &Client) {
        let fresh = within(refresh(client)).await.expect("the grant still works");
        assert_ne!(fresh.access_token.expose(), self.token);
        fresh.access_token.expose().clone_into(&mut self.token);
        self.is_served(client).await;
    }
}

/// The request for a token of this user.
pub(crate) fn of(user: &str) -> TokenRequest {
    TokenRequest { subject: Subject::User(Some(user.to_owned())), ..TokenRequest::new(name("mail")) }
}

pub(crate) async fn refresh(client: &Client) -> Result<TokenAnswer, ClientError> {
    client.token(&TokenRequest { force_refresh: true, ..of("ada") }).await
}

/// The failure that a call must end with, in the daemon's own words.
#[track_caller]
pub(crate) fn refused<T>(outcome: Result<T, ClientError>) -> Failure {
    match outcome {
        Err(ClientError::Broker(failure)) => *failure,
        Err(other) => panic!("not the daemon's own words: {other:?}"),
        Ok(_) => panic!("it was not refused"),
    }
}

/// The failure has this reason, and its message has these words.
#[track_caller]
fn says(failure: &Failure, reason: Reason, words: &[&str]) {
    assert_eq!(failure.reason, reason, "{failure:?}");
    has_words(&format!("{}: {}", failure.reason.as_str(), failure.message), words);
}

/// A text for people has these words.
#[track_caller]
#[expect(clippy::print_stderr, reason = "with --nocapture these tests show every message as people read it")]
fn has_words(text: &str, words: &[&str]) {
    eprintln!("{text}");
    for word in words {
        assert!(text.contains(word), "{word:?} in {text:?}");
    }
}
