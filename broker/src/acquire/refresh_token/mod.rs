//! The refresh of one grant (RFC 6749, section 6), as it runs in its own flight: read the grant anew, ask, save, and only then
//! answer. Whatever it finds replaced on its way (a sign-in, a sign-out) wins: it looks once more at what is there now. What a
//! failure means is in `setback`, how the outcome is kept in `save`.

mod save;
mod setback;

use std::{sync::Arc, time::Duration};

use token_broker_proto::{
    ProviderError,
    calls::TokenSource,
    oauth::{CorrelationId, ScopeSet, UnixTime},
};

use setback::{Failed, Setback};

use super::{
    Desk, Purpose,
    flight::Early,
    found::{is_fresh, partition},
    silent::{Refreshed, Wanted, scopes_to_send},
    watch::Asked,
};
use crate::{
    flow::{
        microsoft::telemetry::{self, Cause},
        oauth::{
            ClientContext, TokenError, TokenParameters, refresh_token,
            token_response::{Requested, TokenResponse},
        },
    },
    model::{
        CachedToken, DeskError, Grant, GrantKey, GrantStamp, GrantState, Interaction, TokenBinding, TokenPartition,
        User,
    },
    store::{Saved, StoredApplication},
};

/// How often a refresh looks at the grant: it was replaced meanwhile, and the newer one may serve.
const LOOKS: u32 = 2;

/// Everything a refresh needs to know, so that it can outlive the call that started it.
#[derive(Clone)]
pub(super) struct Refresh {
    pub grant_key: GrantKey,
    pub stored: Arc<StoredApplication>,
    pub user: User,
    pub partition: TokenPartition,
    pub scopes: ScopeSet,
    pub purpose: Purpose,
    min_validity: Option<Duration>,
    /// A renewal ahead of time is for this token: one that was issued later will do.
    renews: Option<UnixTime>,
    /// The client does not have the account yet, and tries the grant of its family.
    joins: bool,
    pub correlation_id: CorrelationId,
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
            renews: None,
            joins: false,
            correlation_id: wanted.correlation_id,
        }
    }

    /// The same with another grant of the user.
    pub(super) fn with(self, grant_key: GrantKey) -> Self {
        Self { grant_key, ..self }
    }

    /// The same for a client that has the account from then on.
    pub(super) fn joining(self) -> Self {
        Self { joins: true, ..self }
    }

    /// The same as a renewal ahead of time of a token that was issued then.
    pub(super) fn ahead(mut self, issued_on: UnixTime, correlation_id: CorrelationId) -> Self {
        self.purpose = self.purpose.ahead();
        self.renews = Some(issued_on);
        self.min_validity = None;
        self.correlation_id = correlation_id;
        self
    }

    /// For nobody: with the application's own scopes.
    pub(super) fn for_nobody(
        stored: &Arc<StoredApplication>,
        user: &User,
        realm: &str,
        used_on: UnixTime,
        correlation_id: CorrelationId,
    ) -> Self {
        let application = &stored.application;
        let scopes = application.default_scopes();
        let purpose = Purpose {
            application: application.name.clone(),
            scopes: scopes_to_send(&application.authority, &scopes)
                .map(|scopes| application.options.without_excluded(scopes)),
            claims: None,
            forced: true,
            client_claims: None,
            extra: String::new(),
            realm: realm.to_owned(),
            binding: TokenBinding::Bearer,
        };
        Self {
            grant_key: application.client().grant_key(&user.home_account_id),
            stored: Arc::clone(stored),
            user: user.clone(),
            partition: partition(application, Some(user), realm, &TokenBinding::Bearer),
            scopes,
            purpose,
            min_validity: None,
            renews: Some(used_on),
            joins: false,
            correlation_id,
        }
    }

    /// What is missing when the grant is gone.
    fn gone(&self) -> DeskError {
        self.interaction(if self.grant_key.is_session() { Interaction::NoSession } else { Interaction::NotSignedIn })
    }

    fn asked(&self) -> Asked {
        let application = &self.stored.application;
        Asked {
            client: application.client(),
            application: application.name.clone(),
            account: Some(self.user.account(&application.client(), &application.name)),
            correlation_id: self.correlation_id,
        }
    }

    fn interaction(&self, why: Interaction) -> DeskError {
        DeskError::InteractionRequired { application: self.stored.application.name.to_string(), why }
    }

    /// The provider refused: who has to act.
    fn refused(&self, provider: Box<ProviderError>, answer_lost: bool) -> DeskError {
        if self.joins {
            return self.gone();
        }
        self.interaction(match (self.grant_key.is_session(), answer_lost) {
            (true, _) => Interaction::OnBehalfOf(provider),
            (false, true) => Interaction::AnswerLost(provider),
            (false, false) => Interaction::Provider(provider),
        })
    }

    /// The sign-in that is needed asks for what is granted already, too: it replaces the grant.
    pub(super) fn no_grant(&self, granted: Option<&ScopeSet>) -> DeskError {
        let granted = granted.map(ScopeSet::without_reserved).unwrap_or_default();
        let scopes: ScopeSet = self.scopes.iter().chain(granted.iter()).cloned().collect();
        self.interaction(Interaction::NoGrant { scopes: scopes.to_string() })
    }
}

