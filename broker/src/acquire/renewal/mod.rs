//! Renewal ahead of time, in the background: tokens in use are renewed before anybody has to wait for them, grants that their
//! owner wants kept alive before the provider forgets them; what nobody uses is left alone. One task owns the due times. A
//! failure is nobody's answer: the token that is there serves on.

mod due;
mod in_use;
mod keep_alive;
mod pauses;
mod status;

use std::{sync::Arc, time::Duration};

use tokio::sync::Semaphore;

use self::in_use::{Outcome, Taken};
use super::{
    Desk, FlightKey,
    client_credentials::AppOnly,
    flight::{Boarding, Landing, Report},
    microsoft::in_tenant,
    refresh_token::Refresh,
    silent::{Refreshed, Wanted},
};
use crate::{
    model::{CachedToken, DeskError, RegisteredApplication, TokenPartition},
    ports::entropy,
    store::StoredApplication,
};

pub(super) use in_use::{InUse, Moment};
pub(super) use pauses::Pauses;

/// Longest sleep without a look at the wall while something is due: timers stand still in suspend.
const LOOK: Duration = Duration::from_secs(60);
/// How often grants are looked for that are to be kept alive.
const KEEP_ALIVE_ROUND: Duration = Duration::from_secs(600);
/// Most renewals at once, so that a laptop that wakes up does not ask for everything in one breath.
const MOST_AT_ONCE: usize = 4;

/// What it takes to renew a token.
#[derive(Clone)]
pub(super) enum Renewal {
    /// By the user's grant.
    User(Arc<Refresh>),
    /// By the application itself.
    Application(Arc<AppOnly>),
}

impl Renewal {
    /// Name of the application that the token was used by.
    pub(super) fn application(&self) -> &str {
        let stored = match self {
            Self::User(refresh) => &refresh.stored,
            Self::Application(app_only) => &app_only.stored,
        };
        stored.application.name.as_str()
    }
}

/// The seats for renewals that run.
pub(super) fn seats() -> Semaphore {
    Semaphore::new(MOST_AT_ONCE)
}

impl Desk {
    /// Renews what is due until the daemon stops. Wakes at the next due time and at least once a minute before it.
    pub async fn keep_renewed(self: Arc<Self>) {
        let mut kept_alive = None;
        loop {
            let now = self.moment();
            for taken in self.in_use.take_due(now) {
                self.renew(taken);
            }
            if kept_alive.is_none_or(|at| now.monotonic.saturating_duration_since(at) >= KEEP_ALIVE_ROUND) {
                kept_alive = Some(now.monotonic);
                self.begin_keep_alive();
            }
            let nap = self.in_use.next(now).map_or(KEEP_ALIVE_ROUND, |next| next.clamp(Duration::from_secs(1), LOOK));
            tokio::select! {
                biased;
                () = self.tasks.stop.cancelled() => return,
                () = self.in_use.changed() => {}
                () = self.clock.sleep(nap) => {}
            }
        }
    }

    /// Notes that somebody was answered with a token, so that it is renewed in time. One that was asked for with claims is not
    /// renewed without them.
    pub(super) fn note_use(
        &self,
        wanted: &Wanted,
        partition: &TokenPartition,
        token: &CachedToken,
        renewal: impl FnOnce() -> Renewal,
    ) {
        if wanted.purpose.claims.is_none() {
            self.in_use.mark(partition, token, || (self.moment(), entropy::byte(&*self.entropy)), renewal);
        }
    }

    pub(super) fn moment(&self) -> Moment {
        Moment { wall: self.clock.now(), monotonic: self.clock.monotonic() }
    }

    /// In a task of its own, when it is its turn.
    fn renew(self: &Arc<Self>, taken: Taken<Renewal>) {
        let desk = Arc::clone(self);
        self.tasks.tracker.spawn(async move {
            let seat = tokio::select! {
                biased;
                () = desk.tasks.stop.cancelled() => return,
                seat = desk.renewals.acquire() => seat,
            };
            let outcome = desk.renewed(&taken).await;
            drop(seat);
            tracing::debug!(?outcome, "a renewal ahead of time ended");
            desk.in_use.done(&taken, desk.moment(), outcome);
        });
    }

