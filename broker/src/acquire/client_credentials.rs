//! A token for the application itself (RFC 6749, section 4.4): cached, else asked for once, whoever waits. There is no grant to
//! note a failure at, so the pause after one is in memory.

use std::sync::Arc;

use token_broker_proto::{
    Invalid,
    calls::{TokenAnswer, TokenSource},
    oauth::{CorrelationId, ScopeSet, UnixTime},
};
use tracing::Instrument;

use super::{
    Desk, FlightKey, Purpose,
    found::is_fresh,
    renewal::Renewal,
    silent::{Refreshed, Wanted},
    watch::Asked,
};
use crate::{
    flow::{
        microsoft::telemetry,
        oauth::{ClientContext, TokenError, TokenParameters, client_credentials, token_response::Requested},
    },
    metrics::Outcome,
    model::{CachedToken, Credential, DeskError, TokenPartition},
    provider::from_token,
    store::{Saved, StoredApplication},
};

/// Everything the request needs to know, so that it can outlive the call that started it.
#[derive(Clone)]
pub(super) struct AppOnly {
    pub stored: Arc<StoredApplication>,
    pub partition: TokenPartition,
    pub scopes: ScopeSet,
    pub purpose: Purpose,
    fmi_path: Option<String>,
    /// A renewal ahead of time is for this token: one that was issued later will do.
    renews: Option<UnixTime>,
    pub correlation_id: CorrelationId,
}

impl AppOnly {
    /// Whether it is a renewal ahead of time, which nobody waits for.
    pub(super) fn is_ahead(&self) -> bool {
        self.renews.is_some()
    }

    fn asked(&self) -> Asked {
        let application = &self.stored.application;
        Asked {
            client: application.client(),
            application: application.name.clone(),
            account: None,
            correlation_id: self.correlation_id,
        }
    }

    pub(super) fn new(wanted: &Wanted, partition: &TokenPartition) -> Self {
        Self {
            stored: Arc::clone(&wanted.stored),
            partition: partition.clone(),
            // Reserved scopes ask for a user's tokens; there is no user here.
            scopes: wanted.scopes.without_reserved(),
            purpose: wanted.purpose.clone(),
            fmi_path: wanted.extras.fmi_path.clone(),
            renews: None,
            correlation_id: wanted.correlation_id,
        }
    }

    /// The same as a renewal ahead of time of a token that was issued then.
    pub(super) fn ahead(mut self, issued_on: UnixTime, correlation_id: CorrelationId) -> Self {
        self.purpose = self.purpose.ahead();
        self.renews = Some(issued_on);
        self.correlation_id = correlation_id;
        self
    }

    pub(super) fn key(&self) -> FlightKey {
        FlightKey::Application(self.partition.clone(), self.scopes.clone())
    }
}

impl Desk {
    pub(super) async fn for_application(self: &Arc<Self>, wanted: &Wanted) -> Result<TokenAnswer, DeskError> {
        let application = &wanted.stored.application;
        if matches!(application.credential, Credential::Public) && application.authority.managed_identity().is_none() {
            let rule = "needs an application with a credential: add it with --client-secret-stdin or --certificate";
            return Err(Invalid::new("app_only", rule).into());
        }
        let partition = self.app_partition(wanted);
        let (token, source) = match self.fresh(wanted, &partition)? {
            Some(token) => (token, TokenSource::Cache),
            None => match self.requested(wanted, &partition).await {
                Ok(found) => found,
                Err(error) => self.valid_or(wanted, &partition, error)?,
            },
        };
        self.note_use(wanted, &partition, &token, || Renewal::Application(Arc::new(AppOnly::new(wanted, &partition))));
        self.answer(wanted, None, token, source)
    }

    async fn requested(self: &Arc<Self>, wanted: &Wanted, partition: &TokenPartition) -> Refreshed {
        let app_only = AppOnly::new(wanted, partition);
        let key = app_only.key();
        self.fly(wanted, partition, &key, |_| self.app_only_flight(app_only.clone())).await
    }

