//! On behalf of a user who is not signed in here: by an assertion at the double of Microsoft's platform, in sessions that outlive
//! it, by token exchange elsewhere. Owns the stage: a service `api` with a credential, and users whose tokens clients send to it.

mod assertion;
mod exchange;
mod refused;
mod session;

use std::{sync::Arc, time::Duration};

use token_broker_client::{
    Client, ClientError, Failure, Secret,
    calls::{
        ApplicationOptions, ExistingApplication, NewApplication, NewCredential, OnBehalfOf, SessionKey, Subject,
        TokenAnswer, TokenRequest, TokenSource,
    },
    oauth::{Authority, ClientId},
};
use token_broker_tests::{
    clock::ManualClock,
    daemon::{Options, TestDaemon, name, scopes},
    entra::{Application, Entra, Recorded},
    within,
};

/// The service.
const API: &str = "a0100000-0000-4000-8000-000000000001";
/// Another service of the same name's owner.
const OTHER: &str = "a0100000-0000-4000-8000-000000000002";
const ADA: &str = "ada@contoso.example";
const BOB: &str = "bob@contoso.example";
const ON_BEHALF_OF: &str = "token:jwt-bearer";

/// The platform and a daemon, on one clock.
struct Stage {
    clock: ManualClock,
    entra: Entra,
    daemon: TestDaemon,
}

impl Stage {
    async fn set() -> Self {
        let clock = ManualClock::at(1_800_000_000);
        let entra = Entra::start(&clock);
        let options = Options { clock: Arc::new(clock.clone()), ..Options::default() };
        let daemon = TestDaemon::start_behind(options, Some(entra.http())).await;
        let stage = Self { clock, entra, daemon };
        for (text, id) in [("api", API), ("other", OTHER)] {
            stage.add(text, id, NewCredential::Secret(Secret::new("s3cret"))).await;
        }
        stage
    }

    async fn add(&self, text: &str, id: &str, credential: NewCredential) {
        let secret = matches!(credential, NewCredential::Secret(_)).then(|| "s3cret".to_owned());
        self.entra.register(Application { client_id: id.to_owned(), secret, ..Application::default() });
        self.client().add_application(&application(text, id, credential)).await.expect("registered");
    }

    fn client(&self) -> Client {
        self.daemon.client()
    }

    /// What a client of `api` sends it for this user, good for an hour.
    fn assertion(&self, user: &str) -> String {
        self.entra.user_assertion(user, API, 3600)
    }

    async fn ask(&self, request: TokenRequest) -> Result<TokenAnswer, ClientError> {
        within(self.client().token(&request)).await
    }

    async fn by(&self, assertion: &str) -> TokenAnswer {
        self.ask(by(assertion)).await.expect("a token")
    }

    /// The requests with an assertion so far.
    fn handed_over(&self) -> Vec<Recorded> {
        self.asked(ON_BEHALF_OF)
    }

    fn asked(&self, kind: &str) -> Vec<Recorded> {
        self.entra.requests().into_iter().filter(|request| request.kind() == kind).collect()
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

fn application(text: &str, id: &str, credential: NewCredential) -> NewApplication {
    let authority = "https://login.microsoftonline.com/contoso.example";
    NewApplication {
        name: name(text),
        client_id: ClientId::parse(id).expect("a client id"),
        authority: Authority::from_authority_url(authority).expect("an authority"),
        scopes: scopes("User.Read"),
        redirect_uri: None,
        client_capabilities: Vec::new(),
        keep_alive: None,
        credential,
        offline: false,
        existing: ExistingApplication::Refuse,
        options: ApplicationOptions::default(),
    }
}

/// A request of `api` with this assertion.
fn by(assertion: &str) -> TokenRequest {
    on_behalf_of(OnBehalfOf::Assertion(Secret::new(assertion)))
}

fn on_behalf_of(user: OnBehalfOf) -> TokenRequest {
    TokenRequest { subject: Subject::OnBehalfOf(user), ..TokenRequest::new(name("api")) }
}

fn key(text: &str) -> SessionKey {
    SessionKey::parse(text).expect("a key")
}

fn text(answer: &TokenAnswer) -> &str {
    answer.access_token.expose()
}

fn is_cached(answer: &TokenAnswer) -> bool {
    answer.source == TokenSource::Cache
}

fn username(answer: &TokenAnswer) -> &str {
    answer.account.as_ref().map_or("", |account| account.username.as_str())
}

#[track_caller]
fn failure<T>(outcome: Result<T, ClientError>) -> Failure {
    match outcome {
        Err(ClientError::Broker(failure)) => *failure,
        Err(other) => panic!("not the daemon's own words: {other:?}"),
        Ok(_) => panic!("it was not refused"),
    }
}
