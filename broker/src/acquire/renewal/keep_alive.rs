//! Keeping grants alive whose application asks for it: providers forget a refresh token that nobody uses for some time. A grant
//! that was not used for as long as the application says is used once, for nobody.

use std::{sync::Arc, time::Duration};

use token_broker_proto::oauth::UnixTime;
use tokio::task;

use super::{Desk, Outcome, Refresh, outcome_of};
use crate::{
    acquire::{
        FlightKey,
        flight::{Boarding, Report},
    },
    model::{AppMetadata, DeskError, Grant, GrantKey, GrantState},
    store::{GrantEntry, StoreError, StoredApplication},
};

/// Grants read at once, so that the store is free for others in between.
const PAGE: usize = 100;
/// How long a grant is left alone after a refresh of it failed.
const AFTER_FAILURE: Duration = Duration::from_secs(3600);

impl Desk {
    /// Looks in a task of its own, unless the last look is still busy.
    pub(super) fn begin_keep_alive(self: &Arc<Self>) {
        let Ok(turn) = Arc::clone(&self.keep_alive).try_acquire_owned() else { return };
        let desk = Arc::clone(self);
        self.tasks.tracker.spawn(async move {
            if let Err(error) = desk.keep_alive().await {
                tracing::warn!(%error, "grants could not be looked through for those to keep alive");
            }
            drop(turn);
        });
    }

    async fn keep_alive(self: &Arc<Self>) -> Result<(), DeskError> {
        for stored in self.vault.applications()? {
            let Some(longest) = stored.application.keep_alive else { continue };
            let (stored, client) = (Arc::new(stored.clone()), stored.application.client());
            let mut after = 0;
            loop {
                let page = self.vault.grants_page(Some(&client), after, PAGE)?;
                let Some(last) = page.last() else { break };
                after = last.stamp.row;
                for GrantEntry { key, grant, .. } in &page {
                    self.use_if_due(&stored, longest, (key, grant)).await?;
                }
                task::yield_now().await;
            }
            self.keep_family_alive(&stored, longest).await?;
        }
        Ok(())
    }

    /// A family's grants are in no client's list. Each is used once, whichever of the clients comes first.
    async fn keep_family_alive(
        self: &Arc<Self>,
        stored: &Arc<StoredApplication>,
        longest: Duration,
    ) -> Result<(), DeskError> {
        let client = stored.application.client();
        let Some(AppMetadata { family: Some(family) }) = self.vault.find_app_metadata(&client)? else { return Ok(()) };
        for user in self.vault.users(&client, usize::MAX)? {
            let key = client.family_grant_key(&family, &user.home_account_id);
            match self.vault.find_grant(&key) {
                Ok(Some((_, grant))) => self.use_if_due(stored, longest, (&key, &grant)).await?,
                Ok(None) => {}
                Err(StoreError::Corrupt(row)) => tracing::warn!(row, "a damaged grant is not kept alive"),
                Err(fault) => return Err(fault.into()),
            }
        }
        Ok(())
    }

    async fn use_if_due(
        self: &Arc<Self>,
        stored: &Arc<StoredApplication>,
        longest: Duration,
        (key, grant): (&GrantKey, &Grant),
    ) -> Result<(), DeskError> {
        if self.tasks.stop.is_cancelled() || !is_due(grant, longest, self.clock.now()) {
            return Ok(());
        }
        self.use_once(stored, key, grant.last_used_on).await
    }

    /// One after the other: there is no hurry.
    async fn use_once(
        self: &Arc<Self>,
        stored: &Arc<StoredApplication>,
        key: &GrantKey,
        used_on: UnixTime,
    ) -> Result<(), DeskError> {
        let client = stored.application.client();
        let users = self.vault.find_users(&client, Some(&key.home_account_id))?;
        let Some(user) = users.first() else { return Ok(()) };
        let realm = self.kept_realm(&stored.application.authority)?;
        let refresh = Refresh::for_nobody(stored, user, &realm, used_on, self.new_correlation_id()).with(key.clone());
        let (key, purpose) = (FlightKey::Grant(refresh.grant_key.clone()), refresh.purpose.clone());
        let flight = |early| self.refresh_flight(refresh, early);
        let outcome = match self.flights.board(&self.tasks.tracker, key, purpose, flight) {
            Boarding::Aboard(landing) => match landing.end().await {
                Some(Report::Early(outcome) | Report::Saved(outcome) | Report::Landed(outcome)) => outcome_of(&outcome),
                None => Outcome::GivenUp,
            },
            Boarding::Occupied(_) => Outcome::Occupied,
        };
        tracing::info!(?outcome, "a grant that nobody used is kept alive");
        Ok(())
    }
}

/// Whether nobody used it for so long, and it works as far as is known.
fn is_due(grant: &Grant, longest: Duration, now: UnixTime) -> bool {
    let failed_lately = grant.last_failure.as_ref().is_some_and(|failure| failure.on.plus(AFTER_FAILURE) > now);
    !matches!(grant.state, GrantState::Refused { .. }) && !failed_lately && grant.last_used_on.plus(longest) <= now
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use token_broker_proto::{
        Reason, Secret,
        oauth::{ScopeSet, UnixTime},
    };

    use super::is_due;
    use crate::model::{Grant, GrantState, RefreshFailure, RefreshToken};

    const DAY: i64 = 86_400;

    fn due(grant: &Grant, now: i64) -> bool {
        is_due(grant, Duration::from_secs(30 * 86_400), UnixTime::from_seconds(now))
    }

    #[test]
    fn what_nobody_used_for_so_long_and_what_is_alive() {
        let token = RefreshToken::new(Secret::new("rt"));
        let grant = Grant::issued(token, ScopeSet::openid(), UnixTime::from_seconds(0));
        assert_eq!((due(&grant, 30 * DAY - 1), due(&grant, 30 * DAY)), (false, true));
        let failure = RefreshFailure {
            on: UnixTime::from_seconds(30 * DAY),
            reason: Reason::AuthorityRefused,
            message: String::new(),
            error: None,
            correlation_id: String::new(),
        };
        let failed = Grant { last_failure: Some(failure), ..grant.clone() };
        assert_eq!((due(&failed, 30 * DAY + 3599), due(&failed, 30 * DAY + 3600)), (false, true));
        let since = UnixTime::from_seconds(0);
        let state = GrantState::Refused { since, error: "invalid_grant".into(), answer_lost: false };
        assert!(!due(&Grant { state, ..grant }, 99 * DAY), "a dead grant is left in peace");
    }
}