    /// A request with a span of its own: it outlives the call that started it.
    pub(super) fn app_only_flight(
        self: &Arc<Self>,
        app_only: AppOnly,
    ) -> impl Future<Output = Refreshed> + Send + 'static {
        let span = tracing::info_span!("client_credentials", correlation_id = %app_only.correlation_id);
        Arc::clone(self).request_app_token(app_only).instrument(span)
    }

    /// Asks, and tells those who follow the token how that ended.
    async fn request_app_token(self: Arc<Self>, app_only: AppOnly) -> Refreshed {
        if let Some(token) = self.app_token_there(&app_only)? {
            return Ok((token, TokenSource::Cache));
        }
        let key = (app_only.stored.stamp, app_only.key());
        let insists = !app_only.purpose.may_use_cache() && app_only.renews.is_none();
        self.pauses.check(&key, self.clock.now(), insists)?;
        let mut unsent = false;
        let outcome = self.ask_for_app_token(&app_only, &mut unsent).await;
        self.publish_outcome(app_only.asked(), &outcome);
        self.note_outcome(key, outcome, unsent)
    }

    /// A token that another flight brought between this one's order and its start.
    fn app_token_there(&self, app_only: &AppOnly) -> Result<Option<CachedToken>, DeskError> {
        let now = self.clock.now();
        let Some(old) = app_only.renews else { return Ok(None) };
        let accept = |token: &CachedToken| token.issued_on > old && is_fresh(token, None, now);
        Ok(self.vault.find_token(&app_only.partition, &app_only.scopes, &accept)?)
    }

    /// Asks whoever issues its tokens and saves the one that comes; notes whether the request never went out.
    async fn ask_for_app_token(self: &Arc<Self>, app_only: &AppOnly, unsent: &mut bool) -> Refreshed {
        let application = &app_only.stored.application;
        let count = |outcome| self.metrics.calls.app_token_requested(outcome);
        let asked = match application.authority.managed_identity() {
            Some(identity) => self.ask_machine(app_only, identity, unsent).await,
            None => self.ask_provider(app_only, unsent).await,
        };
        let token = asked?;
        let saved = self.vault.save_app_token(app_only.stored.stamp, app_only.partition.clone(), token.clone()).await?;
        match saved {
            Saved::Done => {
                count(Outcome::Saved);
                Ok((token, TokenSource::IdentityProvider))
            }
            Saved::Discarded => {
                count(Outcome::Discarded);
                Err(DeskError::ApplicationNotFound(application.name.to_string()))
            }
        }
    }

    async fn ask_provider(self: &Arc<Self>, app_only: &AppOnly, unsent: &mut bool) -> Result<CachedToken, DeskError> {
        let application = &app_only.stored.application;
        let metadata = self.unless_stopped(self.metadata(&application.authority, app_only.correlation_id)).await?;
        let credential = self.presented(application, &metadata, app_only.correlation_id).await?;
        let metadata = self.regional(application, metadata).await;
        let client = ClientContext::of(application, &metadata, &credential);
        let claims = app_only.purpose.claims_to_send(application);
        let (scopes, binding) = (&app_only.scopes, &app_only.purpose.binding);
        let parameters = TokenParameters { scopes: Some(scopes), claims: claims.as_ref(), binding };
        let mut request =
            client_credentials::request(client, parameters, app_only.fmi_path.as_deref(), app_only.correlation_id);
        let cause = self.cause(&app_only.partition, &app_only.scopes, &app_only.purpose)?;
        telemetry::explain(&mut request, cause, None);
        let response = self.provider.tokens(request, Requested { scopes, binding }).await.map_err(|error| {
            self.metrics.calls.app_token_requested(Outcome::Failed);
            *unsent = matches!(error, TokenError::NotSent(_));
            from_token(error)
        })?;
        let token = response.cached();
        if !app_only.scopes.is_covered_by(&token.scopes) {
            let what = "the provider granted fewer scopes than were asked for";
            return Err(DeskError::AuthorityUnusable(what.to_owned()));
        }
        Ok(token)
    }
}
