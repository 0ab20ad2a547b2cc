//! Keeping what a refresh brought, durably, before anybody is answered. A refresh token that cannot be saved is held for as long
//! as the daemon lives: the provider has spent the old one, so giving it up would lose the grant.

use std::time::Duration;

use token_broker_proto::{calls::TokenSource, oauth::Authority};

use super::{Desk, Refresh, setback::Setback};
use crate::{
    acquire::{flight::Early, metadata::Issued, silent::Refreshed},
    flow::oauth::{ClientContext, id_token::Expectation, token_response::TokenResponse},
    metrics::Outcome,
    model::{CachedToken, DeskError, Grant, GrantStamp, TokenSubject},
    store::{RefreshRecord, Saved, StoreError},
};

/// How long callers wait for a store that cannot be written.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is tried while they wait, and while the daemon stops.
const PAUSE: Duration = Duration::from_millis(500);
/// How often it is tried later.
const LATER_PAUSE: Duration = Duration::from_secs(5);

impl Desk {
    /// Saves what came, durably, before anybody is answered.
    pub(super) async fn keep(
        &self,
        refresh: &Refresh,
        (stamp, old): (GrantStamp, &Grant),
        response: &TokenResponse,
        early: &Early<Refreshed>,
    ) -> Result<CachedToken, Setback> {
        let now = self.clock.now();
        let scopes = if refresh.purpose.scopes.is_some() { &old.scopes } else { &response.scopes };
        let issued = |token| Grant::issued(token, scopes.clone(), now);
        let subject = || Box::new(TokenSubject { user: refresh.user.clone(), id_token: None });
        let token = CachedToken { subject: refresh.partition.is_apart().then(subject), ..response.cached() };
        let record = RefreshRecord {
            grant_key: refresh.grant_key.clone(),
            stamp,
            token: (refresh.partition.clone(), token.clone()),
            new_grant: response.refresh_token.clone().map(issued),
            client: refresh.stored.application.client(),
            home_account_id: refresh.user.home_account_id.clone(),
        };
        match self.save_at_last(refresh, record, early).await? {
            Saved::Done => {
                self.metrics.calls.refreshed(Outcome::Saved);
                tracing::info!("refreshed");
                self.tell(refresh, &Ok((token.clone(), TokenSource::IdentityProvider)));
                Ok(token)
            }
            Saved::Discarded => {
                self.metrics.calls.refreshed(Outcome::Discarded);
                tracing::info!("a refresh ended after its grant was replaced or removed; its tokens are thrown away");
                Err(Setback::Moved)
            }
        }
    }

    /// Saves, and tries until it succeeds when the store cannot be written. Callers are told after a while; the flight keeps its
    /// place, so that no other refresh begins with the token that is spent.
    async fn save_at_last(
        &self,
        refresh: &Refresh,
        record: RefreshRecord,
        early: &Early<Refreshed>,
    ) -> Result<Saved, DeskError> {
        let mut waited = Duration::ZERO;
        loop {
            let saved = if refresh.joins {
                self.vault.save_joined(record.clone(), refresh.user.clone()).await
            } else {
                self.vault.save_refresh(record.clone()).await
            };
            let fault = match saved {
                Err(fault @ (StoreError::Unavailable(_) | StoreError::Locked(_))) => fault,
                saved => return Ok(saved?),
            };
            if self.vault.is_closed() {
                tracing::error!(%fault, "the daemon ended before a new refresh token could be saved; it is lost");
                return Err(fault.into());
            }
            tracing::error!(%fault, "a new refresh token could not be saved; it is held and tried again");
            if waited >= PATIENCE {
                early.report(Err(fault.into()));
            }
            waited += self.pause(if waited < PATIENCE { PAUSE } else { LATER_PAUSE }).await;
        }
    }

    /// Waits for so long, but only for a moment once the daemon is asked to stop; how long it meant to.
    async fn pause(&self, pause: Duration) -> Duration {
        let stop = &self.tasks.stop;
        if stop.is_cancelled() {
            self.clock.sleep(PAUSE).await;
            return PAUSE;
        }
        tokio::select! {
            () = self.clock.sleep(pause) => {}
            () = stop.cancelled() => {}
        }
        pause
    }

    /// Keeps the new ID token, if one came and holds (OpenID Connect Core 1.0, section 12.2). A bad one never costs the grant,
    /// which is saved by now. Of a token that is kept apart it stays with the token, which is returned.
    pub(super) async fn keep_identity(
        &self,
        refresh: &Refresh,
        client: ClientContext<'_>,
        response: &TokenResponse,
        mut token: CachedToken,
    ) -> CachedToken {
        let authority: &Authority = &refresh.stored.application.authority;
        let issued = Issued {
            authority,
            metadata: client.metadata,
            expected: Expectation::without_nonce(client),
            correlation_id: refresh.correlation_id,
        };
        let home_account_id = &refresh.user.home_account_id;
        let saved = match self.unless_stopped(self.verified(&issued, response)).await {
            Ok(Some((user, documents))) if user.home_account_id == *home_account_id && token.subject.is_some() => {
                token.subject = Some(Box::new(TokenSubject { user, id_token: Some(documents.id_token) }));
                self.vault.save_token_again(refresh.partition.clone(), token.clone()).await.map_err(DeskError::from)
            }
            Ok(Some((user, documents))) if user.home_account_id == *home_account_id => {
                let client = refresh.stored.application.client();
                let tenant = &refresh.partition.tenant;
                self.vault.save_identity(&client, tenant, home_account_id, documents).await.map_err(DeskError::from)
            }
            Ok(Some(_)) => {
                tracing::warn!("the refreshed ID token is of another user; the old one is kept");
                return token;
            }
            Ok(None) => return token,
            Err(error) => Err(error),
        };
        if let Err(error) = saved {
            let reason = error.reason().as_str();
            tracing::warn!(reason, "the refreshed ID token does not hold or cannot be kept; the old one stays");
        }
        token
    }
}