    async fn renewed(self: &Arc<Self>, taken: &Taken<Renewal>) -> Outcome {
        for _ in 0..2 {
            if !self.is_there(taken) {
                return Outcome::GivenUp;
            }
            let boarding = match self.board_renewal(taken) {
                Ok(boarding) => boarding,
                Err(error) => return outcome_of(&Err(error)),
            };
            match boarding {
                // What it brings may do, and is found when this one is aboard.
                Boarding::Occupied(landing) => drop(landing.end().await),
                Boarding::Aboard(landing) => return landed(taken, landing).await,
            }
        }
        Outcome::Occupied
    }

    /// Whether the cache still has the token, or one after it: what was removed from it nobody wants renewed.
    fn is_there(&self, taken: &Taken<Renewal>) -> bool {
        let accept = |token: &CachedToken| token.issued_on >= taken.issued_on;
        let found = self.vault.find_token(&taken.partition, &taken.scopes, &accept);
        // How the store fails is for the renewal itself to find out.
        !matches!(found, Ok(None))
    }

    fn board_renewal(self: &Arc<Self>, taken: &Taken<Renewal>) -> Result<Boarding<Refreshed>, DeskError> {
        let (id, tracker) = (self.new_correlation_id(), &self.tasks.tracker);
        match &taken.renewal {
            Renewal::User(refresh) => {
                let mut refresh = Refresh::clone(refresh).ahead(taken.issued_on, id);
                refresh.stored = self.registered_now(&refresh.stored)?;
                let (key, purpose) = (FlightKey::Grant(refresh.grant_key.clone()), refresh.purpose.clone());
                Ok(self.flights.board(tracker, key, purpose, |early| self.refresh_flight(refresh, early)))
            }
            Renewal::Application(app_only) => {
                let mut app_only = AppOnly::clone(app_only).ahead(taken.issued_on, id);
                app_only.stored = self.registered_now(&app_only.stored)?;
                let (key, purpose) = (app_only.key(), app_only.purpose.clone());
                Ok(self.flights.board(tracker, key, purpose, |_| self.app_only_flight(app_only)))
            }
        }
    }

    /// The registration as it is now, since its credential may have changed since the token was used, in the tenant that the token
    /// is of. A name that stands for another client by now is not it: a grant goes to its own provider alone.
    fn registered_now(&self, used: &StoredApplication) -> Result<Arc<StoredApplication>, DeskError> {
        let RegisteredApplication { name, authority, options, .. } = &used.application;
        let now = self.find_application_named(name)?;
        // What it adds to its requests sets tokens apart: with other additions it is another token.
        let same_additions = now.application.options.added() == options.added();
        if !same_additions || now.application.client() != used.application.client() {
            return Err(DeskError::ApplicationNotFound(name.to_string()));
        }
        let tenant = Some(authority.tenant()).filter(|tenant| *tenant != now.application.authority.tenant());
        in_tenant(now, tenant.as_deref())
    }
}

/// What came of the flight that this renewal is aboard of.
async fn landed(taken: &Taken<Renewal>, landing: Landing<Refreshed>) -> Outcome {
    match landing.end().await {
        // The last flight was about to land, and this one got a seat in it.
        Some(Report::Landed(Ok((found, _)))) if found.issued_on <= taken.issued_on => Outcome::Occupied,
        // Its registration was replaced meanwhile, or removed: the next look tells.
        Some(Report::Landed(Err(DeskError::ApplicationNotFound(_)))) => Outcome::Occupied,
        Some(Report::Early(outcome) | Report::Saved(outcome) | Report::Landed(outcome)) => outcome_of(&outcome),
        None => Outcome::GivenUp,
    }
}

/// What can be retried is; what needs a person is left to the next call, which says so.
fn outcome_of(refreshed: &Refreshed) -> Outcome {
    match refreshed {
        Ok(_) => Outcome::Renewed,
        Err(DeskError::AuthorityUnavailable { retry_after, .. }) => Outcome::Later(retry_after.unwrap_or_default()),
        Err(DeskError::StoreUnavailable(_) | DeskError::Locked(_)) => Outcome::Later(Duration::ZERO),
        Err(_) => Outcome::GivenUp,
    }
}
