//! What a failed refresh means: the user has to sign in, the provider may do better later, or nothing helps but a change of the
//! registration (RFC 6749, section 5.2). It is noted at the grant, so that a dead one is not hammered and a pause outlasts the
//! daemon; never at a newer grant than the one that failed.

use std::time::Duration;

use token_broker_proto::{ProviderError, oauth::Authority};

use super::{Desk, Refresh};
use crate::{
    flow::oauth::TokenError,
    metrics::Outcome,
    model::{AppMetadata, DeskError, Grant, GrantStamp, GrantState, Interaction, RefreshFailure, Wait},
    ports::entropy,
    provider::from_token,
    store::{Saved, StoreError},
};

/// Why an attempt brought no token.
pub(super) enum Setback {
    /// This is the answer.
    Final(DeskError),
    /// The grant was replaced or removed meanwhile: what is there now may serve.
    Moved,
}

impl From<DeskError> for Setback {
    fn from(error: DeskError) -> Self {
        Self::Final(error)
    }
}

impl From<StoreError> for Setback {
    fn from(error: StoreError) -> Self {
        Self::Final(error.into())
    }
}

/// An exchange without tokens.
pub(super) struct Failed {
    pub error: TokenError,
    /// Whether an answer was lost, in this exchange or since the last one that succeeded.
    pub answer_lost: bool,
}

impl Desk {
    /// The refresh was never sent.
    pub(super) async fn not_asked(&self, refresh: &Refresh, held: (GrantStamp, &Grant), error: DeskError) -> Setback {
        let state = match &error {
            DeskError::AuthorityUnavailable { retry_after, .. } => {
                let (answer_lost, unsent) = (held.1.state.answer_lost(), retry_after.is_none());
                self.paused(held.1, Wait { retry_after: *retry_after, answer_lost, unsent, random: 0 })
            }
            DeskError::Cancelled => return Setback::Final(error),
            _ => held.1.state.clone(),
        };
        self.note(refresh, held, state, error).await
    }

    /// What the provider's answer, or the lack of one, means.
    pub(super) async fn judge(&self, refresh: &Refresh, held: (GrantStamp, &Grant), failed: Failed) -> Setback {
        self.metrics.calls.refreshed(Outcome::Failed);
        let asks_for_user = failed.error.needs_interaction();
        let Failed { error, answer_lost } = failed;
        let (state, error) = match error {
            TokenError::Refused(provider) if is_of_another_family(refresh, &provider) => {
                return self.leave_family(refresh).await;
            }
            TokenError::Refused(provider)
                if refresh.joins && !kills_grant(&refresh.stored.application.authority, &provider) =>
            {
                tracing::info!(error = provider.error, "the family's grant does not serve this client");
                return Setback::Final(refresh.gone());
            }
            // `http_400` is all that some servers say of a refresh token which is not good any more.
            TokenError::Refused(provider) if asks_for_user || provider.error == "http_400" => {
                self.refused(refresh, held.1, provider, answer_lost)
            }
            TokenError::Lost(what) => (self.paused(held.1, Wait { answer_lost: true, ..Wait::default() }), lost(&what)),
            TokenError::NotSent(_) => {
                // After a lost answer the first of the two requests did go out.
                let wait = Wait { answer_lost, unsent: !answer_lost, ..Wait::default() };
                (self.paused(held.1, wait), from_token(error))
            }
            TokenError::Unavailable { retry_after, .. } => {
                let wait = Wait { retry_after, answer_lost, ..Wait::default() };
                (self.paused(held.1, wait), from_token(error))
            }
            TokenError::Refused(_) | TokenError::Busy(_) | TokenError::Malformed(_) => {
                (held.1.state.clone(), from_token(error))
            }
        };
        self.note(refresh, held, state, error).await
    }

    /// The client is not of the family any more. That is remembered, and the grant stays as it is for those that are: another
    /// grant of the user may serve, and if there is none, a sign-in is needed.
    async fn leave_family(&self, refresh: &Refresh) -> Setback {
        tracing::info!("the client is not of the family whose grant this is");
        let client = refresh.stored.application.client();
        if let Err(fault) = self.vault.save_app_metadata(&client, AppMetadata { family: None }).await {
            tracing::warn!(%fault, "that a client left its family could not be noted");
        }
        Setback::Final(if refresh.joins { refresh.gone() } else { refresh.no_grant(None) })
    }

