//! Managed identity: each source gives the daemon a token, real libraries are the judges of how it is asked for, and what a source
//! could do wrong is named and stored nowhere.

mod bad_input;
mod federated;
mod peers;
mod sources;

use std::{sync::Arc, time::Duration};

use token_broker::ports::{Clock, http::HttpLimits};
use token_broker_client::{
    Client, ClientError, Failure,
    calls::{NewApplication, NewCredential, TokenAnswer, TokenRequest},
    oauth::{Authority, ManagedIdentity, ManagedIdentityId, ManagedIdentitySource},
};
use token_broker_tests::{
    clock::ManualClock,
    daemon::{Options, TestDaemon, application, name, scopes},
    managed_identity::{Environment, Host},
};

/// The resource that tokens are asked for.
const VAULT: &str = "https://vault.azure.net";
/// The time at which tests begin.
const START: u64 = 1_800_000_000;

/// A daemon on a machine of Azure.
struct Stage {
    host: Host,
    environment: Arc<Environment>,
    clock: ManualClock,
    _daemon: TestDaemon,
    client: Client,
}

impl Stage {
    /// On a machine with this source.
    async fn with(source: ManagedIdentitySource) -> Self {
        Self::limited(source, HttpLimits::default()).await
    }

    async fn limited(source: ManagedIdentitySource, http: HttpLimits) -> Self {
        let clock = ManualClock::at(START);
        let host = Host::start(Arc::new(clock.clone())).await;
        let environment = Arc::new(host.environment(source));
        let machine = environment.clone();
        let options = Options { clock: Arc::new(clock.clone()), machine, http, ..Options::default() };
        let daemon = TestDaemon::start(options).await;
        let client = daemon.client();
        Self { host, environment, clock, _daemon: daemon, client }
    }

    /// With the machine's system-assigned identity as the application `vm`.
    async fn with_vm(source: ManagedIdentitySource) -> Self {
        let stage = Self::with(source).await;
        stage.add("vm", ManagedIdentityId::SystemAssigned, None).await;
        stage
    }

    async fn add(&self, name: &str, id: ManagedIdentityId, source: Option<ManagedIdentitySource>) {
        self.register(managed(name, id, source)).await.expect("registered");
    }

    async fn register(&self, new: NewApplication) -> Result<(), ClientError> {
        self.client.add_application(&new).await.map(drop)
    }

    async fn token(&self, application: &str) -> Result<TokenAnswer, ClientError> {
        self.client.token(&request(application)).await
    }

    /// The text of the token; it must come.
    async fn access_token(&self, application: &str) -> String {
        self.token(application).await.expect("a token").access_token.expose().to_owned()
    }

    /// How often a source was asked.
    fn asked(&self) -> usize {
        self.host.asked().len()
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    fn now(&self) -> i64 {
        self.clock.now().seconds()
    }

    async fn entries(&self) -> usize {
        self.client.cache_entries(None).await.expect("the list").len()
    }
}

fn request(application: &str) -> TokenRequest {
    TokenRequest::new(name(application))
}

/// An application that is a managed identity and asks for the vault by default.
fn managed(name: &str, id: ManagedIdentityId, source: Option<ManagedIdentitySource>) -> NewApplication {
    let identity = ManagedIdentity { id, source };
    NewApplication {
        client_id: identity.client_id(),
        authority: Authority::ManagedIdentity(identity),
        credential: NewCredential::None,
        scopes: scopes(VAULT),
        ..application(name, "https://unused.example", ("unused", None), "")
    }
}

/// The failure that a call must end with; no secret of the machine is in it.
#[track_caller]
fn refused<T: std::fmt::Debug>(answer: Result<T, ClientError>) -> Failure {
    match answer {
        Err(ClientError::Broker(failure)) => {
            let said = format!("{failure:?}");
            assert!(!said.contains("marker-"), "a secret is in it: {said}");
            *failure
        }
        other => panic!("not the daemon's own words: {other:?}"),
    }
}
