//! The life of a grant: rotation without loss, pauses that outlast the daemon, renewal ahead of time. Owns the stage: a provider
//! and a daemon on one clock, with `ada` signed in to `mail`.

mod backoff;
mod renewal;
mod replaced;
mod rotation;

use std::{sync::Arc, time::Duration};

use token_broker_client::{
    Client, ClientError, Failure, Reason,
    calls::{GrantStatus, NewApplication, Subject, TokenAnswer, TokenRequest, TokenSource},
};
use token_broker_tests::{
    authorization_server::{AuthorizationServer, Options as Server},
    clock::ManualClock,
    daemon::{Options, TestDaemon, application, name, sign_in_by_browser},
    user::User,
    within,
};

/// Longer than any token lives.
const LONG: Duration = Duration::from_secs(7200);
/// The count of refreshes that the provider was asked for.
const REFRESHES: &str = "token:refresh_token";

struct Stage {
    server: AuthorizationServer,
    daemon: TestDaemon,
    clock: ManualClock,
}

impl Stage {
    async fn set(server: Server) -> Self {
        Self::with(server, |_| {}).await
    }

    /// With the registration of `mail` as `change` makes it.
    async fn with(server: Server, change: impl FnOnce(&mut NewApplication)) -> Self {
        let clock = ManualClock::now_and_still();
        let server = AuthorizationServer::start(Server { clock: Arc::new(clock.clone()), ..server });
        let daemon = TestDaemon::start(Options { clock: Arc::new(clock.clone()), ..Options::default() }).await;
        let mut mail = application("mail", server.issuer(), ("native-app", None), "openid api:read");
        change(&mut mail);
        daemon.client().add_application(&mail).await.expect("registered");
        let stage = Self { server, daemon, clock };
        stage.sign_in().await;
        stage
    }

    fn client(&self) -> Client {
        self.daemon.client()
    }

    async fn sign_in(&self) {
        within(sign_in_by_browser(&self.client(), "mail", &User::named("ada"))).await.expect("signed in");
    }

    /// A call in a task of its own.
    fn ask(&self, request: TokenRequest) -> tokio::task::JoinHandle<Result<TokenAnswer, ClientError>> {
        let client = self.client();
        tokio::spawn(async move { client.token(&request).await })
    }

    async fn token(&self) -> TokenAnswer {
        within(self.client().token(&ada())).await.expect("a token")
    }

    async fn failure(&self, request: &TokenRequest) -> Failure {
        failure(within(self.client().token(request)).await)
    }

    fn refreshes(&self) -> usize {
        self.server.requests(REFRESHES)
    }

    /// Asks until another token than this one is served; nobody waits for the provider meanwhile.
    async fn successor_of(&self, old: &TokenAnswer) -> TokenAnswer {
        let client = self.client();
        let other = async {
            loop {
                let token = client.token(&ada()).await.expect("a token");
                assert_eq!(token.source, TokenSource::Cache, "nobody waits");
                if token.access_token.expose() != old.access_token.expose() {
                    return token;
                }
            }
        };
        within(other).await
    }

    async fn grant(&self) -> GrantStatus {
        let status = within(self.client().status()).await.expect("status");
        let [grant] = status.grants.try_into().expect("one grant");
        grant
    }
}

fn ada() -> TokenRequest {
    TokenRequest { subject: Subject::User(Some("ada".to_owned())), ..TokenRequest::new(name("mail")) }
}

fn forced() -> TokenRequest {
    TokenRequest { force_refresh: true, ..ada() }
}

/// The failure that a call must end with, in the daemon's own words.
#[track_caller]
fn failure(outcome: Result<TokenAnswer, ClientError>) -> Failure {
    match outcome {
        Err(ClientError::Broker(failure)) => *failure,
        Err(other) => panic!("not the daemon's own words: {other:?}"),
        Ok(_) => panic!("it was not refused"),
    }
}

#[track_caller]
fn says(failure: &Failure, reason: Reason, words: &[&str]) {
    assert_eq!(failure.reason, reason, "{failure:?}");
    for word in words {
        assert!(failure.message.contains(word), "{word:?} in {failure:?}");
    }
}
