//! `SignIn`: runs a sign-in as a task of the desk and reports its progress. It ends when the user is done, when the caller
//! hangs up, when its time is over, or when the daemon stops; several run side by side and share nothing.

mod authorization_code;
mod device_code;
mod save;

use std::{sync::Arc, time::Duration};

use token_broker_proto::{
    calls::{SignInEvent, SignInMethod, SignInRequest},
    oauth::{CorrelationId, ScopeSet},
};
use tokio::sync::mpsc;
use tracing::Instrument;

use super::{Desk, MAX_SIGN_INS, SIGN_IN_TIMEOUT};
use crate::{
    access::Caller,
    flow::oauth::{ClientContext, sign_in_scopes},
    model::{DeskError, ProviderMetadata},
    store::StoredApplication,
};

/// What a sign-in tells its caller, in order; the last one is `SignedIn` or an error.
pub type SignInEvents = mpsc::Receiver<Result<SignInEvent, DeskError>>;

/// A sign-in that is under way.
struct SignIn {
    stored: Arc<StoredApplication>,
    metadata: ProviderMetadata,
    request: SignInRequest,
    scopes: ScopeSet,
    prompt: Option<String>,
    correlation_id: CorrelationId,
    events: mpsc::Sender<Result<SignInEvent, DeskError>>,
}

impl SignIn {
    fn client(&self) -> ClientContext<'_> {
        ClientContext {
            metadata: &self.metadata,
            client_id: &self.stored.application.client_id,
            credential: &self.stored.application.credential,
        }
    }

    async fn tell(&self, event: SignInEvent) {
        // A caller that has hung up is noticed by the task itself.
        let _ = self.events.send(Ok(event)).await;
    }
}

impl Desk {
    /// Starts a sign-in.
    pub fn sign_in(self: &Arc<Self>, caller: &Caller, request: SignInRequest) -> Result<SignInEvents, DeskError> {
        tracing::debug!(%caller, method = ?request.method, "sign in");
        let limit = format!("pending sign-ins: {MAX_SIGN_INS}");
        let seat = Arc::clone(&self.sign_ins).try_acquire_owned().map_err(|_| DeskError::LimitExceeded(limit))?;
        let stored = self.find_application_named(&request.application)?;
        let correlation_id = self.correlation_id(request.correlation_id);
        let request = SignInRequest { correlation_id: Some(correlation_id), ..request };
        let (events, receiver) = mpsc::channel(4);
        let desk = Arc::clone(self);
        let task = async move {
            let _seat = seat;
            let outcome = desk.run(stored, request, events.clone()).await;
            match &outcome {
                Ok(_) => tracing::info!("signed in"),
                Err(error) => tracing::info!(reason = ?error.reason(), "the sign-in ended without a token"),
            }
            let _ = events.send(outcome).await;
        };
        self.tasks.tracker.spawn(task.instrument(tracing::info_span!("sign_in", %correlation_id)));
        Ok(receiver)
    }

    async fn run(
        &self,
        stored: Arc<StoredApplication>,
        request: SignInRequest,
        events: mpsc::Sender<Result<SignInEvent, DeskError>>,
    ) -> Result<SignInEvent, DeskError> {
        let limit = time_limit(&request);
        let hung_up = events.clone();
        let signing_in = async {
            let correlation_id = self.correlation_id(request.correlation_id);
            let metadata = self.metadata(&stored.application.authority, correlation_id).await?;
            let requested = request.scopes.clone().unwrap_or_else(|| stored.application.default_scopes());
            let (scopes, prompt) =
                sign_in_scopes(&stored.application.authority, &metadata, &requested, request.prompt.as_deref());
            let sign_in = SignIn { stored, metadata, request, scopes, prompt, correlation_id, events };
            match sign_in.request.method {
                SignInMethod::Browser => self.sign_in_by_browser(&sign_in).await,
                SignInMethod::DeviceCode => self.sign_in_by_device_code(&sign_in).await,
            }
        };
        tokio::select! {
            biased;
            () = self.tasks.stop.cancelled() => Err(DeskError::Cancelled),
            () = hung_up.closed() => Err(DeskError::Cancelled),
            outcome = signing_in => outcome.map(SignInEvent::SignedIn),
            () = self.over(limit) => Err(DeskError::Expired),
        }
    }

    /// Resolves when this long has passed on the wall; looks again every minute, since timers stand still in suspend.
    async fn over(&self, limit: Option<Duration>) {
        let Some(limit) = limit else { return std::future::pending().await };
        let end = self.clock.now().plus(limit);
        loop {
            let left = end.since(self.clock.now());
            if left.is_zero() {
                return;
            }
            self.clock.sleep(left.min(Duration::from_secs(60))).await;
        }
    }
}

/// A device code has a lifetime of its own.
fn time_limit(request: &SignInRequest) -> Option<Duration> {
    match request.method {
        SignInMethod::Browser => Some(request.timeout.unwrap_or(SIGN_IN_TIMEOUT)),
        SignInMethod::DeviceCode => request.timeout,
    }
}
