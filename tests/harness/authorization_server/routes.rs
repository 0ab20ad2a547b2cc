//! HTTP: accepts connections on the server's own thread, takes a request apart, counts it, applies a planned fault, and asks the
//! protocol for the answer.

use std::{
    convert::Infallible,
    future::Future,
    net::TcpListener,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::{
    Method, Request, Response,
    body::{Body, Bytes, Frame, Incoming},
    header::AUTHORIZATION,
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{sync::oneshot, task::JoinSet};

use super::{
    Endpoint, Fault, Seen, Shared,
    wire::{Answer, Call, Params, basic},
};

/// The connection breaks.
#[derive(Debug)]
pub(super) struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection was broken on purpose")
    }
}

impl std::error::Error for Broken {}

type Reply = Response<BoxBody<Bytes, Broken>>;

/// Serves until told to stop; the connections end with it.
pub(super) fn serve(listener: TcpListener, shared: &Arc<Shared>, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).expect("the listener joins the runtime");
        let mut connections = JoinSet::new();
        tokio::select! {
            () = accept(listener, shared, &mut connections) => {}
            _ = stopped => {}
        }
    });
}

async fn accept(listener: tokio::net::TcpListener, shared: &Arc<Shared>, connections: &mut JoinSet<()>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(shared);
        connections.spawn(async move {
            let service = service_fn(|request| answer(Arc::clone(&shared), request));
            // An error: the other side went away, or a fault closed the connection.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Reply, Broken> {
    let Some(endpoint) = endpoint(request.method(), request.uri().path()) else { return Ok(reply(Answer::empty(404))) };
    let call = read(&shared, endpoint, request).await?;
    let act = || shared.provider.lock().unwrap().answer(endpoint, &call);
    Ok(match shared.faults.next(endpoint) {
        None => reply(act()),
        Some(Fault::Answer { status, headers, body }) => reply(Answer { status, headers, body }),
        Some(Fault::DropBefore) => return Err(Broken),
        Some(Fault::DropAfter) => {
            act();
            return Err(Broken);
        }
        Some(Fault::HoldBefore(gate)) => {
            gate.pass().await;
            reply(act())
        }
        Some(Fault::HoldAfter(gate)) => {
            let answer = act();
            gate.pass().await;
            reply(answer)
        }
        Some(Fault::Stall(start, gate)) => {
            let body = Stalled { start: Some(start.into()), gate: Box::pin(async move { gate.pass().await }) };
            Response::builder().header("content-type", "application/json").body(BoxBody::new(body)).expect("a response")
        }
    })
}

fn endpoint(method: &Method, path: &str) -> Option<Endpoint> {
    let post = method == Method::POST;
    match path {
        "/.well-known/openid-configuration" | "/.well-known/oauth-authorization-server" => Some(Endpoint::Discovery),
        "/jwks" => Some(Endpoint::Jwks),
        "/authorize" => Some(Endpoint::Authorization),
        "/device" => Some(Endpoint::CodeVerification),
        "/token" if post => Some(Endpoint::Token),
        "/device_authorization" if post => Some(Endpoint::DeviceAuthorization),
        "/revoke" if post => Some(Endpoint::Revocation),
        "/introspect" if post => Some(Endpoint::Introspection),
        _ => None,
    }
}

/// Reads the whole request and counts it.
async fn read(shared: &Shared, endpoint: Endpoint, request: Request<Incoming>) -> Result<Call, Broken> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Broken)?.to_bytes();
    let authorization = head.headers.get(AUTHORIZATION).and_then(|header| header.to_str().ok());
    let query = Params::parse(head.uri.query().unwrap_or_default().as_bytes());
    let call =
        Call { post: head.method == Method::POST, query, form: Params::parse(&body), basic: basic(authorization) };
    let mut seen = Seen::default();
    seen.add_parameters(&call.query);
    seen.add_parameters(&call.form);
    shared.log.keep_secrets(&call.query);
    shared.log.keep_secrets(&call.form);
    for (name, value) in &head.headers {
        seen.add_header(name.as_str(), &String::from_utf8_lossy(value.as_bytes()));
    }
    shared.log.add(&names(endpoint, &call), &seen);
    Ok(call)
}

fn names(endpoint: Endpoint, call: &Call) -> Vec<String> {
    let name = match endpoint {
        Endpoint::Discovery => "discovery",
        Endpoint::Jwks => "jwks",
        Endpoint::Authorization => "authorization",
        Endpoint::DeviceAuthorization => "device_authorization",
        Endpoint::CodeVerification => "code_verification",
        Endpoint::Revocation => "revocation",
        Endpoint::Introspection => "introspection",
        Endpoint::Token => return vec!["token".to_owned(), format!("token:{}", call.form.get("grant_type"))],
    };
    vec![name.to_owned()]
}

fn reply(answer: Answer) -> Reply {
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    let body = Full::new(Bytes::from(answer.body)).map_err(|never: Infallible| match never {});
    response.body(BoxBody::new(body)).expect("status and headers are valid")
}

/// A body of which only the start comes.
struct Stalled {
    start: Option<Bytes>,
    gate: Pin<Box<dyn Future<Output = ()> + Send + Sync>>,
}

impl Body for Stalled {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        if let Some(start) = self.start.take() {
            return Poll::Ready(Some(Ok(Frame::data(start))));
        }
        ready!(self.gate.as_mut().poll(context));
        Poll::Ready(Some(Err(Broken)))
    }
}