impl Desk {
    /// Refreshes, and tells those who follow the token how that ended; of a new token they hear as soon as it is stored.
    pub(super) async fn refresh(self: Arc<Self>, refresh: Refresh, early: Early<Refreshed>) -> Refreshed {
        let outcome = self.refresh_grant(&refresh, &early).await;
        // Whoever has not joined has no account to tell of.
        if outcome.is_err() && !refresh.joins {
            self.tell(&refresh, &outcome);
        }
        outcome
    }

    /// Tells readers of an account's tokens; nobody follows those of a session.
    fn tell(&self, refresh: &Refresh, outcome: &Refreshed) {
        if !refresh.grant_key.is_session() {
            self.publish_outcome(refresh.asked(), outcome);
        }
    }

    async fn refresh_grant(self: &Arc<Self>, refresh: &Refresh, early: &Early<Refreshed>) -> Refreshed {
        for _ in 0..LOOKS {
            match self.attempt(refresh, early).await {
                Ok(found) => return Ok(found),
                Err(Setback::Final(error)) => return Err(error),
                Err(Setback::Moved) => {
                    tracing::info!(
                        "the grant was replaced or removed during its refresh; looking at what is there now"
                    );
                }
            }
        }
        Err(refresh.gone())
    }

    /// One refresh with the grant as it is now.
    async fn attempt(
        self: &Arc<Self>,
        refresh: &Refresh,
        early: &Early<Refreshed>,
    ) -> Result<(CachedToken, TokenSource), Setback> {
        if let Some(token) = self.already_there(refresh)? {
            return Ok((token, TokenSource::Cache));
        }
        let (stamp, grant) = self.usable_grant(refresh)?;
        let application = &refresh.stored.application;
        let metadata = self.unless_stopped(self.metadata(&application.authority, refresh.correlation_id)).await;
        let metadata = match metadata {
            Ok(metadata) => metadata,
            Err(error) => return Err(self.not_asked(refresh, (stamp, &grant), error).await),
        };
        // A store that cannot be written says so now, before the provider spends the refresh token; so does a grant that is
        // not the current one any more.
        if self.vault.set_grant_state(&refresh.grant_key, stamp, grant.state.clone()).await? == Saved::Discarded {
            return Err(Setback::Moved);
        }
        let credential = self.unless_stopped(self.presented(application, &metadata, refresh.correlation_id)).await;
        let credential = match credential {
            Ok(credential) => credential,
            Err(error) => return Err(self.not_asked(refresh, (stamp, &grant), error).await),
        };
        // To get a credential may have taken long, and the account may have signed out meanwhile: its token is not sent then.
        if !self.is_current(refresh, stamp)? {
            return Err(Setback::Moved);
        }
        let client = ClientContext::of(application, &metadata, &credential);
        match self.exchange(refresh, client, (stamp, &grant)).await {
            Ok(response) => {
                let kept = self.keep(refresh, (stamp, &grant), &response, early).await?;
                // Nobody who wants the access token alone waits for the check of the ID token that came with it.
                early.saved(Ok((kept.clone(), TokenSource::IdentityProvider)));
                let kept = self.keep_identity(refresh, client, &response, kept).await;
                Ok((kept, TokenSource::IdentityProvider))
            }
            Err(failed) => Err(self.judge(refresh, (stamp, &grant), failed).await),
        }
    }

