//! A stand-in daemon: the token service on a Unix socket, with a scripted end for each call.

use std::{
    path::PathBuf,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tempfile::TempDir;
use token_broker_client::{Client, ClientOptions, Failure, Reason};
use token_broker_proto::wire::v1::{
    self,
    token_broker_server::{TokenBroker, TokenBrokerServer},
};
use tokio::{
    net::{UnixListener, UnixStream},
    sync::Notify,
    task::JoinSet,
};
use tokio_stream::{Stream, StreamExt as _, wrappers::UnixListenerStream};
use tonic::{Request, Response, Status, transport::Server};

/// How a call ends; the last one stands for all that follow.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Script {
    Answer,
    /// An answer without what every answer of this version has.
    Bare,
    Fail(Reason),
    /// Breaks every connection, as the end of the process does.
    Die,
    /// A sign-in that nobody finishes.
    Wait,
}

pub(crate) struct Daemon {
    folder: TempDir,
    shared: Arc<Shared>,
    serving: JoinSet<()>,
}

#[derive(Default)]
struct Shared {
    script: std::sync::Mutex<Vec<Script>>,
    calls: AtomicUsize,
    connections: std::sync::Mutex<Vec<std::os::unix::net::UnixStream>>,
    cancelled: Notify,
}

impl Daemon {
    pub(crate) fn start(script: &[Script]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut daemon = Self { folder, shared: Arc::default(), serving: JoinSet::new() };
        daemon.serve(script);
        daemon
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(&ClientOptions { socket: Some(self.socket()), server_uid: None }).unwrap()
    }

    /// Number of calls that arrived.
    pub(crate) fn calls(&self) -> usize {
        self.shared.calls.load(Ordering::SeqCst)
    }

    /// Waits until a waiting sign-in was cancelled.
    pub(crate) async fn cancelled(&self) {
        self.shared.cancelled.notified().await;
    }

    pub(crate) async fn stop(&mut self) {
        self.serving.shutdown().await;
        self.shared.break_connections();
        std::fs::remove_file(self.socket()).unwrap();
    }

    pub(crate) async fn restart(&mut self, script: &[Script]) {
        self.stop().await;
        self.serve(script);
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("broker.sock")
    }

    fn serve(&mut self, script: &[Script]) {
        *self.shared.script.lock().unwrap() = script.iter().rev().copied().collect();
        let listener = UnixListener::bind(self.socket()).unwrap();
        let (shared, service) = (Arc::clone(&self.shared), StandIn(Arc::clone(&self.shared)));
        self.serving.spawn(async move {
            let incoming = UnixListenerStream::new(listener).map(move |stream| {
                let stream = stream?.into_std()?;
                shared.connections.lock().unwrap().push(stream.try_clone()?);
                UnixStream::from_std(stream)
            });
            let service = TokenBrokerServer::new(service);
            Server::builder().add_service(service).serve_with_incoming(incoming).await.unwrap();
        });
    }
}

impl Shared {
    /// Breaks every connection; the listening socket lives on, as systemd keeps it.
    fn break_connections(&self) {
        for connection in self.connections.lock().unwrap().drain(..) {
            let _ = connection.shutdown(std::net::Shutdown::Both);
        }
    }
}

struct StandIn(Arc<Shared>);

impl StandIn {
    async fn next(&self) -> Result<Script, Status> {
        self.0.calls.fetch_add(1, Ordering::SeqCst);
        let script = {
            let mut script = self.0.script.lock().unwrap();
            if script.len() > 1 { script.pop() } else { script.last().copied() }
        };
        match script.unwrap_or(Script::Answer) {
            Script::Fail(reason) => {
                let advice = Some("broker-cli login work".to_owned());
                Err(Failure { advice, ..Failure::new(reason, "no") }.to_status())
            }
            Script::Die => {
                self.0.break_connections();
                std::future::pending().await
            }
            script => Ok(script),
        }
    }
}

fn account() -> v1::Account {
    v1::Account { home_account_id: "1".into(), username: "alice".into(), ..v1::Account::default() }
}

fn event(event: v1::sign_in_response::Event) -> v1::SignInResponse {
    v1::SignInResponse { event: Some(event) }
}

/// Says so when it is dropped.
struct Waiting(Arc<Shared>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.cancelled.notify_one();
    }
}

type Events<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl TokenBroker for StandIn {
    type SignInStream = Events<v1::SignInResponse>;
    type WatchTokenStream = Events<v1::WatchTokenResponse>;

    async fn get_token(&self, _: Request<v1::GetTokenRequest>) -> Result<Response<v1::GetTokenResponse>, Status> {
        if matches!(self.next().await?, Script::Bare) {
            return Ok(Response::new(v1::GetTokenResponse::default()));
        }
        Ok(Response::new(v1::GetTokenResponse {
            access_token: "token-1".into(),
            token_type: "Bearer".into(),
            expires_on: 2_000_000_000,
            account: Some(account()),
            source: v1::TokenSource::Cache.into(),
            correlation_id: "6f1c2e4a-0000-4000-8000-000000000000".into(),
            ..v1::GetTokenResponse::default()
        }))
    }

    async fn sign_in(&self, _: Request<v1::SignInRequest>) -> Result<Response<Self::SignInStream>, Status> {
        use v1::sign_in_response::Event;

        let script = self.next().await?;
        let open = event(Event::OpenUrl(v1::OpenUrl { url: "https://id.example/authorize?state=1".into() }));
        let first = tokio_stream::iter([Ok(open)]);
        if matches!(script, Script::Wait) {
            let waiting = Waiting(Arc::clone(&self.0));
            let never = tokio_stream::pending().map(move |never: Result<_, Status>| {
                let _ = &waiting;
                never
            });
            return Ok(Response::new(Box::pin(first.chain(never))));
        }
        let done = event(Event::SignedIn(v1::SignedIn { account: Some(account()) }));
        Ok(Response::new(Box::pin(first.chain(tokio_stream::iter([Ok(done)])))))
    }

    async fn sign_http_request(
        &self,
        _: Request<v1::SignHttpRequestRequest>,
    ) -> Result<Response<v1::SignHttpRequestResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn sign_out(&self, _: Request<v1::SignOutRequest>) -> Result<Response<v1::SignOutResponse>, Status> {
        self.next().await?;
        let revocation = v1::Revocation::NotRequested.into();
        Ok(Response::new(v1::SignOutResponse { revocation, ..v1::SignOutResponse::default() }))
    }

    async fn begin_authorization(
        &self,
        _: Request<v1::BeginAuthorizationRequest>,
    ) -> Result<Response<v1::BeginAuthorizationResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn complete_authorization(
        &self,
        _: Request<v1::CompleteAuthorizationRequest>,
    ) -> Result<Response<v1::CompleteAuthorizationResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn list_accounts(
        &self,
        _: Request<v1::ListAccountsRequest>,
    ) -> Result<Response<v1::ListAccountsResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn watch_token(&self, _: Request<v1::WatchTokenRequest>) -> Result<Response<Self::WatchTokenStream>, Status> {
        Err(Status::unimplemented(""))
    }
}
