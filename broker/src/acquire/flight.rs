//! Single flight: at most one request to the provider per grant, whoever asks. A flight is a task of its own: it outlives its
//! callers, and a caller that leaves cancels only its own wait.

use std::{
    collections::HashMap,
    future::Future,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use token_broker_proto::oauth::{ApplicationName, Claims, ScopeSet};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use crate::model::{GrantKey, RegisteredApplication, TokenBinding, TokenPartition};

/// What may be in flight only once.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum FlightKey {
    /// A refresh of this grant: two at once would break refresh token rotation.
    Grant(GrantKey),
    /// A client credentials request for these scopes.
    Application(TokenPartition, ScopeSet),
    /// The same with a user assertion, which the partition stands for.
    Assertion(TokenPartition, ScopeSet),
}

/// What a flight was started for; only a caller who wants just this may share its result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Purpose {
    /// The name that asks: another name of the same client may have another credential.
    pub application: ApplicationName,
    /// Scopes that are sent, if any are.
    pub scopes: Option<ScopeSet>,
    /// Claims that are sent, if any are.
    pub claims: Option<Claims>,
    /// Whether a fresh token in the cache would not do.
    pub forced: bool,
    /// Claims that are sent along and do not bypass the cache.
    pub client_claims: Option<Claims>,
    /// What sets the tokens apart: `TokenPartition::extra`.
    pub extra: String,
    /// The tenant that the token is of; empty where there are none.
    pub realm: String,
    /// What the token is bound to.
    pub binding: TokenBinding,
}

impl Purpose {
    /// Whether a cached token may answer at all.
    pub(super) fn may_use_cache(&self) -> bool {
        !self.forced && self.claims.is_none()
    }

    /// The claims of its requests: those asked for, with the application's capabilities and what goes along.
    pub(super) fn claims_to_send(&self, application: &RegisteredApplication) -> Option<Claims> {
        Claims::merged(application.claims(self.claims.as_ref()), self.client_claims.as_ref())
    }

    /// The same, to renew a token that is still good.
    pub(super) fn ahead(self) -> Self {
        Self { claims: None, forced: true, ..self }
    }
}

/// The flights in the air.
pub(super) struct Flights<K, P, T> {
    aloft: Arc<Mutex<HashMap<K, Aloft<P, T>>>>,
}

struct Aloft<P, T> {
    purpose: P,
    result: watch::Receiver<Option<Report<T>>>,
}

/// What is heard of a flight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Report<T> {
    /// The answer to whoever waits, while the flight itself goes on and keeps its place.
    Early(T),
    /// The result, while what is left of the flight goes on and keeps its place. Only who boarded before may have it.
    Saved(T),
    /// The result; the place is free.
    Landed(T),
}

impl<T> Report<T> {
    fn is_saved(&self) -> bool {
        matches!(self, Self::Saved(_))
    }
}

/// Answers the callers of a flight before it ends.
pub(super) struct Early<T>(watch::Sender<Option<Report<T>>>);

impl<T> Early<T> {
    /// From now on this is the answer, until the flight ends.
    pub(super) fn report(&self, answer: T) {
        self.0.send_replace(Some(Report::Early(answer)));
    }

    /// This is the result; what is left concerns nobody who waits for it.
    pub(super) fn saved(&self, result: T) {
        self.0.send_replace(Some(Report::Saved(result)));
    }
}

/// What a caller got.
pub(super) enum Boarding<T> {
    /// A seat in a flight for this very purpose.
    Aboard(Landing<T>),
    /// Another flight of this key is in the air: wait for it and ask again.
    Occupied(Landing<T>),
}

/// Resolves when the flight ends, or reports early.
pub(super) struct Landing<T>(watch::Receiver<Option<Report<T>>>);

impl<T: Clone> Landing<T> {
    /// The report; `None` if the flight's task died.
    pub(super) async fn report(mut self) -> Option<Report<T>> {
        self.0.wait_for(Option::is_some).await.ok().and_then(|result| result.clone())
    }

    /// The last report, after all that the flight does; an early one while it cannot land.
    pub(super) async fn end(mut self) -> Option<Report<T>> {
        let is_last = |result: &Option<Report<T>>| result.as_ref().is_some_and(|report| !report.is_saved());
        self.0.wait_for(is_last).await.ok().and_then(|result| result.clone())
    }
}

impl<K, P, T> Default for Flights<K, P, T> {
    fn default() -> Self {
        Self { aloft: Arc::default() }
    }
}

impl<K, P, T> Flights<K, P, T>
where
    K: Eq + Hash + Clone + Send + 'static,
    P: PartialEq + Send + Sync + 'static,
    T: Clone + Send + Sync + 'static,
{
    /// Joins the flight of this key, or starts one as a task of the tracker.
    pub(super) fn board<F>(
        &self,
        tasks: &TaskTracker,
        key: K,
        purpose: P,
        flight: impl FnOnce(Early<T>) -> F,
    ) -> Boarding<T>
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut aloft = lock(&self.aloft);
        if let Some(other) = aloft.get(&key) {
            let landing = Landing(other.result.clone());
            // Its result is out: who asks only now may ask because of it.
            let is_over = other.result.borrow().as_ref().is_some_and(Report::is_saved);
            let is_ours = other.purpose == purpose && !is_over;
            return if is_ours { Boarding::Aboard(landing) } else { Boarding::Occupied(landing) };
        }
        let (sender, result) = watch::channel(None);
        aloft.insert(key.clone(), Aloft { purpose, result: result.clone() });
        drop(aloft);
        let seat = Seat { aloft: Arc::clone(&self.aloft), key };
        let flight = flight(Early(sender.clone()));
        tasks.spawn(async move {
            let result = flight.await;
            // First off the list, then the news: who hears it and asks again starts a new flight.
            drop(seat);
            sender.send_replace(Some(Report::Landed(result)));
        });
        Boarding::Aboard(Landing(result))
    }
}

