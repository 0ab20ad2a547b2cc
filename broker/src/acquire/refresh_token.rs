//! The refresh of one grant (RFC 6749, section 6), as it runs in its own flight: read the grant anew, ask, save, and only then
//! answer. A result that comes after a sign-out or a new sign-in is thrown away.

use std::{sync::Arc, time::Duration};

use token_broker_proto::{
    ProviderError,
    calls::TokenSource,
    oauth::{Authority, CorrelationId, ScopeSet},
};

use super::{
    Desk, Purpose,
    found::is_fresh,
    metadata::Issued,
    silent::{Refreshed, Wanted},
};
use crate::{
    flow::oauth::{ClientContext, TokenError, id_token::Expectation, refresh_token, token_response::TokenResponse},
    model::{CachedToken, DeskError, Grant, GrantKey, GrantStamp, GrantState, Interaction, TokenPartition, User},
    provider::from_token,
    store::{RefreshRecord, Saved, StoreError, StoredApplication},
};

/// How often a new grant that cannot be saved is tried again.
const SAVE_ATTEMPTS: u32 = 20;
/// How long to wait between.
const SAVE_PAUSE: Duration = Duration::from_millis(500);

/// Everything a refresh needs to know, so that it can outlive the call that started it.
#[derive(Clone)]
pub(super) struct Refresh {
    pub grant_key: GrantKey,
    stored: Arc<StoredApplication>,
    user: User,
    partition: TokenPartition,
    scopes: ScopeSet,
    purpose: Purpose,
    min_validity: Option<Duration>,
    correlation_id: CorrelationId,
}

impl Refresh {
    pub(super) fn new(wanted: &Wanted, user: &User, partition: TokenPartition) -> Self {
        Self {
            grant_key: wanted.stored.application.client().grant_key(&user.home_account_id),
            stored: Arc::clone(&wanted.stored),
            user: user.clone(),
            partition,
            scopes: wanted.scopes.clone(),
            purpose: wanted.purpose.clone(),
            min_validity: wanted.min_validity,
            correlation_id: wanted.correlation_id,
        }
    }

    fn interaction(&self, why: Interaction) -> DeskError {
        DeskError::InteractionRequired { application: self.stored.application.name.to_string(), why }
    }

    /// The sign-in that is needed asks for what is granted already, too: it replaces the grant.
    pub(super) fn no_grant(&self, granted: Option<&ScopeSet>) -> DeskError {
        let granted = granted.map(ScopeSet::without_reserved).unwrap_or_default();
        let scopes: ScopeSet = self.scopes.iter().chain(granted.iter()).cloned().collect();
        self.interaction(Interaction::NoGrant { scopes: scopes.to_string() })
    }
}

impl Desk {
    pub(super) async fn refresh(self: Arc<Self>, refresh: Refresh) -> Refreshed {
        if let Some(token) = self.already_fresh(&refresh)? {
            return Ok((token, TokenSource::Cache));
        }
        let (stamp, grant) = self.usable_grant(&refresh)?;
        let authority = &refresh.stored.application.authority;
        let metadata = self.unless_stopped(self.metadata(authority, refresh.correlation_id)).await?;
        // A store that cannot be written says so now, before the provider spends the refresh token.
        self.vault.set_grant_state(&refresh.grant_key, stamp, grant.state.clone()).await?;
        let client = ClientContext {
            metadata: &metadata,
            client_id: &refresh.stored.application.client_id,
            credential: &refresh.stored.application.credential,
        };
        let Purpose { scopes, claims, .. } = &refresh.purpose;
        let claims = refresh.stored.application.claims(claims.as_ref());
        let request = refresh_token::request(
            client,
            &grant.refresh_token,
            scopes.as_ref(),
            claims.as_ref(),
            refresh.correlation_id,
        );
        match self.provider.tokens(request, &grant.scopes).await {
            Ok(response) => {
                let kept = self.keep(&refresh, (stamp, &grant), &response).await?;
                self.keep_identity(&refresh, client, &response).await;
                Ok(kept)
            }
            Err(error) => Err(self.judge(&refresh, stamp, error).await?),
        }
    }

    /// A token that another flight brought between this caller's look into the cache and its boarding.
    fn already_fresh(&self, refresh: &Refresh) -> Result<Option<CachedToken>, DeskError> {
        if refresh.purpose.forced || refresh.purpose.claims.is_some() {
            return Ok(None);
        }
        let now = self.clock.now();
        let accept = |token: &CachedToken| is_fresh(token, refresh.min_validity, now);
        Ok(self.vault.find_token(&refresh.partition, &refresh.scopes, &accept)?)
    }

