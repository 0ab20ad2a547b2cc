//! An authorization server of our own, embedded: for tests that must see and break every answer, and for the demo, which has
//! neither node nor network. OpenID Connect with PKCE, rotation with reuse detection, device code, client credentials,
//! revocation and introspection; ES256 id tokens, opaque access tokens. It runs on a thread of its own, so that a test may
//! block; the protocol is in `oauth`, what a test breaks in `fault`, what it counts in `request_log`.

mod fault;
mod oauth;
mod options;
mod request_log;
mod routes;
pub(crate) mod wire;

use std::{
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex, MutexGuard},
    thread::{self, JoinHandle},
};

pub use fault::{Fault, Gate};
pub use options::{Client, Options};
pub use request_log::Seen;
use tokio::sync::oneshot;

use self::{fault::Faults, oauth::Provider, request_log::RequestLog};

/// A place that can be asked; the names are those of the request counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// `discovery`: OpenID Connect and RFC 8414 metadata.
    Discovery,
    /// `jwks`: the signing keys.
    Jwks,
    /// `authorization`: the sign-in page and its form.
    Authorization,
    /// `token`, and `token:GRANT_TYPE` for each grant type.
    Token,
    /// `device_authorization`: the start of a device sign-in.
    DeviceAuthorization,
    /// `code_verification`: the page on which a user code is entered.
    CodeVerification,
    /// `revocation` (RFC 7009).
    Revocation,
    /// `introspection` (RFC 7662).
    Introspection,
}

/// What the routes share.
#[derive(Debug)]
struct Shared {
    provider: Mutex<Provider>,
    log: RequestLog,
    faults: Faults,
}

/// The running server; it stops when dropped.
#[derive(Debug)]
pub struct AuthorizationServer {
    issuer: String,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl AuthorizationServer {
    /// Starts it; it is ready when this returns.
    ///
    /// # Panics
    /// When the port is taken.
    #[must_use]
    pub fn start(options: Options) -> Self {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], options.port))).expect("the port is free");
        listener.set_nonblocking(true).expect("a listener can be made non-blocking");
        let issuer = format!("http://{}", listener.local_addr().expect("it has an address"));
        let provider = Mutex::new(Provider::new(issuer.clone(), options));
        let shared = Arc::new(Shared { provider, log: RequestLog::default(), faults: Faults::default() });
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&shared);
        let thread = thread::Builder::new().name("authorization-server".to_owned());
        let thread = thread.spawn(move || routes::serve(listener, &served, stopped)).expect("a thread starts");
        Self { issuer, shared, stop: Some(stop), thread: Some(thread) }
    }

    /// Its issuer, `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Changes how it answers from now on.
    pub fn change(&self, change: impl FnOnce(&mut Options)) {
        change(self.provider().options_mut());
    }

    /// How often something was asked for: the name of an endpoint, or `token:GRANT_TYPE`.
    #[must_use]
    pub fn requests(&self, name: &str) -> usize {
        self.shared.log.count(name)
    }

    /// Resolves once something has been asked for at least this often.
    pub async fn requested(&self, name: &str, times: usize) {
        self.shared.log.reached(name, times).await;
    }

    /// The latest request of that name: its parameters and headers without their secrets.
    #[must_use]
    pub fn last_request(&self, name: &str) -> Option<Seen> {
        self.shared.log.last(name)
    }

    /// The next request at this place meets a fault; several form a queue, one for each request.
    pub fn fail_next(&self, endpoint: Endpoint, fault: Fault) {
        self.shared.faults.plan(endpoint, fault);
    }

    /// Planned faults that no request has met yet are forgotten.
    pub fn fail_no_more(&self) {
        self.shared.faults.clear();
    }

    /// The user lets a device in that shows this code, without opening the page.
    ///
    /// # Panics
    /// When no device waits with this code.
    pub fn approve_device(&self, user_code: &str, username: &str) {
        assert!(self.provider().decide_device(user_code, Some(username)), "no device waits with code {user_code}");
    }

    /// The user declines a device that shows this code.
    ///
    /// # Panics
    /// When no device waits with this code.
    pub fn decline_device(&self, user_code: &str) {
        assert!(self.provider().decide_device(user_code, None), "no device waits with code {user_code}");
    }

    /// Whether a token would still be accepted (what introspection says).
    #[must_use]
    pub fn is_active(&self, token: &str) -> bool {
        self.provider().is_active(token)
    }

    /// The how-manieth access token this is in the order of issue, from 1; none if it is not one.
    #[must_use]
    pub fn number_of(&self, access_token: &str) -> Option<usize> {
        self.provider().number_of(access_token)
    }

    /// All grants are withdrawn, as an administrator would: every refresh is `invalid_grant` from now on.
    pub fn revoke_all(&self) {
        self.provider().revoke_all();
    }

    /// Every secret that it has handed out or was sent: codes, tokens, client secrets, verifiers, `state` and `nonce`; for a test
    /// that searches for them where they must not be.
    #[must_use]
    pub fn secrets(&self) -> Vec<String> {
        self.provider().issued().into_iter().chain(self.shared.log.secrets()).collect()
    }

    fn provider(&self) -> MutexGuard<'_, Provider> {
        self.shared.provider.lock().unwrap()
    }
}

impl Drop for AuthorizationServer {
    fn drop(&mut self) {
        self.stop.take().map(|stop| stop.send(()));
        self.thread.take().map(JoinHandle::join);
    }
}
