//! `SignIn`: runs a sign-in as a task of the desk and reports its progress. While it waits for its user it ends when the caller
//! hangs up, when its time is over, or when the daemon stops; once the code is being redeemed it goes through, since the code is
//! spent. Several run side by side and share nothing. Some methods need nobody in front of a page: a password, a federated identity
//! credential, a refresh token from elsewhere.

mod authorization_code;
mod device_code;
mod imported_token;
mod password;
mod patience;
mod save;
mod user_federated_identity_credential;
mod web_app;

use std::{sync::Arc, time::Duration};

use token_broker_proto::{
    calls::{SignInEvent, SignInMethod, SignInRequest},
    oauth::{CorrelationId, ScopeSet},
};
use tokio::sync::mpsc;
use tracing::Instrument;

pub(super) use web_app::{MOST_PENDING, WebSignIns};

use patience::Patience;
use save::Context;

use super::{Desk, MAX_SIGN_INS, SIGN_IN_TIMEOUT};
use crate::{
    access::Caller,
    flow::{
        microsoft::user_federated_identity_credential::Statement,
        oauth::{TokenParameters, sign_in_scopes},
    },
    model::{DeskError, ProviderMetadata, RegisteredApplication, TokenBinding},
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
    patience: Patience,
    events: mpsc::Sender<Result<SignInEvent, DeskError>>,
}

impl SignIn {
    /// What the end of it needs to know.
    fn context(&self) -> Context<'_> {
        let correlation_id = self.correlation_id;
        Context { stored: &self.stored, metadata: &self.metadata, correlation_id, username: None }
    }

    /// What is asked for, whatever stands for the user.
    fn parameters(&self) -> TokenParameters<'_> {
        let (scopes, claims) = (Some(&self.scopes), self.request.claims.as_ref());
        TokenParameters { scopes, claims, binding: &TokenBinding::Bearer }
    }

    async fn tell(&self, event: SignInEvent) {
        // A caller that has hung up is noticed by the task itself.
        let _ = self.events.send(Ok(event)).await;
    }
}

impl Desk {
    /// Starts a sign-in.
    pub fn sign_in(self: &Arc<Self>, caller: &Caller, request: SignInRequest) -> Result<SignInEvents, DeskError> {
        tracing::debug!(%caller, method = request.method.name(), "sign in");
        let limit = format!("pending sign-ins: {MAX_SIGN_INS}");
        let seat = Arc::clone(&self.sign_ins).try_acquire_owned().map_err(|_| {
            self.metrics.limits.met(super::SIGN_INS);
            DeskError::LimitExceeded(limit)
        })?;
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
        self: &Arc<Self>,
        stored: Arc<StoredApplication>,
        request: SignInRequest,
        events: mpsc::Sender<Result<SignInEvent, DeskError>>,
    ) -> Result<SignInEvent, DeskError> {
        let correlation_id = self.correlation_id(request.correlation_id);
        let patience =
            Patience::new(Arc::clone(&self.clock), self.tasks.stop.clone(), events.clone(), time_limit(&request));
        let authority = &stored.application.authority;
        let metadata = patience.wait(self.metadata(authority, correlation_id)).await??;
        let claims = stored.application.claims(request.claims.as_ref());
        let request = SignInRequest { claims, ..request };
        let requested = request.scopes.clone().unwrap_or_else(|| stored.application.default_scopes());
        let (scopes, prompt) = scopes_and_prompt(&stored.application, &metadata, &requested, request.prompt.as_deref());
        let sign_in = SignIn { stored, metadata, request, scopes, prompt, correlation_id, patience, events };
        let account = match &sign_in.request.method {
            SignInMethod::Browser => self.sign_in_by_browser(&sign_in).await?,
            SignInMethod::DeviceCode => self.sign_in_by_device_code(&sign_in).await?,
            SignInMethod::Password { username, password } => {
                self.sign_in_by_password(&sign_in, username, password).await?
            }
            SignInMethod::UserFederatedIdentityCredential { user, assertion } => {
                let statement = Statement { user, assertion };
                self.sign_in_by_user_federated_identity_credential(&sign_in, statement).await?
            }
            SignInMethod::ImportedToken(token) => self.sign_in_by_imported_token(&sign_in, token).await?,
        };
        Ok(SignInEvent::SignedIn(account))
    }
}

/// The scopes to ask for, less those that the application leaves out, and the `prompt`: the consent that goes with `offline_access`
/// goes with it.
fn scopes_and_prompt(
    application: &RegisteredApplication,
    metadata: &ProviderMetadata,
    requested: &ScopeSet,
    prompt: Option<&str>,
) -> (ScopeSet, Option<String>) {
    let (scopes, prompts) = sign_in_scopes(&application.authority, metadata, requested, prompt);
    let is_offline = !application.options.exclude_scopes.contains("offline_access");
    (application.options.without_excluded(scopes), if is_offline { prompts } else { prompt.map(str::to_owned) })
}

/// A device code has a lifetime of its own, and what waits for nobody has the limits of each exchange.
fn time_limit(request: &SignInRequest) -> Option<Duration> {
    match request.method {
        SignInMethod::Browser => Some(request.timeout.unwrap_or(SIGN_IN_TIMEOUT)),
        SignInMethod::DeviceCode
        | SignInMethod::Password { .. }
        | SignInMethod::UserFederatedIdentityCredential { .. }
        | SignInMethod::ImportedToken(_) => request.timeout,
    }
}
