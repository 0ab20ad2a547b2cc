//! Sign-in through a web application: authorization code with PKCE and the application's own redirect URI (RFC 6749, section
//! 4.1; RFC 7636; RFC 9207). State, verifier and nonce wait in memory; the application sends the browser away, and hands over
//! what it brings back. Once the code is being redeemed it goes through without its caller, since the code is spent.

mod pending;

use std::{sync::Arc, time::Duration};

use token_broker_proto::{
    Account, Invalid,
    calls::{self, BeginAuthorizationRequest, BegunAuthorization, CompleteAuthorizationRequest},
    oauth::{Authority, CorrelationId, ScopeSet},
};
use tracing::Instrument;
use url::Url;

pub(in crate::acquire) use self::pending::MOST_PENDING;

use self::pending::{Closed, PendingSignIns};
use super::{Desk, authorization_code::from_redirect, save::Context, scopes_and_prompt};
use crate::{
    access::Caller,
    acquire::WEB_SIGN_INS,
    flow::{
        microsoft::telemetry,
        oauth::{
            ClientContext,
            authorization_code::{AuthorizationRequest, PendingAuthorization, Redirect, ResponseMode, State},
        },
    },
    model::{Client, DeskError, Presented, ProviderMetadata, RegisteredApplication},
    provider::from_token,
    store::StoredApplication,
};

/// How long a user may stay away.
const LIFETIME: Duration = Duration::from_secs(600);

/// The sign-ins whose users are away.
pub(in crate::acquire) type WebSignIns = PendingSignIns<WebSignIn>;

/// A sign-in whose user is away at the provider.
pub(in crate::acquire) struct WebSignIn {
    client: Client,
    metadata: ProviderMetadata,
    pending: PendingAuthorization,
}

impl Desk {
    /// Begins a sign-in through a web application.
    pub async fn begin_authorization(
        &self,
        caller: &Caller,
        request: &BeginAuthorizationRequest,
    ) -> Result<BegunAuthorization, DeskError> {
        tracing::debug!(%caller, "begin authorization");
        let stored = self.find_application_named(&request.application)?;
        let application = &stored.application;
        check_redirect_uri(application, &request.redirect_uri)?;
        let correlation_id = self.correlation_id(request.correlation_id);
        let metadata = self.unless_stopped(Box::pin(self.metadata(&application.authority, correlation_id))).await?;
        let pending = self.pending_authorization(application, &metadata, request, correlation_id)?;
        let expires_on = self.clock.now().plus(LIFETIME);
        let begun = BegunAuthorization { url: pending.url(), state: pending.state().secret().clone(), expires_on };
        let state = pending.state().clone();
        let sign_in = WebSignIn { client: application.client(), metadata, pending };
        let added = self.web_sign_ins.add((application.name.clone(), state), sign_in, self.clock.now());
        added.map_err(|_| {
            self.metrics.limits.met(WEB_SIGN_INS);
            DeskError::LimitExceeded(format!("pending web sign-ins of {}: {MOST_PENDING}", application.name))
        })?;
        Ok(begun)
    }

    /// Completes it: says who signed in, once everything is stored. What came is used once, whatever comes of it.
    pub async fn complete_authorization(
        self: &Arc<Self>,
        caller: &Caller,
        request: &CompleteAuthorizationRequest,
    ) -> Result<Account, DeskError> {
        tracing::debug!(%caller, "complete authorization");
        let stored = self.find_application_named(&request.application)?;
        let correlation_id = self.correlation_id(request.correlation_id);
        let parameters = request.parameters.expose();
        let parameters = parameters.strip_prefix('?').unwrap_or(parameters);
        let state =
            State::of(parameters).ok_or_else(|| unusable("must carry one state, as the provider sent it back"))?;
        let taken = self.web_sign_ins.take(&state, &stored.application.name, self.clock.now());
        let sign_in = taken.map_err(from_closed)?;
        if sign_in.client != stored.application.client() {
            return Err(unusable("belong to a registration of this name that was replaced; begin the sign-in again"));
        }
        let redirect = sign_in.pending.accept(parameters);
        let redirect = redirect.map_err(|error| from_redirect(&stored.application, error))?;
        let desk = Arc::clone(self);
        let task = async move {
            let outcome = desk.redeem_web(&stored, &sign_in, redirect, correlation_id).await;
            match &outcome {
                Ok(_) => tracing::info!("signed in"),
                Err(error) => tracing::info!(reason = ?error.reason(), "the sign-in ended without a token"),
            }
            outcome
        };
        let span = tracing::info_span!("complete_authorization", %correlation_id);
        let redeemed = self.tasks.tracker.spawn(task.instrument(span)).await;
        redeemed.unwrap_or_else(|error| Err(DeskError::Internal(format!("a sign-in broke: {error}"))))
    }