/// Takes the flight off the list, even when its task panics or is dropped.
struct Seat<K: Eq + Hash, P, T> {
    aloft: Arc<Mutex<HashMap<K, Aloft<P, T>>>>,
    key: K,
}

impl<K: Eq + Hash, P, T> Drop for Seat<K, P, T> {
    fn drop(&mut self) {
        lock(&self.aloft).remove(&self.key);
    }
}

/// The map is never left half changed, so a poisoned lock is still good.
fn lock<M>(mutex: &Mutex<M>) -> MutexGuard<'_, M> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use tokio::sync::Notify;
    use tokio_util::task::TaskTracker;

    use super::{Boarding, Flights, Landing, Report};

    fn landing<T>(boarding: Boarding<T>) -> (bool, Landing<T>) {
        match boarding {
            Boarding::Aboard(landing) => (true, landing),
            Boarding::Occupied(landing) => (false, landing),
        }
    }

    #[tokio::test]
    async fn one_flight_serves_all_and_outlives_its_first_caller() {
        let (flights, tasks) = (Flights::<u8, u8, u8>::default(), TaskTracker::new());
        let (started, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let board = |purpose| {
            let (started, gate) = (Arc::clone(&started), Arc::clone(&gate));
            flights.board(&tasks, 1, purpose, |_| async move {
                started.fetch_add(1, Ordering::SeqCst);
                gate.notified().await;
                7
            })
        };
        drop(board(0));
        let (aboard, seat) = landing(board(0));
        let (shares, other) = landing(board(9));
        assert!(aboard && !shares);
        gate.notify_one();
        let landed = Some(Report::Landed(7));
        assert_eq!((seat.report().await, other.report().await), (landed.clone(), landed));
        assert_eq!(started.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_flight_that_dies_makes_room() {
        let (flights, tasks) = (Flights::<u8, u8, u8>::default(), TaskTracker::new());
        let (_, dead) = landing(flights.board(&tasks, 1, 0, |_| async { panic!("seeded") }));
        assert_eq!(dead.report().await, None);
        let (aboard, seat) = landing(flights.board(&tasks, 1, 1, |_| async { 3 }));
        assert!(aboard);
        assert_eq!(seat.report().await, Some(Report::Landed(3)));
    }

    #[tokio::test]
    async fn an_early_answer_frees_the_callers_and_not_the_place() {
        let (flights, tasks) = (Flights::<u8, u8, u8>::default(), TaskTracker::new());
        let gate = Arc::new(Notify::new());
        let open = Arc::clone(&gate);
        let (_, first) = landing(flights.board(&tasks, 1, 0, |early| async move {
            early.report(5);
            gate.notified().await;
            7
        }));
        assert_eq!(first.report().await, Some(Report::Early(5)));
        let (aboard, later) = landing(flights.board(&tasks, 1, 0, |_| async { panic!("a second one") }));
        assert!(aboard);
        let (shares, other) = landing(flights.board(&tasks, 1, 9, |_| async { panic!("a second one") }));
        assert!(!shares);
        assert_eq!((later.report().await, other.report().await), (Some(Report::Early(5)), Some(Report::Early(5))));
        open.notify_one();
        tasks.close();
        tasks.wait().await;
        let (_, next) = landing(flights.board(&tasks, 1, 0, |_| async { 8 }));
        assert_eq!(next.report().await, Some(Report::Landed(8)));
    }

    #[tokio::test]
    async fn a_result_that_is_saved_is_for_those_aboard_and_for_nobody_after() {
        let (flights, tasks) = (Flights::<u8, u8, u8>::default(), TaskTracker::new());
        let (gate, open) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (saved, end) = (Arc::clone(&gate), Arc::clone(&open));
        let flight = |early: super::Early<u8>| async move {
            saved.notified().await;
            early.saved(7);
            end.notified().await;
            7
        };
        let (_, first) = landing(flights.board(&tasks, 1, 0, flight));
        let (aboard, patient) = landing(flights.board(&tasks, 1, 0, |_| async { panic!("a second one") }));
        assert!(aboard);
        gate.notify_one();
        assert_eq!(first.report().await, Some(Report::Saved(7)));
        let (aboard, late) = landing(flights.board(&tasks, 1, 0, |_| async { panic!("a second one") }));
        assert!(!aboard, "the place is taken, and the result is not for those who come now");
        open.notify_one();
        assert_eq!((patient.end().await, late.end().await), (Some(Report::Landed(7)), Some(Report::Landed(7))));
    }
}
