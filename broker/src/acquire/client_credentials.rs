//! A token for the application itself (RFC 6749, section 4.4): cached, else asked for once, whoever waits.

use std::sync::Arc;

use token_broker_proto::{
    Invalid,
    calls::{TokenAnswer, TokenSource},
    oauth::{CorrelationId, ScopeSet},
};
use tracing::Instrument;

use super::{
    Desk, FlightKey, Purpose,
    found::bearer_partition,
    silent::{Refreshed, Wanted},
};
use crate::{
    flow::oauth::{ClientContext, client_credentials},
    model::{Credential, DeskError, TokenPartition},
    provider::from_token,
    store::{Saved, StoredApplication},
};

/// Everything the request needs to know, so that it can outlive the call that started it.
struct AppOnly {
    stored: Arc<StoredApplication>,
    partition: TokenPartition,
    scopes: ScopeSet,
    purpose: Purpose,
    correlation_id: CorrelationId,
}

impl Desk {
    pub(super) async fn for_application(self: &Arc<Self>, wanted: &Wanted) -> Result<TokenAnswer, DeskError> {
        if let Credential::Public = wanted.stored.application.credential {
            let rule = "needs an application with a credential: add it with --client-secret-stdin";
            return Err(Invalid::new("app_only", rule).into());
        }
        let partition = bearer_partition(&wanted.stored.application, None, &wanted.purpose.realm);
        let (token, source) = match self.fresh(wanted, &partition)? {
            Some(token) => (token, TokenSource::Cache),
            None => match self.requested(wanted, &partition).await {
                Ok(found) => found,
                Err(error) => self.valid_or(wanted, &partition, error)?,
            },
        };
        self.answer(wanted, None, token, source)
    }

    async fn requested(self: &Arc<Self>, wanted: &Wanted, partition: &TokenPartition) -> Refreshed {
        // Reserved scopes ask for a user's tokens; there is no user here.
        let scopes = wanted.scopes.without_reserved();
        let key = FlightKey::Application(partition.clone(), scopes.clone());
        let flight = || {
            let app_only = AppOnly {
                stored: Arc::clone(&wanted.stored),
                partition: partition.clone(),
                scopes: scopes.clone(),
                purpose: wanted.purpose.clone(),
                correlation_id: wanted.correlation_id,
            };
            let span = tracing::info_span!("client_credentials", correlation_id = %wanted.correlation_id);
            Arc::clone(self).request_app_token(app_only).instrument(span)
        };
        self.fly(wanted, partition, &key, flight).await
    }

    async fn request_app_token(self: Arc<Self>, app_only: AppOnly) -> Refreshed {
        let application = &app_only.stored.application;
        let metadata = self.unless_stopped(self.metadata(&application.authority, app_only.correlation_id)).await?;
        let client = ClientContext {
            metadata: &metadata,
            client_id: &application.client_id,
            credential: &application.credential,
        };
        let claims = application.claims(app_only.purpose.claims.as_ref());
        let request = client_credentials::request(client, &app_only.scopes, claims.as_ref(), app_only.correlation_id);
        let response = self.provider.tokens(request, &app_only.scopes).await.map_err(from_token)?;
        let token = response.cached();
        if !app_only.scopes.is_covered_by(&token.scopes) {
            let what = "the provider granted fewer scopes than were asked for";
            return Err(DeskError::AuthorityUnusable(what.to_owned()));
        }
        match self.vault.save_app_token(app_only.stored.stamp, app_only.partition, token.clone()).await? {
            Saved::Done => Ok((token, TokenSource::IdentityProvider)),
            Saved::Discarded => Err(DeskError::ApplicationNotFound(application.name.to_string())),
        }
    }
}