    /// Asks the provider, and once more when its answer is lost on the way: it may have rotated the refresh token, and most
    /// providers give the successor out again for a moment. Not while the daemon stops, which would cut the second one short.
    async fn exchange(
        self: &Arc<Self>,
        refresh: &Refresh,
        client: ClientContext<'_>,
        (stamp, grant): (GrantStamp, &Grant),
    ) -> Result<TokenResponse, Failed> {
        let Purpose { scopes, binding, .. } = &refresh.purpose;
        let claims = refresh.purpose.claims_to_send(&refresh.stored.application);
        let id = refresh.correlation_id;
        let token = &grant.refresh_token;
        let cause = match refresh.renews {
            Some(_) => Cause::Aging,
            None => self.cause(&refresh.partition, &refresh.scopes, &refresh.purpose).unwrap_or(Cause::Absent),
        };
        let request = |client| {
            let parameters = TokenParameters { scopes: scopes.as_ref(), claims: claims.as_ref(), binding };
            let mut request = refresh_token::request(client, token, parameters, id);
            telemetry::explain(&mut request, cause, Some(&refresh.user.home_account_id));
            request
        };
        let requested = Requested { scopes: &grant.scopes, binding };
        let lost_before = grant.state.answer_lost();
        match self.provider.tokens(request(client), requested).await {
            Err(TokenError::Lost(what)) if !self.tasks.stop.is_cancelled() => {
                tracing::warn!(what, "the provider's answer was lost on the way; asking once more");
                // A client assertion is good for one request.
                let presented = self.presented(&refresh.stored.application, client.metadata, id).await;
                let Some(credential) = presented.ok().filter(|_| self.is_current(refresh, stamp).unwrap_or_default())
                else {
                    return Err(Failed { error: TokenError::Lost(what), answer_lost: true });
                };
                let client = ClientContext { credential: &credential, ..client };
                let again = self.provider.tokens(request(client), requested).await;
                again.map_err(|error| Failed { error, answer_lost: true })
            }
            outcome => outcome.map_err(|error| {
                let answer_lost = lost_before || matches!(error, TokenError::Lost(_));
                Failed { error, answer_lost }
            }),
        }
    }

    /// Whether the grant is still the one of this stamp.
    fn is_current(&self, refresh: &Refresh, stamp: GrantStamp) -> Result<bool, DeskError> {
        Ok(self.vault.find_grant(&refresh.grant_key)?.is_some_and(|(current, _)| current == stamp))
    }

    /// A token that another flight brought between this caller's look into the cache and its boarding.
    fn already_there(&self, refresh: &Refresh) -> Result<Option<CachedToken>, DeskError> {
        if refresh.renews.is_none() && !refresh.purpose.may_use_cache() {
            return Ok(None);
        }
        let now = self.clock.now();
        let accept = |token: &CachedToken| {
            refresh.renews.is_none_or(|old| token.issued_on > old) && is_fresh(token, refresh.min_validity, now)
        };
        Ok(self.vault.find_token(&refresh.partition, &refresh.scopes, &accept)?)
    }

    /// Whether the client has the account.
    fn is_signed_in(&self, refresh: &Refresh) -> Result<bool, DeskError> {
        let client = refresh.stored.application.client();
        Ok(!self.vault.find_users(&client, Some(&refresh.user.home_account_id))?.is_empty())
    }

    /// The grant as it is now, if it can bring these scopes and may be used now. A family's outlives a sign-out of one client.
    pub(super) fn usable_grant(&self, refresh: &Refresh) -> Result<(GrantStamp, Grant), DeskError> {
        let found = self.vault.find_grant(&refresh.grant_key)?;
        if refresh.grant_key.holder.family().is_some() && !refresh.joins && !self.is_signed_in(refresh)? {
            return Err(refresh.gone());
        }
        let Some((stamp, grant)) = found else {
            let signed_in = !refresh.grant_key.is_session() && self.is_signed_in(refresh)?;
            return Err(if signed_in { refresh.no_grant(None) } else { refresh.gone() });
        };
        if let GrantState::Refused { error, answer_lost, .. } = &grant.state {
            let provider = Box::new(ProviderError { error: error.clone(), ..ProviderError::default() });
            return Err(refresh.refused(provider, *answer_lost));
        }
        if refresh.purpose.scopes.is_none() && !refresh.scopes.is_covered_by(&grant.scopes) {
            return Err(refresh.no_grant(Some(&grant.scopes)));
        }
        // Who insists on a new token need not wait for a network that was away; what the provider asked for holds for all.
        let insists = !refresh.purpose.may_use_cache() && refresh.renews.is_none();
        let now = self.clock.now();
        match grant.state.backoff(now).filter(|backoff| !(insists && backoff.unsent)) {
            Some(backoff) => Err(setback::backing_off(&grant, backoff.left(now).unwrap_or_default())),
            None => Ok((stamp, grant)),
        }
    }
}
