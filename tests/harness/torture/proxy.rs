//! A proxy before the provider that knows what was asked, what was answered, and whether the answer was written to the socket of
//! whoever asked. What has reached it goes on to the provider even when its sender is dead by then, as on any network.

use std::{
    convert::Infallible,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http_body_util::BodyExt;
use hyper::{
    Request, Response,
    body::{Body, Bytes, Frame, Incoming},
    header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use reqwest::redirect::Policy;
use serde_json::Value;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{oneshot, watch},
    task::JoinSet,
};
use url::form_urlencoded;

use super::ledger::{Asked, Ledger};

/// A running proxy; its connections end when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    shared: Arc<Shared>,
    _accepting: JoinSet<()>,
}

/// What its connections share.
#[derive(Debug)]
struct Shared {
    provider: String,
    http: reqwest::Client,
    ledger: Arc<Ledger>,
    /// Open connections, and requests to the provider.
    under_way: watch::Sender<usize>,
    refreshes: watch::Sender<Refreshes>,
}

/// Counts of refresh requests.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Refreshes {
    /// That came here.
    pub asked: usize,
    /// Whose answer is on its way back.
    pub answered: usize,
}

impl Proxy {
    /// Begins to pass on what comes at this listener to the provider at `HOST:PORT`.
    #[must_use]
    pub fn before(provider: &str, listener: TcpListener, ledger: Arc<Ledger>) -> Self {
        // A connection each: one that the provider closes while it is idle would look like a lost answer.
        let _ = rustls::crypto::ring::default_provider().install_default(); // an error: somebody has done it already
        let http = reqwest::Client::builder().redirect(Policy::none()).no_proxy().pool_max_idle_per_host(0);
        let http = http.build().expect("a plain client builds");
        let shared = Arc::new(Shared {
            provider: provider.to_owned(),
            http,
            ledger,
            under_way: watch::Sender::new(0),
            refreshes: watch::Sender::default(),
        });
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, Arc::clone(&shared)));
        Self { shared, _accepting: accepting }
    }

    /// Resolves once no connection is open and nothing is on its way to the provider.
    pub async fn is_quiet(&self) {
        let _ = self.shared.under_way.subscribe().wait_for(|open| *open == 0).await;
    }

    /// Resolves once the counts satisfy.
    pub async fn refreshes(&self, satisfied: impl Fn(Refreshes) -> bool) {
        let _ = self.shared.refreshes.subscribe().wait_for(|counts| satisfied(*counts)).await;
    }

    /// The counts now.
    #[must_use]
    pub fn counts(&self) -> Refreshes {
        *self.shared.refreshes.borrow()
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    let mut forwarding = JoinSet::new();
    let (sender, mut requests) = tokio::sync::mpsc::unbounded_channel();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                shared.under_way.send_modify(|open| *open += 1);
                connections.spawn(serve(stream, Arc::clone(&shared), sender.clone()));
            }
            Some((request, reply)) = requests.recv() => {
                forwarding.spawn(forward(Arc::clone(&shared), request, reply));
            }
        }
        while connections.try_join_next().is_some() {}
        while forwarding.try_join_next().is_some() {}
    }
}

type Requests = tokio::sync::mpsc::UnboundedSender<(Request<Bytes>, oneshot::Sender<Response<Answer>>)>;

async fn serve(stream: TcpStream, shared: Arc<Shared>, requests: Requests) {
    let service = service_fn(|request: Request<Incoming>| {
        let (shared, requests) = (Arc::clone(&shared), requests.clone());
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
            shared.under_way.send_modify(|requests| *requests += 1);
            let (reply, answer) = oneshot::channel();
            let _ = requests.send((Request::from_parts(head, body), reply)); // an error: the proxy is being dropped
            answer.await.map_err(|_| io::Error::other("the provider did not answer"))
        }
    });
    // An error: the daemon was killed.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    shared.under_way.send_modify(|open| *open -= 1);
}

/// Takes one request to the provider and back, whether or not its sender still lives.
async fn forward(shared: Arc<Shared>, request: Request<Bytes>, reply: oneshot::Sender<Response<Answer>>) {
    let (head, body) = request.into_parts();
    let asked = (head.uri.path() == "/token").then(|| shared.asked(&head.headers, &body));
    let refresh = asked.as_ref().is_some_and(|(_, is_refresh)| *is_refresh);
    if refresh {
        shared.refreshes.send_modify(|counts| counts.asked += 1);
    }
    let url = format!("http://{}{}", shared.provider, head.uri);
    let answer = shared.http.request(head.method, url).headers(head.headers).body(body).send().await;
    if let Ok(answer) = answer {
        let (status, mut headers) = (answer.status(), answer.headers().clone());
        let bytes = answer.bytes().await.unwrap_or_default();
        let read = || serde_json::from_slice::<Value>(&bytes).unwrap_or_default();
        let issue = asked.and_then(|(asked, _)| shared.ledger.answered(&asked, &read()));
        for name in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
            headers.remove(name);
        }
        let issue = issue.map(|number| (number, Arc::clone(&shared.ledger)));
        let mut response = Response::new(Answer { bytes: Some(bytes), issue });
        (*response.status_mut(), *response.headers_mut()) = (status, headers);
        let _ = reply.send(response); // an error: its sender is gone
    }
    if refresh {
        shared.refreshes.send_modify(|counts| counts.answered += 1);
    }
    shared.under_way.send_modify(|requests| *requests -= 1);
}

impl Shared {
    fn asked(&self, headers: &http::HeaderMap, body: &[u8]) -> (Asked, bool) {
        let form: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().collect();
        let value = |wanted: &str| form.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
        let refresh_token = value("refresh_token").filter(|_| value("grant_type") == Some("refresh_token"));
        let correlation_id = headers.get("client-request-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
        (self.ledger.asked(refresh_token, correlation_id), refresh_token.is_some())
    }
}

/// A body that says when it is taken to be written.
struct Answer {
    bytes: Option<Bytes>,
    issue: Option<(usize, Arc<Ledger>)>,
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some((number, ledger)) = self.issue.take() {
            ledger.arrived(number);
        }
        Poll::Ready(self.bytes.take().map(|bytes| Ok(Frame::data(bytes))))
    }
}