    fn pending_authorization(
        &self,
        application: &RegisteredApplication,
        metadata: &ProviderMetadata,
        request: &BeginAuthorizationRequest,
        correlation_id: CorrelationId,
    ) -> Result<PendingAuthorization, DeskError> {
        let requested = request.scopes.clone().unwrap_or_else(|| application.default_scopes());
        let requested = self.with_granted(application, requested, request.login_hint.as_deref())?;
        let (scopes, prompt) = scopes_and_prompt(application, metadata, &requested, request.prompt.as_deref());
        let mut random = [0; 96];
        self.entropy.fill(&mut random);
        let asked = AuthorizationRequest {
            client: ClientContext::of(application, metadata, &Presented::Nothing),
            redirect_uri: request.redirect_uri.clone(),
            scopes,
            prompt,
            login_hint: request.login_hint.clone(),
            domain_hint: request.domain_hint.clone(),
            claims: application.claims(request.claims.as_ref()),
            max_age: None,
            response_mode: request.response_mode.map(response_mode),
            correlation_id,
        };
        PendingAuthorization::begin(asked, random).map_err(|error| DeskError::Unsupported(error.to_string()))
    }

    /// The requested scopes and those that the account of the hint was granted: its grant is about to be replaced, and must not
    /// cover less than before. A grant of Microsoft Entra ID covers all that was ever consented to, whatever is asked for.
    fn with_granted(
        &self,
        application: &RegisteredApplication,
        requested: ScopeSet,
        login_hint: Option<&str>,
    ) -> Result<ScopeSet, DeskError> {
        let Some(hint) = login_hint.filter(|_| !matches!(application.authority, Authority::Microsoft(_))) else {
            return Ok(requested);
        };
        let client = application.client();
        let users = self.vault.find_users(&client, Some(hint))?;
        let [user] = &*users else { return Ok(requested) };
        let granted = self.vault.find_grant(&client.grant_key(&user.home_account_id))?;
        let granted = granted.map(|(_, grant)| grant.scopes).unwrap_or_default();
        Ok(requested.iter().chain(granted.iter()).cloned().collect())
    }

    async fn redeem_web(
        self: &Arc<Self>,
        stored: &StoredApplication,
        sign_in: &WebSignIn,
        redirect: Redirect,
        correlation_id: CorrelationId,
    ) -> Result<Account, DeskError> {
        let context = Context { stored, metadata: &sign_in.metadata, correlation_id, username: None };
        let credential = self.shown(&context).await?;
        let client = context.client(&credential);
        let mut request = sign_in.pending.token_request(client, redirect, correlation_id);
        telemetry::for_web_application(&mut request);
        let response = self.provider.tokens(request, sign_in.pending.scopes()).await.map_err(from_token)?;
        self.save_sign_in(&context, response, sign_in.pending.expectation(client)).await
    }
}

/// The registered redirect URI and no other; a loopback one at any port unless one was registered (RFC 8252, section 7.3).
fn check_redirect_uri(application: &RegisteredApplication, given: &str) -> Result<(), Invalid> {
    match &application.redirect_uri {
        Some(registered) if !fits(registered, given) => {
            let rule = format!("must be the one that {} is registered with here: {registered}", application.name);
            Err(Invalid::new("redirect_uri", rule))
        }
        _ => Ok(()),
    }
}

fn fits(registered: &str, given: &str) -> bool {
    if registered == given {
        return true;
    }
    let (Ok(registered), Ok(mut given)) = (Url::parse(registered), Url::parse(given)) else { return false };
    let any_port = registered.scheme() == "http" && registered.port().is_none();
    any_port && given.set_port(None).is_ok() && given == registered
}

fn response_mode(mode: calls::ResponseMode) -> ResponseMode {
    match mode {
        calls::ResponseMode::Query => ResponseMode::Query,
        calls::ResponseMode::FormPost => ResponseMode::FormPost,
    }
}

fn unusable(rule: &'static str) -> DeskError {
    Invalid::new("parameters", rule).into()
}

fn from_closed(closed: Closed) -> DeskError {
    match closed {
        Closed::Unknown => unusable(
            "have a state that no pending sign-in has: it is not ours, it is long over, or the daemon was restarted \
             since it began; begin the sign-in again",
        ),
        Closed::Answered => unusable("were used already; begin the sign-in again"),
        Closed::Expired => DeskError::Expired,
        Closed::OfAnother => Invalid::new("application", "is not the one that this sign-in began for").into(),
    }
}