    fn refused(
        &self,
        refresh: &Refresh,
        grant: &Grant,
        provider: Box<ProviderError>,
        answer_lost: bool,
    ) -> (GrantState, DeskError) {
        let answer_lost = answer_lost && is_spent(&provider);
        let state = if kills_grant(&refresh.stored.application.authority, &provider) {
            GrantState::Refused { since: self.clock.now(), error: provider.error.clone(), answer_lost }
        } else {
            grant.state.clone()
        };
        (state, refresh.refused(provider, answer_lost))
    }

    fn paused(&self, grant: &Grant, wait: Wait) -> GrantState {
        let wait = Wait { random: entropy::byte(&*self.entropy), ..wait };
        grant.state.clone().failed(self.clock.now(), wait)
    }

    /// Notes the failure at the grant that it is of. A store that fails now does not hide what the provider said.
    async fn note(
        &self,
        refresh: &Refresh,
        (stamp, _): (GrantStamp, &Grant),
        state: GrantState,
        error: DeskError,
    ) -> Setback {
        let now = self.clock.now();
        let error = with_pause(error, state.pause(now));
        let failure = RefreshFailure {
            on: now,
            reason: error.reason(),
            message: error.to_string(),
            error: provider_error(&error).map(|provider| provider.error.clone()),
            correlation_id: refresh.correlation_id.to_string(),
        };
        // The message is for the owner, who finds it at the grant: it may name people, and a log is read by others.
        tracing::info!(reason = failure.reason.as_str(), correlation_id = failure.correlation_id, "the refresh failed");
        match self.vault.note_failure(&refresh.grant_key, stamp, state, failure).await {
            Ok(Saved::Done) => Setback::Final(error),
            Ok(Saved::Discarded) => Setback::Moved,
            Err(fault) => {
                tracing::warn!(%fault, "the failure of a refresh could not be noted");
                Setback::Final(error)
            }
        }
    }
}

/// The answer while a grant backs off.
pub(super) fn backing_off(grant: &Grant, left: Duration) -> DeskError {
    let last = grant.last_failure.as_ref().map(|failure| format!(" (the last refresh failed: {})", failure.message));
    DeskError::AuthorityUnavailable {
        what: format!("the provider is left alone for {} s{}", left.as_secs(), last.unwrap_or_default()),
        retry_after: Some(left),
        provider: None,
    }
}

fn lost(what: &str) -> DeskError {
    DeskError::AuthorityUnavailable {
        what: format!("the provider {what}: its answer was lost on the way, twice"),
        retry_after: None,
        provider: None,
    }
}

/// The caller is told when it is worth to come back.
fn with_pause(error: DeskError, pause: Option<Duration>) -> DeskError {
    match error {
        DeskError::AuthorityUnavailable { what, retry_after, provider } => {
            DeskError::AuthorityUnavailable { what, retry_after: pause.or(retry_after), provider }
        }
        other => other,
    }
}

fn provider_error(error: &DeskError) -> Option<&ProviderError> {
    match error {
        DeskError::AuthorityRefused(provider)
        | DeskError::AuthorityUnavailable { provider: Some(provider), .. }
        | DeskError::InteractionRequired {
            why: Interaction::Provider(provider) | Interaction::AnswerLost(provider) | Interaction::OnBehalfOf(provider),
            ..
        } => Some(provider),
        _ => None,
    }
}

/// Whether this is what Microsoft Entra ID says of a family's grant to a client that is not of the family.
fn is_of_another_family(refresh: &Refresh, provider: &ProviderError) -> bool {
    refresh.grant_key.holder.family().is_some() && provider.suberror.as_deref() == Some("client_mismatch")
}

/// Whether this is what a provider says of a refresh token that was used already.
fn is_spent(provider: &ProviderError) -> bool {
    matches!(provider.error.as_str(), "invalid_grant" | "http_400")
}

/// Whether the refusal is of the grant for good. At Microsoft Entra ID `invalid_grant` may be of one scope or tenant only.
fn kills_grant(authority: &Authority, provider: &ProviderError) -> bool {
    let suberror = provider.suberror.as_deref().unwrap_or_default();
    provider.error == "invalid_grant"
        && match authority {
            Authority::Microsoft(_) => matches!(suberror, "bad_token" | "token_expired"),
            Authority::OpenIdConnect { .. } | Authority::Endpoints(_) | Authority::ManagedIdentity(_) => true,
        }
}
