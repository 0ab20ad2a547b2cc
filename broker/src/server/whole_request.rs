//! Requests that are begun and not finished: the rest has to come in time, or the call ends. A request is one small message, so who
//! means it says it at once; what has come whole is passed on without a timer. A stream of messages has that time for as many bytes
//! as one of them may have, and then anew.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use hyper::body::{Body as HttpBody, Bytes, Frame, SizeHint};
use token_broker_proto::{Failure, Reason};
use tokio::time::{Sleep, sleep};
use tonic::{Status, body::Body};

use super::MAX_REQUEST_BYTES;
use crate::metrics::Metrics;

/// The name of the limit.
pub(super) const LIMIT: &str = "half_open";

/// The body of a request, with an end to the waiting for it.
#[derive(Debug)]
pub(super) struct WholeRequest {
    body: Body,
    patience: Duration,
    /// Set once there is something to wait for.
    deadline: Option<Pin<Box<Sleep>>>,
    /// Bytes that came since the deadline was renewed.
    passed: usize,
    metrics: Arc<Metrics>,
}

impl WholeRequest {
    pub(super) fn new(body: Body, patience: Duration, metrics: Arc<Metrics>) -> Self {
        Self { body, patience, deadline: None, passed: 0, metrics }
    }

    /// More than any one message has: the next one begins.
    fn pass(&mut self, bytes: usize) {
        self.passed += bytes;
        if self.passed > MAX_REQUEST_BYTES {
            (self.passed, self.deadline) = (0, None);
        }
    }

    fn too_late(&self) -> Status {
        self.metrics.limits.met(LIMIT);
        let seconds = self.patience.as_secs_f32();
        let what = format!("the request was not complete within {seconds} s; nothing was done");
        tracing::info!("a request was begun and not finished");
        let limit = format!("seconds until a request is complete: {seconds} ([limits] half_open_seconds)");
        Failure { limit: Some(limit), ..Failure::new(Reason::LimitExceeded, what) }.to_status()
    }
}

impl HttpBody for WholeRequest {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if let Poll::Ready(come) = Pin::new(&mut self.body).poll_frame(cx) {
            if let Some(Ok(frame)) = &come {
                self.pass(frame.data_ref().map_or(0, Bytes::len));
            }
            return Poll::Ready(come);
        }
        let patience = self.patience;
        ready!(self.deadline.get_or_insert_with(|| Box::pin(sleep(patience))).as_mut().poll(cx));
        Poll::Ready(Some(Err(self.too_late())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
