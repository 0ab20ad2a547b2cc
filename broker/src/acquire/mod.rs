//! The desk for tokens and sign-in: silent (cache, then refresh), app-only, browser, device code, sign-out. It decides and
//! orders; the protocols are in `flow`, the exchange with the provider in `provider`, what is kept in `store`.
//!
//! A new grant is in the store, durably, before anybody sees the token that came with it.

mod client_credentials;
mod flight;
mod found;
mod metadata;
mod realm;
mod refresh_token;
mod sign_in;
mod sign_out;
mod silent;

use std::{sync::Arc, time::Duration};

use token_broker_proto::oauth::CorrelationId;
use tokio::sync::Semaphore;
use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};

use crate::{
    model::DeskError,
    ports::{Clock, Entropy, Http, entropy},
    provider::Provider,
    store::Vault,
};

pub use sign_in::SignInEvents;

use flight::{FlightKey, Flights, Purpose};

/// Most sign-ins that may wait for their user at once.
const MAX_SIGN_INS: usize = 16;
/// How long a browser sign-in waits for its user unless the request says otherwise.
const SIGN_IN_TIMEOUT: Duration = Duration::from_secs(300);

/// The desk.
pub struct Desk {
    vault: Vault,
    provider: Provider,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    tasks: Tasks,
    flights: Flights<FlightKey, Purpose, silent::Refreshed>,
    sign_ins: Arc<Semaphore>,
}

/// What `daemon` lends the desk of the outside world.
pub struct Outside {
    /// HTTP to providers.
    pub http: Arc<dyn Http>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
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
    pub fn new(vault: Vault, outside: Outside, tasks: Tasks) -> Arc<Self> {
        Arc::new(Self {
            vault,
            provider: Provider::new(outside.http, Arc::clone(&outside.clock)),
            clock: outside.clock,
            entropy: outside.entropy,
            tasks,
            flights: Flights::default(),
            sign_ins: Arc::new(Semaphore::new(MAX_SIGN_INS)),
        })
    }

    /// The name of a call that came without one.
    #[must_use]
    pub fn new_correlation_id(&self) -> CorrelationId {
        entropy::correlation_id(&*self.entropy)
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
