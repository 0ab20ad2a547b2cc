//! A machine of Azure as far as managed identity goes: every source that gives out tokens, each at a path of its own on loopback,
//! Service Fabric's behind TLS too, and the environment that a host would set for it. It counts because MSAL Python and
//! azure-identity get their tokens from it (`tests/it/managed_identity`). What it answers is in `source`.

mod environment;
mod source;

use std::{
    collections::{BTreeMap, VecDeque},
    convert::Infallible,
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex, MutexGuard},
};

pub use environment::Environment;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value};
use tempfile::TempDir;
use token_broker::ports::Clock;
use token_broker_proto::oauth::ManagedIdentitySource;
use tokio::{net::TcpListener, sync::watch, task::JoinSet};
use url::form_urlencoded;

use crate::{
    authorization_server::Fault,
    machine::tls::{CertificateAuthority, TlsFront},
};

/// A request as it came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// HTTP method.
    pub method: String,
    /// Its path, which tells the source.
    pub path: String,
    /// Parameters of query and form.
    pub parameters: BTreeMap<String, String>,
    /// Headers, by name in lower case.
    pub headers: BTreeMap<String, String>,
    /// When, by the clock of the double, in seconds.
    pub at: i64,
}

impl Asked {
    /// A parameter; empty when it is not there.
    #[must_use]
    pub fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }

    /// A header; empty when it is not there.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// What the connections share.
struct Shared {
    clock: Arc<dyn Clock>,
    keys: TempDir,
    state: Mutex<State>,
    count: watch::Sender<usize>,
}

/// What a test sees and sets.
#[derive(Default)]
struct State {
    asked: Vec<Asked>,
    faults: VecDeque<Fault>,
    /// Members that take the place of those of an answer; `null` removes one.
    with: Map<String, Value>,
    lifetime: Option<u64>,
    issued: usize,
    challenge: Option<String>,
}

/// The running machine; it stops when dropped.
pub struct Host {
    address: SocketAddr,
    front: TlsFront,
    thumbprint: String,
    shared: Arc<Shared>,
    _accepting: JoinSet<()>,
}

impl Host {
    /// The secret of the sources that have one.
    pub const SECRET: &str = "marker-identity-header-1f6b";
    /// The content of the key file of Azure Arc.
    pub const ARC_KEY: &str = "marker-arc-key-77aa";

    /// Starts it with this clock.
    ///
    /// # Panics
    /// When there is no free port or no scratch folder.
    pub async fn start(clock: Arc<dyn Clock>) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default(); // an error: somebody has done it already
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let authority = CertificateAuthority::named("Service Fabric");
        // For another host: its thumbprint is all that counts.
        let (config, thumbprint) = authority.certify_with_thumbprint("fabric.example");
        let front = TlsFront::before(&format!("http://{address}"), config).await;
        let keys = tempfile::Builder::new().prefix("tb-arc-").tempdir().expect("a scratch folder");
        std::fs::write(keys.path().join("agent.key"), Self::ARC_KEY).expect("it takes a file");
        let shared = Arc::new(Shared { clock, keys, state: Mutex::default(), count: watch::Sender::new(0) });
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, Arc::clone(&shared)));
        Self { address, front, thumbprint, shared, _accepting: accepting }
    }

    /// What the host of this source would set.
    #[must_use]
    pub fn environment(&self, source: ManagedIdentitySource) -> Environment {
        let url = |path: &str| format!("http://{}{path}", self.address);
        let secret = Self::SECRET.to_owned();
        let variables: Vec<(&str, String)> = match source {
            ManagedIdentitySource::ServiceFabric => vec![
                ("IDENTITY_ENDPOINT", format!("{}{}", self.front.issuer(), source::FABRIC)),
                ("IDENTITY_HEADER", secret),
                ("IDENTITY_SERVER_THUMBPRINT", self.thumbprint.clone()),
            ],
            ManagedIdentitySource::AppService => {
                vec![("IDENTITY_ENDPOINT", url(source::APP_SERVICE)), ("IDENTITY_HEADER", secret)]
            }
            ManagedIdentitySource::MachineLearning => {
                vec![("MSI_ENDPOINT", url(source::MACHINE_LEARNING)), ("MSI_SECRET", secret)]
            }
            ManagedIdentitySource::AzureArc => {
                vec![("IDENTITY_ENDPOINT", url(source::ARC)), ("IMDS_ENDPOINT", url(""))]
            }
            ManagedIdentitySource::CloudShell => vec![("MSI_ENDPOINT", url(source::CLOUD_SHELL))],
            ManagedIdentitySource::Imds => vec![("AZURE_POD_IDENTITY_AUTHORITY_HOST", url(""))],
        };
        Environment::new(self.keys(), variables)
    }

    /// The folder with the keys of Azure Arc.
    #[must_use]
    pub fn keys(&self) -> &Path {
        self.shared.keys.path()
    }

    /// Everything that was asked.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.state().asked.clone()
    }

    /// Resolves once it was asked so many times.
    pub async fn asked_times(&self, times: usize) {
        self.shared.count.subscribe().wait_for(|count| *count >= times).await.expect("the machine is there");
    }

    /// The next request is met by this; several form a queue. `Fault::Answer`, `Fault::DropBefore` and `Fault::HoldBefore` only.
    pub fn plan(&self, fault: Fault) {
        self.state().faults.push_back(fault);
    }

    /// The same for so many requests.
    pub fn plan_times(&self, times: usize, fault: &Fault) {
        (0..times).for_each(|_| self.plan(fault.clone()));
    }

    /// From now on answers have this member; `null` removes it.
    pub fn answer_with(&self, member: &str, value: Value) {
        self.state().with.insert(member.to_owned(), value);
    }

    /// From now on tokens live so long; a day until then.
    pub fn let_tokens_live(&self, seconds: u64) {
        self.state().lifetime = Some(seconds);
    }

    /// From now on Azure Arc asks with this header; `None` for none at all is an empty one.
    pub fn challenge_with(&self, header: &str) {
        self.state().challenge = Some(header.to_owned());
    }

    /// Shows another certificate for Service Fabric from now on.
    pub fn change_certificate(&self) {
        self.front.show(CertificateAuthority::named("Somebody else").certify("127.0.0.1"));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap()
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            let service = service_fn(|request| answer(Arc::clone(&shared), request));
            // An error: the other side went away, or a fault closed the connection.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let query = head.uri.query().unwrap_or_default();
    let parameters =
        form_urlencoded::parse(query.as_bytes()).into_owned().chain(form_urlencoded::parse(&body).into_owned());
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let asked = Asked {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        parameters: parameters.collect(),
        at: shared.clock.now().seconds(),
        headers: head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
    };
    let fault = {
        let mut state = shared.state.lock().unwrap();
        state.asked.push(asked.clone());
        state.faults.pop_front()
    };
    shared.count.send_modify(|count| *count += 1);
    let (status, headers, body) = match fault {
        Some(Fault::Answer { status, headers, body }) => (status, headers, body),
        Some(Fault::HoldBefore(gate)) => {
            gate.pass().await;
            source::answer(&shared, &asked)
        }
        Some(other) => panic!("{other:?} is not for this double"),
        None => source::answer(&shared, &asked),
    };
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    let never: Result<_, Infallible> = Ok(response.body(Full::new(body.into())).expect("status and headers are valid"));
    never.map_err(|never| match never {})
}
