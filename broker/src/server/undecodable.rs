//! Requests that never reach a face: not finished in time, or refused by tonic as too large or not the message of their call. Their status gets one of
//! our reasons, as every other failure has; what a face answered, and what is no failure, passes unchanged.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::{Request, Response};
use token_broker_proto::{Failure, Reason};
use tonic::{Code, Status, body::Body, server::NamedService};
use tower_service::Service;

use super::{MAX_REQUEST_BYTES, whole_request::WholeRequest};
use crate::metrics::Metrics;

/// A service of tonic's, with reasons.
#[derive(Debug, Clone)]
pub(super) struct Undecodable<S> {
    pub(super) service: S,
    /// How long a request may take to be said.
    pub(super) patience: Duration,
    pub(super) metrics: Arc<Metrics>,
}

impl<S: NamedService> NamedService for Undecodable<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<Request<Body>> for Undecodable<S>
where
    S: Service<Request<WholeRequest>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let metrics = Arc::clone(&self.metrics);
        let whole = |body| WholeRequest::new(body, self.patience, Arc::clone(&metrics));
        let answer = self.service.call(request.map(whole));
        Box::pin(async move { Ok(with_reason(answer.await?, &metrics)) })
    }
}

/// A failure that comes without an answer has its status in the head (gRPC over HTTP/2, "Trailers-Only"); ours have details.
fn with_reason(answer: Response<Body>, metrics: &Metrics) -> Response<Body> {
    if !answer.headers().contains_key(Status::GRPC_STATUS) {
        return answer;
    }
    match Status::from_header_map(answer.headers())
        .filter(|status| status.details().is_empty())
        .and_then(|it| reason(&it))
    {
        Some(failure) => {
            tracing::info!(reason = failure.reason.as_str(), "a request could not be read");
            if failure.limit.is_some() {
                metrics.limits.met("request_bytes");
            }
            failure.to_status().into_http()
        }
        None => answer,
    }
}

/// Ours for tonic's; `None` for a status that says what it is, such as that of an unknown call.
fn reason(status: &Status) -> Option<Failure> {
    match status.code() {
        Code::OutOfRange | Code::ResourceExhausted => Some(Failure {
            limit: Some(format!("bytes of a request: {MAX_REQUEST_BYTES}")),
            ..Failure::new(
                Reason::LimitExceeded,
                format!("the request is larger than {MAX_REQUEST_BYTES} bytes; nothing was done"),
            )
        }),
        Code::Internal => Some(Failure::new(
            Reason::InvalidRequest,
            format!("the request is not a message of this call; nothing was done: {}", status.message()),
        )),
        _ => None,
    }
}
