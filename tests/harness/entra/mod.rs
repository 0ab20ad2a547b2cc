//! Microsoft's identity platform as its clients see it, on this machine: HTTPS under the real host names, reached through a CONNECT
//! proxy, with a certificate authority of its own. Clients are pointed at it by `HTTPS_PROXY` and `SSL_CERT_FILE` (or
//! `REQUESTS_CA_BUNDLE`) alone, and nothing leaves the machine. It counts because MSAL Python passes its flows against it
//! (tests/it/msal). The protocol is in `directory`; every request is recorded whole, to be compared.

mod directory;
mod federation;
mod place;
mod proxy;
mod way;

use std::{
    collections::{HashMap, VecDeque},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
};

pub use directory::{Application, CONTOSO, FABRIKAM, PERSONAL, USER_CREDENTIAL};
pub use federation::PASSWORD;
pub use place::{Place, Recorded};
use reqwest::{Certificate, Client, Proxy, redirect::Policy};
use serde_json::Value;
use tempfile::TempDir;
use token_broker::ports::http::Http;
use tokio::sync::{oneshot, watch};

use self::{directory::Directory, way::Way};
use crate::{authorization_server::Gate, clock::ManualClock, machine::tls::CertificateAuthority};

/// What the connections share.
#[derive(Debug)]
struct Shared {
    authority: CertificateAuthority,
    certificates: Mutex<HashMap<String, Arc<rustls::ServerConfig>>>,
    directory: Mutex<Directory>,
    record: watch::Sender<Vec<Recorded>>,
    plans: Mutex<HashMap<Place, VecDeque<Plan>>>,
}

/// What happens to one request.
#[derive(Debug, Clone)]
enum Plan {
    /// It meets what these members say; see `Entra::plan`.
    Answer(Value),
    /// It waits at the gate, and is acted on when that opens.
    Hold(Gate),
}

/// The running platform; it stops when dropped.
#[derive(Debug)]
pub struct Entra {
    proxy: SocketAddr,
    folder: TempDir,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Entra {
    /// Starts it with this clock; it is ready when this returns.
    ///
    /// # Panics
    /// When the machine gives no port or no scratch folder.
    #[must_use]
    pub fn start(clock: &ManualClock) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a listener can be made non-blocking");
        let proxy = listener.local_addr().expect("it has an address");
        let authority = CertificateAuthority::named("token-broker tests: identity platform");
        let folder = tempfile::Builder::new().prefix("tb-entra-").tempdir().expect("a scratch folder");
        std::fs::write(folder.path().join("ca.pem"), authority.pem()).expect("it takes a file");
        let shared = Arc::new(Shared {
            authority,
            certificates: Mutex::default(),
            directory: Mutex::new(Directory::new(clock.clone())),
            record: watch::Sender::default(),
            plans: Mutex::default(),
        });
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&shared);
        let thread = thread::Builder::new().name("entra".to_owned());
        let thread = thread.spawn(move || proxy::serve(listener, &served, stopped)).expect("a thread starts");
        Self { proxy, folder, shared, stop: Some(stop), thread: Some(thread) }
    }

    /// The value of `HTTPS_PROXY`.
    #[must_use]
    pub fn proxy(&self) -> String {
        format!("http://{}", self.proxy)
    }

    /// The value of `SSL_CERT_FILE`: the certificate of its authority.
    #[must_use]
    pub fn certificate_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A scratch folder that lives as long as it does.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// An HTTP client that reaches it: the browser of a scripted user, which reaches loopback addresses directly.
    ///
    /// # Panics
    /// Never: proxy and certificate are its own.
    #[must_use]
    pub fn browser(&self) -> Client {
        let _ = rustls::crypto::ring::default_provider().install_default(); // an error: somebody has done it already
        let certificate = Certificate::from_pem(self.shared.authority.pem().as_bytes()).expect("a certificate");
        let proxy = Proxy::https(self.proxy()).expect("a proxy");
        let client = Client::builder().redirect(Policy::none()).proxy(proxy).tls_certs_merge([certificate]);
        client.build().expect("a client builds")
    }

    /// The way to it for a daemon in the test's own process, whose environment is not the daemon's alone.
    #[must_use]
    pub fn http(&self) -> Arc<dyn Http> {
        Arc::new(Way(self.browser()))
    }

    /// Registers an application, or replaces it.
    ///
    /// # Panics
    /// When another thread has panicked meanwhile.
    pub fn register(&self, application: Application) {
        self.shared.directory.lock().unwrap().register(application);
    }

    /// An access token of this user for the service with that client id, as a client sends it there: good for so many seconds.
    ///
    /// # Panics
    /// When another thread has panicked meanwhile.
    #[must_use]
    pub fn user_assertion(&self, username: &str, audience: &str, lifetime: i64) -> String {
        self.shared.directory.lock().unwrap().user_assertion(username, audience, lifetime)
    }

    /// The next request at this place is answered as these members say. An error: `error` with `status`, `suberror`, `codes`,
    /// `claims`, `description`, `retry_after`. Else the usual answer, with the members of `with` over its own (`null` removes
    /// one). At the authorization endpoint also `state` and `nonce` that replace the right ones; at a federation server `fault`,
    /// the reason of one. `body`, with `type` and `status`, is an answer to the last byte. Several form a queue.
    ///
    /// # Panics
    /// When another thread has panicked meanwhile.
    pub fn plan(&self, place: Place, answer: Value) {
        self.shared.plans.lock().unwrap().entry(place).or_default().push_back(Plan::Answer(answer));
    }

    /// The next request at this place waits at the gate.
    ///
    /// # Panics
    /// When another thread has panicked meanwhile.
    pub fn hold_next(&self, place: Place, gate: Gate) {
        self.shared.plans.lock().unwrap().entry(place).or_default().push_back(Plan::Hold(gate));
    }

    /// All requests so far, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.record.borrow().clone()
    }

    /// Resolves once the requests so far satisfy.
    ///
    /// # Panics
    /// When they have not after a minute.
    pub async fn until(&self, satisfy: impl Fn(&[Recorded]) -> bool) {
        let mut record = self.shared.record.subscribe();
        crate::within(record.wait_for(|requests| satisfy(requests))).await.expect("the record holds its own sender");
    }
}

impl Shared {
    fn next_plan(&self, place: Place) -> Option<Plan> {
        self.plans.lock().unwrap().get_mut(&place)?.pop_front()
    }
}

impl Drop for Entra {
    fn drop(&mut self) {
        self.stop.take().map(|stop| stop.send(()));
        self.thread.take().map(JoinHandle::join);
    }
}
