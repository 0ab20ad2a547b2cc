//! HTTP of the stand-in: takes a request apart, applies what is planned, checks the token, and lets `mailbox` answer.

use std::{net::TcpListener, sync::Arc};

use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    header::AUTHORIZATION,
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{sync::oneshot, task::JoinSet};

use super::{
    Shared,
    mailbox::{self, Asked},
    refusal,
};
use crate::authorization_server::wire::{Answer, Params};

/// Serves until told to stop; the connections end with it.
pub(super) fn serve(listener: TcpListener, shared: &Arc<Shared>, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
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
        let shared = Arc::clone(shared);
        connections.spawn(async move {
            let service = service_fn(|request| answer(&shared, request));
            // An error: the other side went away.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(shared: &Shared, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let authorization = head.headers.get(AUTHORIZATION).and_then(|header| header.to_str().ok());
    let token = authorization.and_then(|header| header.strip_prefix("Bearer "));
    if let Some(planned) = shared.planned(token) {
        return Ok(reply(planned));
    }
    let verified = match token {
        Some(token) => shared.keys.verify(token, shared.clock.now().seconds()).await,
        None => Err("there is none"),
    };
    let query = Params::parse(head.uri.query().unwrap_or_default().as_bytes());
    let asked = Asked { base: &shared.base, method: &head.method, path: head.uri.path(), query, body: &body };
    Ok(reply(match verified {
        Ok(user) => mailbox::answer(&asked, &user),
        Err(wrong) => refusal(401, "InvalidAuthenticationToken", &format!("The access token is not good: {wrong}.")),
    }))
}

fn reply(answer: Answer) -> Response<Full<Bytes>> {
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(Full::new(Bytes::from(answer.body))).expect("status and headers are valid")
}
