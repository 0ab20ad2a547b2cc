//! One call: who makes it, its correlation id, and its answer or failure on the wire. Its span is for the debug level: a hit must
//! not pay for it. What outlives a call (a refresh, a sign-in) has a span of its own.

use std::{future::Future, sync::Arc};

use token_broker_proto::{Invalid, oauth::CorrelationId};
use tokio_util::task::task_tracker::TaskTrackerToken;
use tonic::{Code, Request, Response, Status};
use tracing::{Instrument, Span};

use super::{connection::Admitted, failure::status};
use crate::{access::Caller, acquire, metrics::Metrics, model::DeskError};

/// A call that is being answered.
pub(super) struct Call {
    pub caller: Caller,
    pub correlation_id: CorrelationId,
    rpc: &'static str,
    span: Span,
    metrics: Arc<Metrics>,
    /// A stop waits for it.
    _running: Option<TaskTrackerToken>,
}

impl Call {
    /// Begins a call; `given` is the correlation id of the request, empty for a new one.
    pub(super) fn begin<W>(
        request: &Request<W>,
        rpc: &'static str,
        given: &str,
        desk: &acquire::Desk,
    ) -> Result<Self, Status> {
        let parsed = CorrelationId::parse(given);
        let correlation_id = parsed.as_ref().ok().copied().flatten().unwrap_or_else(|| desk.new_correlation_id());
        let refuse = |error: DeskError| {
            let (reason, status) = (error.reason().as_str(), status(error, correlation_id));
            desk.metrics().calls.failed(rpc, reason, code_name(status.code()));
            status
        };
        parsed.map_err(|invalid: Invalid| refuse(invalid.into()))?;
        let admitted = request.extensions().get::<Admitted>().cloned();
        let admitted = admitted.ok_or_else(|| refuse(DeskError::Internal("a connection without caller".into())))?;
        if let Some(limit) = admitted.refused {
            return Err(refuse(DeskError::LimitExceeded(limit.to_string())));
        }
        let span = tracing::debug_span!("call", rpc, %correlation_id);
        let metrics = Arc::clone(desk.metrics());
        let running = Some(desk.running());
        Ok(Self { caller: admitted.caller, correlation_id, rpc, span, metrics, _running: running })
    }

    /// What is left of the call only waits for news: a stop ends it.
    pub(super) fn waits_only(self) -> Self {
        Self { _running: None, ..self }
    }

    /// Runs the verb in the call's span and puts its outcome on the wire.
    pub(super) async fn answer<A, V: From<A>>(
        &self,
        verb: impl Future<Output = Result<A, DeskError>>,
    ) -> Result<Response<V>, Status> {
        match verb.instrument(self.span.clone()).await {
            Ok(answer) => {
                self.answered();
                Ok(Response::new(V::from(answer)))
            }
            Err(error) => Err(self.fail(error)),
        }
    }

    /// Counts the answer.
    pub(super) fn answered(&self) {
        self.metrics.calls.answered(self.rpc);
    }

    /// Runs a verb that does not wait, in the call's span.
    pub(super) fn run<A>(&self, verb: impl FnOnce() -> Result<A, DeskError>) -> Result<A, DeskError> {
        self.span.in_scope(verb)
    }

    /// The failure on the wire, noted in the log.
    pub(super) fn fail(&self, error: DeskError) -> Status {
        let (rpc, correlation_id) = (self.rpc, self.correlation_id);
        match &error {
            DeskError::Internal(fault) => tracing::error!(rpc, %correlation_id, fault, "a fault of the daemon"),
            other => tracing::info!(rpc, %correlation_id, reason = other.reason().as_str(), "the call failed"),
        }
        let (reason, status) = (error.reason().as_str(), status(error, self.correlation_id));
        self.metrics.calls.failed(rpc, reason, code_name(status.code()));
        status
    }
}

/// A code by its name in gRPC.
fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
