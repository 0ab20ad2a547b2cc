//! A token for the application itself (RFC 6749, section 4.4): cached, else asked for once, whoever waits.

use std::sync::Arc;

use token_broker_proto::{
    Invalid,
    calls::{TokenAnswer, TokenSource},
    oauth::{CorrelationId, ScopeSet},
};

use super::{
    Desk, FlightKey, Purpose,
    flight::Boarding,
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
        let partition = bearer_partition(&wanted.stored.application, None);
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
        loop {
            let app_only = AppOnly {
                stored: Arc::clone(&wanted.stored),
                partition: partition.clone(),
                scopes: scopes.clone(),
                purpose: wanted.purpose.clone(),
                correlation_id: wanted.correlation_id,
            };
            let desk = Arc::clone(self);
            let flight = || async move { desk.request_app_token(app_only).await };
            match self.flights.board(&self.tasks.tracker, key.clone(), wanted.purpose.clone(), flight) {
                Boarding::Aboard(landing) => {
                    let died = || Err(DeskError::Internal("a client credentials request died".into()));
                    return landing.result().await.unwrap_or_else(died);
                }
                Boarding::Occupied(landing) => {
                    landing.result().await;
                    if let Some(token) = self.fresh(wanted, partition)? {
                        return Ok((token, TokenSource::Cache));
                    }
                }
            }
        }
    }

    async fn request_app_token(self: Arc<Self>, app_only: AppOnly) -> Refreshed {
        let application = &app_only.stored.application;
        let metadata = self.metadata(&application.authority, app_only.correlation_id).await?;
        let client = ClientContext {
            metadata: &metadata,
            client_id: &application.client_id,
            credential: &application.credential,
        };
        let claims = app_only.purpose.claims.as_ref();
        let request = client_credentials::request(client, &app_only.scopes, claims, app_only.correlation_id);
        let response = self.provider.tokens(request, &app_only.scopes).await.map_err(from_token)?;
        let token = response.into_cached();
        match self.vault.save_app_token(app_only.stored.stamp, app_only.partition, token.clone()).await? {
            Saved::Done => Ok((token, TokenSource::IdentityProvider)),
            Saved::Discarded => Err(DeskError::ApplicationNotFound(application.name.to_string())),
        }
    }
}
