//! The desk for tokens and sign-in: silent (cache, then refresh), app-only, on behalf of a user, bound to a key, browser, device
//! code, sign-out. It decides and orders; the protocols are in `flow`, the exchange with the provider in `provider`, what is kept
//! in `store`.
//!
//! A new grant is in the store, durably, before anybody sees the token that came with it.

mod client_assertion;
mod client_credentials;
mod extras;
mod flight;
mod found;
mod managed_identity;
mod metadata;
mod microsoft;
mod on_behalf_of;
mod refresh_token;
mod renewal;
mod sign_in;
mod sign_out;
mod signed_http_request;
mod silent;
mod watch;

use std::{sync::Arc, time::Duration};

use token_broker_proto::oauth::CorrelationId;
use tokio::sync::Semaphore;
use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};

use crate::{
    access::{Full, Limits, Place, Tally},
    metrics::{Metrics, One},
    model::{ApplicationStamp, DeskError},
    ports::{Clock, Entropy, Http, Machine, entropy},
    provider::Provider,
    store::Vault,
};

pub use sign_in::SignInEvents;
use sign_in::{MOST_PENDING, WebSignIns};
pub use watch::{EventWatch, Followed, TokenWatch};

use flight::{FlightKey, Flights, Purpose};
use renewal::{InUse, Pauses};
use signed_http_request::PopKeys;

/// Most sign-ins that may wait for their user at once.
const MAX_SIGN_INS: usize = 16;
/// The name of that limit.
const SIGN_INS: &str = "sign_ins";
/// The name of the limit on sign-ins of one web application.
const WEB_SIGN_INS: &str = "web_sign_ins";
/// How long a browser sign-in waits for its user unless the request says otherwise.
const SIGN_IN_TIMEOUT: Duration = Duration::from_secs(300);

/// The desk.
pub struct Desk {
    vault: Vault,
    provider: Provider,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    machine: Arc<dyn Machine>,
    whereabouts: microsoft::Whereabouts,
    tasks: Tasks,
    flights: Flights<FlightKey, Purpose, silent::Refreshed>,
    /// For requests of an application's own tokens.
    pauses: Pauses<(ApplicationStamp, FlightKey)>,
    /// What is renewed ahead of time.
    in_use: InUse<renewal::Renewal>,
    renewals: Semaphore,
    /// Whose turn it is to look for grants to keep alive.
    keep_alive: Arc<Semaphore>,
    sign_ins: Arc<Semaphore>,
    feed: watch::Feed,
    /// Callers that wait for a flight.
    waiting: Tally<FlightKey>,
    metrics: Arc<Metrics>,
    web_sign_ins: WebSignIns,
    assertions: client_assertion::Kept,
    pop_keys: PopKeys,
}

/// What `daemon` lends the desk of the outside world.
pub struct Outside {
    /// HTTP to providers.
    pub http: Arc<dyn Http>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The machine's environment, where managed identities are found.
    pub machine: Arc<dyn Machine>,
}

/// Who owns the desk's tasks.
#[derive(Clone, Debug)]
pub struct Tasks {
    /// Waits for every task at shutdown.
    pub tracker: TaskTracker,
    /// Asks those that wait for people to end.
    pub stop: CancellationToken,
}

impl Desk {
    /// Opens the desk.
    #[must_use]
    pub fn new(vault: Vault, outside: Outside, tasks: Tasks, limits: &Limits, metrics: Arc<Metrics>) -> Arc<Self> {
        metrics.limits.set(SIGN_INS, MAX_SIGN_INS);
        metrics.limits.set(WEB_SIGN_INS, MOST_PENDING);
        Arc::new(Self {
            vault,
            provider: Provider::new(outside.http, Arc::clone(&outside.clock)),
            clock: outside.clock,
            entropy: outside.entropy,
            machine: outside.machine,
            whereabouts: microsoft::Whereabouts::default(),
            tasks,
            flights: Flights::default(),
            pauses: Pauses::default(),
            in_use: InUse::default(),
            renewals: renewal::seats(),
            keep_alive: Arc::new(Semaphore::new(1)),
            sign_ins: Arc::new(Semaphore::new(MAX_SIGN_INS)),
            feed: watch::Feed::default(),
            waiting: Tally::new(limits.waiting_calls, limits.waiting_calls_per_answer()),
            metrics,
            web_sign_ins: WebSignIns::default(),
            assertions: client_assertion::Kept::default(),
            pop_keys: PopKeys::default(),
        })
    }

    /// The name of a call that came without one.
    #[must_use]
    pub fn new_correlation_id(&self) -> CorrelationId {
        entropy::correlation_id(&*self.entropy)
    }

    /// What is counted.
    #[must_use]
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// A place among those who wait for this flight, until it is dropped.
    fn wait_for(&self, key: &FlightKey) -> Result<(Place<FlightKey>, One), DeskError> {
        let refuse = |full| {
            let (name, words, most) = match full {
                Full::ForAll => ("waiting_calls", "calls that wait for a provider", self.waiting.most()),
                Full::ForOne => {
                    ("waiting_calls_per_answer", "calls that wait for one answer", self.waiting.most_of_one())
                }
            };
            self.metrics.limits.met(name);
            DeskError::LimitExceeded(format!("{words}: {most} ([limits] waiting_calls)"))
        };
        let place = self.waiting.enter(Some(key.clone())).map_err(refuse)?;
        Ok((place, self.metrics.limits.waiting_calls.one()))
    }

    /// Counts a call that is being answered until it is dropped, so that a stop waits for it.
    pub fn running(&self) -> TaskTrackerToken {
        self.tasks.tracker.token()
    }

    /// The outcome, or `Cancelled` when the daemon is asked to stop first. For what may be left undone.
    async fn unless_stopped<T>(&self, work: impl Future<Output = Result<T, DeskError>>) -> Result<T, DeskError> {
        tokio::select! {
            biased;
            outcome = work => outcome,
            () = self.tasks.stop.cancelled() => Err(DeskError::Cancelled),
        }
    }

    fn correlation_id(&self, given: Option<CorrelationId>) -> CorrelationId {
        given.unwrap_or_else(|| self.new_correlation_id())
    }
}
