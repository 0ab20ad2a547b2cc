//! The daemon in the test's own process: the same rooms as in `token-brokerd`, with a scratch folder, and with a clock that a test
//! may hold. `TestDaemon::restart` is a real restart: everything is closed and read back from disk.

use std::{path::PathBuf, sync::Arc};

use tempfile::TempDir;
use token_broker::{
    access::Limits,
    acquire::Outside,
    daemon::{Daemon, DaemonError, Settings, Socket},
    ports::{
        Clock,
        clock::SystemClock,
        entropy::SystemEntropy,
        http::{Http, HttpClient, HttpLimits},
        machine::{Machine, SystemMachine},
    },
};
use token_broker_client::{
    Client, ClientError, ClientOptions,
    calls::{
        ExistingApplication, NewApplication, NewCredential, SignInEvent, SignInMethod, SignInRequest, TokenAnswer,
        TokenRequest,
    },
    oauth::{ApplicationName, Authority, ClientId, ScopeSet},
};
use token_broker_proto::{Account, Secret};

use crate::user::User;

/// How the daemon differs from its defaults.
#[derive(Clone)]
pub struct Options {
    /// The daemon's clock.
    pub clock: Arc<dyn Clock>,
    /// Limits towards providers.
    pub http: HttpLimits,
    /// Limits of callers.
    pub limits: Limits,
    /// The machine's environment.
    pub machine: Arc<dyn Machine>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            http: HttpLimits::default(),
            limits: Limits::default(),
            machine: Arc::new(SystemMachine),
        }
    }
}

/// A daemon and its scratch folder.
pub struct TestDaemon {
    options: Options,
    /// The way to providers, where it is not the usual one.
    http: Option<Arc<dyn Http>>,
    folder: TempDir,
    daemon: Option<Daemon>,
}

impl TestDaemon {
    /// Starts one on a new folder.
    pub async fn start(options: Options) -> Self {
        Self::start_behind(options, None).await
    }

    /// Starts one that reaches providers in this way.
    pub async fn start_behind(options: Options, http: Option<Arc<dyn Http>>) -> Self {
        // Another test of this process may have installed it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::Builder::new().prefix("token-broker-").tempdir().expect("a scratch folder");
        let mut daemon = Self { options, http, folder, daemon: None };
        daemon.try_start().await.expect("the daemon starts");
        daemon
    }

    /// Starts it on its folder as that is now, after `stop`.
    ///
    /// # Errors
    /// When it refuses to start.
    pub async fn try_start(&mut self) -> Result<(), DaemonError> {
        let (socket, limits) = (Socket::Path(self.socket()), self.options.limits);
        let settings = Settings { data_dir: self.data_dir(), socket, limits };
        let outside = Outside {
            http: self.http.clone().unwrap_or_else(|| Arc::new(HttpClient::new(self.options.http))),
            clock: Arc::clone(&self.options.clock),
            entropy: Arc::new(SystemEntropy::default()),
            machine: Arc::clone(&self.options.machine),
        };
        self.daemon = Some(Daemon::start(settings, outside).await?);
        Ok(())
    }

    /// Stops it softly.
    pub async fn stop(&mut self) {
        self.daemon.take().expect("a running daemon").stop().await.expect("the daemon stops cleanly");
    }

    /// Starts a stopped one again on the same folder.
    pub async fn start_again(&mut self) {
        self.try_start().await.expect("the daemon starts");
    }

    /// Stops it and starts it again on the same folder.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.start_again().await;
    }

    /// Its data folder.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Its socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("run").join("broker.sock")
    }

    /// A client of its own connection.
    #[must_use]
    pub fn client(&self) -> Client {
        let options = ClientOptions { socket: Some(self.socket()), ..ClientOptions::default() };
        Client::new(&options).expect("a client")
    }
}

/// A name of an application.
#[must_use]
pub fn name(text: &str) -> ApplicationName {
    ApplicationName::parse("application", text).expect("a valid name")
}

/// Scopes, separated by spaces.
#[must_use]
pub fn scopes(text: &str) -> ScopeSet {
    ScopeSet::parse([text]).expect("valid scopes")
}

/// An application to register at this issuer.
#[must_use]
pub fn application(text: &str, issuer: &str, client: (&str, Option<&str>), default_scopes: &str) -> NewApplication {
    NewApplication {
        name: name(text),
        client_id: ClientId::parse(client.0).expect("a valid client id"),
        authority: Authority::from_issuer(issuer).expect("a valid issuer"),
        scopes: scopes(default_scopes),
        redirect_uri: None,
        client_capabilities: Vec::new(),
        keep_alive: None,
        options: token_broker_client::calls::ApplicationOptions::default(),
        credential: client.1.map_or(NewCredential::None, |secret| NewCredential::Secret(Secret::new(secret))),
        offline: false,
        existing: ExistingApplication::Refuse,
    }
}

/// Signs in by browser: the scripted user opens the URL that the daemon gives and ends on the daemon's own page.
pub async fn sign_in_by_browser(client: &Client, application: &str, user: &User) -> Result<Account, ClientError> {
    let mut events = client.sign_in(&SignInRequest::new(name(application))).await?;
    let Some(SignInEvent::OpenUrl(url)) = events.next().await? else { panic!("the URL comes first") };
    let (page, done) = tokio::join!(user.sign_in(url.expose()), events.next());
    let Some(SignInEvent::SignedIn(account)) = done? else { panic!("the account comes last") };
    assert_eq!(page.status, 200, "{}", page.body);
    Ok(account)
}

/// Begins a device sign-in and hands its code to `enter`, which lets the user enter it.
pub async fn sign_in_by_device<F: Future<Output = ()>>(
    client: &Client,
    application: &str,
    enter: impl FnOnce(token_broker_client::calls::UserCode) -> F,
) -> Result<Account, ClientError> {
    let request = SignInRequest { method: SignInMethod::DeviceCode, ..SignInRequest::new(name(application)) };
    let mut events = client.sign_in(&request).await?;
    let Some(SignInEvent::UserCode(code)) = events.next().await? else { panic!("the code comes first") };
    let ((), done) = tokio::join!(enter(code), events.next());
    let Some(SignInEvent::SignedIn(account)) = done? else { panic!("the account comes last") };
    Ok(account)
}

/// A new token from the provider.
pub async fn refresh(client: &Client, application: &str) -> Result<TokenAnswer, ClientError> {
    client.token(&TokenRequest { force_refresh: true, ..TokenRequest::new(name(application)) }).await
}
