//! A daemon of its own that knows no network but the double of Microsoft, and the calls that the tests make of it.

use std::{sync::Arc, time::Duration};

use token_broker::{
    access::Limits,
    acquire::Outside,
    daemon::{Daemon, Settings, Socket},
    ports::{entropy::SystemEntropy, machine::SystemMachine},
};
use token_broker_client::{
    Account, Client, ClientError, ClientOptions, Failure, Secret,
    calls::{
        ExistingApplication, NewApplication, NewCredential, SignInEvent, SignInMethod, SignInRequest, TokenAnswer,
        TokenRequest, TokenSource,
    },
    oauth::{Authority, Claims, ClientId},
};
use token_broker_tests::{
    clock::ManualClock,
    daemon::{name, scopes},
    within,
};

use super::microsoft::Microsoft;

/// The daemon, its provider and their clock.
pub(super) struct Stage {
    pub(super) microsoft: Arc<Microsoft>,
    pub(super) clock: ManualClock,
    pub(super) client: Client,
    _daemon: Daemon,
    _folder: tempfile::TempDir,
}

impl Stage {
    /// An empty one.
    pub(super) async fn empty() -> Self {
        let clock = ManualClock::at(1_800_000_000);
        let microsoft = Arc::new(Microsoft::new(clock.clone()));
        let folder = tempfile::Builder::new().prefix("token-broker-").tempdir().expect("a scratch folder");
        let socket = folder.path().join("run").join("broker.sock");
        let (data_dir, limits) = (folder.path().join("data"), Limits::default());
        let settings = Settings { data_dir, socket: Socket::Path(socket.clone()), limits };
        let http = Arc::clone(&microsoft);
        let entropy = Arc::new(SystemEntropy::default());
        let machine = Arc::new(SystemMachine);
        let outside = Outside { http, clock: Arc::new(clock.clone()), entropy, machine };
        let daemon = Daemon::start(settings, outside).await.expect("the daemon starts");
        let options = ClientOptions { socket: Some(socket), ..ClientOptions::default() };
        let client = Client::new(&options).expect("a client");
        Self { microsoft, clock, client, _daemon: daemon, _folder: folder }
    }

    /// With the application `work` at `contoso.com`, and its user signed in.
    pub(super) async fn signed_in() -> Self {
        let stage = Self::empty().await;
        stage.add(application("work", "https://login.microsoftonline.com/contoso.com", "client-1")).await;
        stage.sign_in("work").await.expect("signed in");
        stage
    }

    pub(super) async fn add(&self, new: NewApplication) {
        self.client.add_application(&new).await.expect("registered");
    }

    /// Signs in by device code; the first poll brings the tokens, or what the test has planned.
    pub(super) async fn sign_in(&self, application: &str) -> Result<Account, ClientError> {
        self.sign_in_with(SignInRequest::new(name(application))).await
    }

    pub(super) async fn sign_in_with(&self, request: SignInRequest) -> Result<Account, ClientError> {
        let request = SignInRequest { method: SignInMethod::DeviceCode, ..request };
        let mut events = self.client.sign_in(&request).await?;
        let Some(SignInEvent::UserCode(_)) = events.next().await? else { panic!("the code comes first") };
        self.poll().await;
        let Some(SignInEvent::SignedIn(account)) = within(events.next()).await? else { panic!("the account is last") };
        Ok(account)
    }

    /// Lets the time pass until a device code is polled; how long that was. Two timers of the daemon always stand.
    pub(super) async fn poll(&self) -> Duration {
        within(self.clock.timers_set(3)).await;
        within(self.clock.advance_to_next_timer()).await
    }

    pub(super) async fn token(&self, application: &str, wanted: &str) -> Result<TokenAnswer, ClientError> {
        self.ask(TokenRequest { scopes: Some(scopes(wanted)), ..TokenRequest::new(name(application)) }).await
    }

    pub(super) async fn ask(&self, request: TokenRequest) -> Result<TokenAnswer, ClientError> {
        within(self.client.token(&request)).await
    }

    /// Lets the cached tokens expire.
    pub(super) fn expire(&self) {
        self.clock.advance(Duration::from_secs(7200));
    }
}

/// An application to register.
pub(super) fn application(text: &str, authority: &str, client_id: &str) -> NewApplication {
    NewApplication {
        name: name(text),
        client_id: ClientId::parse(client_id).expect("a client id"),
        authority: Authority::from_authority_url(authority).expect("an authority"),
        scopes: scopes("User.Read"),
        redirect_uri: None,
        client_capabilities: Vec::new(),
        keep_alive: None,
        options: token_broker_client::calls::ApplicationOptions::default(),
        credential: NewCredential::None,
        offline: false,
        existing: ExistingApplication::Refuse,
    }
}

/// The same for a confidential client.
pub(super) fn confidential(new: NewApplication) -> NewApplication {
    NewApplication { credential: NewCredential::Secret(Secret::new("s3cret")), ..new }
}

pub(super) fn claims(text: &str) -> Option<Claims> {
    Claims::parse(text).expect("claims")
}

pub(super) fn is_cached(answer: &TokenAnswer) -> bool {
    answer.source == TokenSource::Cache
}

/// The failure that the daemon answered with.
pub(super) fn failure<T: std::fmt::Debug>(answer: Result<T, ClientError>) -> Failure {
    match answer {
        Err(ClientError::Broker(failure)) => *failure,
        other => panic!("no failure of the daemon: {other:?}"),
    }
}
