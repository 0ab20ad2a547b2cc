//! The way in: a proxy that knows CONNECT alone. Behind it TLS with a certificate for the host that was asked for, then HTTP/1.1.
//! A host that is not part of the platform is refused, so that nothing leaves the machine.

use std::{collections::BTreeMap, net::TcpListener, sync::Arc};

use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

use super::{
    Place, Plan, Recorded, Shared,
    directory::{Asked, realm::is_hosted, refusal::raw},
    federation::{self, Sent, is_server, soap},
};
use crate::authorization_server::wire::{Answer, Params};

/// Longest head of a CONNECT request.
const MAX_HEAD: usize = 4096;

/// Serves until told to stop; the connections end with it.
pub(super) fn serve(listener: TcpListener, shared: &Arc<Shared>, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).expect("the listener joins the runtime");
        tokio::select! {
            () = accept(listener, shared) => {}
            _ = stopped => {}
        }
    });
}

async fn accept(listener: tokio::net::TcpListener, shared: &Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(tunnel(stream, Arc::clone(shared)));
        while connections.try_join_next().is_some() {}
    }
}

/// One connection: CONNECT, TLS, requests. Whatever goes wrong ends it.
async fn tunnel(mut stream: TcpStream, shared: Arc<Shared>) {
    let Some(host) = connect_to(&mut stream).await else { return };
    if !is_hosted(&host) && !is_server(&host) {
        let _ = stream.write_all(b"HTTP/1.1 502 Not on this machine\r\ncontent-length: 0\r\n\r\n").await;
        return;
    }
    if stream.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await.is_err() {
        return;
    }
    let shown = shared
        .certificates
        .lock()
        .unwrap()
        .entry(host.clone())
        .or_insert_with(|| shared.authority.certify(&host))
        .clone();
    let Ok(stream) = TlsAcceptor::from(shown).accept(stream).await else { return };
    let service = service_fn(|request| answer(&shared, &host, request));
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// Reads `CONNECT HOST:443 HTTP/1.1` with its headers.
async fn connect_to(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < MAX_HEAD {
        head.push(stream.read_u8().await.ok()?);
    }
    let text = String::from_utf8(head).ok()?;
    let target = text.strip_prefix("CONNECT ")?.split(' ').next()?;
    Some(target.rsplit_once(':')?.0.to_owned())
}

async fn answer(
    shared: &Shared,
    host: &str,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let Some((place, tenant)) = Place::of(head.uri.path()) else { return Ok(reply(Answer::empty(404))) };
    let mut parameters = Params::parse(head.uri.query().unwrap_or_default().as_bytes());
    let text = String::from_utf8_lossy(&body);
    if place == Place::Trust {
        parameters.0.extend(soap::parts(&text).unwrap_or_default());
    } else {
        parameters.0.extend(Params::parse(&body).0);
    }
    let headers = texts(&head.headers);
    let recorded = Recorded {
        place,
        method: head.method.to_string(),
        host: host.to_owned(),
        path: head.uri.path().to_owned(),
        parameters: parameters.0.iter().cloned().collect(),
        headers: headers.clone(),
    };
    shared.record.send_modify(|requests| requests.push(recorded));
    let correlation_id = headers.get("client-request-id").cloned().unwrap_or_default();
    let plan = planned(shared, place).await;
    let mut directory = shared.directory.lock().unwrap();
    let answer = if is_server(host) && raw(&plan).is_none() {
        let sent =
            Sent { host, path: head.uri.path(), headers: &headers, body: &text, plan: &plan, now: directory.now() };
        let (answer, issued) = federation::answer(place, &sent, directory.next_assertion());
        if let Some(issued) = issued {
            directory.trust(issued);
        }
        answer
    } else {
        directory.answer(&Asked { place, host, tenant, parameters, correlation_id, plan })
    };
    drop(directory);
    Ok(reply(answer))
}

async fn planned(shared: &Shared, place: Place) -> Value {
    match shared.next_plan(place) {
        None => Value::Null,
        Some(Plan::Answer(answer)) => answer,
        Some(Plan::Hold(gate)) => {
            gate.pass().await;
            Value::Null
        }
    }
}

fn texts(headers: &http::HeaderMap) -> BTreeMap<String, String> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

fn reply(answer: Answer) -> Response<Full<Bytes>> {
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(Full::new(Bytes::from(answer.body))).expect("status and headers are valid")
}