    /// The grant as it is now, if it can bring these scopes.
    pub(super) fn usable_grant(&self, refresh: &Refresh) -> Result<(GrantStamp, Grant), DeskError> {
        let (stamp, grant) = self.vault.find_grant(&refresh.grant_key)?.ok_or_else(|| refresh.no_grant(None))?;
        if let GrantState::Refused { error, .. } = &grant.state {
            let provider = ProviderError { error: error.clone(), ..ProviderError::default() };
            return Err(refresh.interaction(Interaction::Provider(Box::new(provider))));
        }
        if refresh.purpose.scopes.is_none() && !refresh.scopes.is_covered_by(&grant.scopes) {
            return Err(refresh.no_grant(Some(&grant.scopes)));
        }
        Ok((stamp, grant))
    }

    /// Saves what came, durably, before anybody is answered.
    async fn keep(&self, refresh: &Refresh, (stamp, old): (GrantStamp, &Grant), response: &TokenResponse) -> Refreshed {
        let now = self.clock.now();
        let new_grant = response.refresh_token.clone().map(|refresh_token| Grant {
            refresh_token,
            scopes: if refresh.purpose.scopes.is_some() { old.scopes.clone() } else { response.scopes.clone() },
            obtained_on: now,
            last_used_on: now,
            state: GrantState::Live,
        });
        let token = response.cached();
        let record = RefreshRecord {
            grant_key: refresh.grant_key.clone(),
            stamp,
            token: (refresh.partition.clone(), token.clone()),
            new_grant,
            client: refresh.stored.application.client(),
            home_account_id: refresh.user.home_account_id.clone(),
        };
        match self.save_at_last(record).await? {
            Saved::Done => {
                tracing::info!("refreshed");
                Ok((token, TokenSource::IdentityProvider))
            }
            Saved::Discarded => {
                tracing::info!("a refresh ended after its grant was replaced or removed; its tokens are thrown away");
                Err(refresh.interaction(Interaction::NotSignedIn))
            }
        }
    }

    /// Saves, and tries again for a while when the store cannot be written: the provider has spent the old refresh token, so
    /// giving up here loses the grant.
    async fn save_at_last(&self, record: RefreshRecord) -> Result<Saved, DeskError> {
        for _ in 0..SAVE_ATTEMPTS {
            match self.vault.save_refresh(record.clone()).await {
                Err(StoreError::Unavailable(why)) => {
                    tracing::error!(why, "a new refresh token could not be saved; trying again");
                    self.clock.sleep(SAVE_PAUSE).await;
                }
                saved => return Ok(saved?),
            }
        }
        Ok(self.vault.save_refresh(record).await?)
    }

    /// Keeps the new ID token, if one came and holds (OpenID Connect Core 1.0, section 12.2). A bad one never costs the grant,
    /// which is saved by now.
    async fn keep_identity(&self, refresh: &Refresh, client: ClientContext<'_>, response: &TokenResponse) {
        let issued = Issued {
            authority: &refresh.stored.application.authority,
            metadata: client.metadata,
            expected: Expectation::without_nonce(client),
            correlation_id: refresh.correlation_id,
        };
        let home_account_id = &refresh.user.home_account_id;
        let saved = match self.unless_stopped(self.verified(&issued, response)).await {
            Ok(Some((user, documents))) if user.home_account_id == *home_account_id => {
                let client = refresh.stored.application.client();
                let tenant = &refresh.partition.tenant;
                self.vault.save_identity(&client, tenant, home_account_id, documents).await.map_err(DeskError::from)
            }
            Ok(Some(_)) => {
                tracing::warn!("the refreshed ID token is of another user; the old one is kept");
                return;
            }
            Ok(None) => return,
            Err(error) => Err(error),
        };
        if let Err(error) = saved {
            let reason = error.reason().as_str();
            tracing::warn!(reason, "the refreshed ID token does not hold or cannot be kept; the old one stays");
        }
    }

    /// What a failed refresh means. A refusal of the grant itself is remembered, so that a dead grant is not hammered, unless
    /// the grant changed meanwhile.
    async fn judge(&self, refresh: &Refresh, stamp: GrantStamp, error: TokenError) -> Result<DeskError, DeskError> {
        let asks_for_user = error.needs_interaction();
        let provider = match error {
            // `http_400` is all that some servers say of a refresh token which is not good any more.
            TokenError::Refused(provider) if asks_for_user || provider.error == "http_400" => provider,
            other => return Ok(from_token(other)),
        };
        if kills_grant(&refresh.stored.application.authority, &provider) {
            let state = GrantState::Refused { since: self.clock.now(), error: provider.error.clone() };
            self.vault.set_grant_state(&refresh.grant_key, stamp, state).await?;
        }
        Ok(refresh.interaction(Interaction::Provider(provider)))
    }
}

/// Whether the refusal is of the grant for good. At Microsoft Entra ID `invalid_grant` may be of one scope or tenant only.
fn kills_grant(authority: &Authority, provider: &ProviderError) -> bool {
    let suberror = provider.suberror.as_deref().unwrap_or_default();
    provider.error == "invalid_grant"
        && match authority {
            Authority::Microsoft(_) => matches!(suberror, "bad_token" | "token_expired"),
            Authority::OpenIdConnect { .. } | Authority::Endpoints(_) => true,
        }
}
