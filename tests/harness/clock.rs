//! A clock that stands still until a test moves it. Timers complete when the time passes them, and a test can wait until a
//! timer is set before it moves on, so that nothing depends on how fast the machine is.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use token_broker::ports::Clock;
use token_broker_proto::oauth::UnixTime;
use tokio::sync::watch;

/// A clock in the hands of a test; clones show the same time.
#[derive(Debug, Clone)]
pub struct ManualClock {
    origin: Instant,
    time: Arc<watch::Sender<Time>>,
    timers: Arc<Timers>,
}

/// Both times, as they stand.
#[derive(Debug, Clone, Copy)]
struct Time {
    /// Since the epoch.
    wall: Duration,
    /// Since the clock was made.
    monotonic: Duration,
}

/// The timers that somebody waits for: their deadlines, by a running number.
#[derive(Debug)]
struct Timers {
    waiting: Mutex<(u64, BTreeMap<u64, Duration>)>,
    count: watch::Sender<usize>,
}

impl ManualClock {
    /// A clock that shows this many Unix seconds.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "an `Instant` has no other origin; only differences to it are used")]
    pub fn at(seconds: u64) -> Self {
        let time = Time { wall: Duration::from_secs(seconds), monotonic: Duration::ZERO };
        Self {
            origin: Instant::now(),
            time: Arc::new(watch::Sender::new(time)),
            timers: Arc::new(Timers { waiting: Mutex::default(), count: watch::Sender::new(0) }),
        }
    }

    /// A clock that shows the real time of its making: for peers whose own clock is real.
    #[must_use]
    pub fn now_and_still() -> Self {
        let now = token_broker::ports::clock::SystemClock.now();
        Self::at(u64::try_from(now.seconds()).expect("the machine's clock is after 1970"))
    }

    /// Lets this much time pass; timers that it passes complete.
    pub fn advance(&self, by: Duration) {
        self.time.send_modify(|time| {
            time.wall += by;
            time.monotonic += by;
        });
        self.timers.pass(self.time.borrow().monotonic);
    }

    /// The machine sleeps for this long: wall time passes, monotonic time and the timers stand still.
    pub fn suspend(&self, by: Duration) {
        self.time.send_modify(|time| time.wall += by);
    }

    /// Somebody sets the wall clock, forwards or backwards; timers do not notice.
    pub fn set(&self, seconds: u64) {
        self.time.send_modify(|time| time.wall = Duration::from_secs(seconds));
    }

    /// Resolves once at least this many timers are being waited for.
    pub async fn timers_set(&self, count: usize) {
        self.timers.count.subscribe().wait_for(|waiting| *waiting >= count).await.expect("the clock is alive");
    }

    /// Waits until a timer is set, then lets exactly as much time pass as the nearest one needs; returns how much.
    pub async fn advance_to_next_timer(&self) -> Duration {
        self.timers_set(1).await;
        let nearest = self.timers.waiting.lock().unwrap().1.values().min().copied();
        let step = nearest.unwrap_or_default().saturating_sub(self.time.borrow().monotonic);
        self.advance(step);
        step
    }
}

impl Clock for ManualClock {
    fn now(&self) -> UnixTime {
        UnixTime::from_seconds(i64::try_from(self.time.borrow().wall.as_secs()).unwrap_or(i64::MAX))
    }

    fn monotonic(&self) -> Instant {
        self.origin + self.time.borrow().monotonic
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let mut time = self.time.subscribe();
        let deadline = self.time.borrow().monotonic.saturating_add(duration);
        let timers = Arc::clone(&self.timers);
        Box::pin(async move {
            let _waiting = Waiting::enter(timers, deadline);
            // An error means that the clock is gone: nobody can advance it any more.
            if time.wait_for(|time| time.monotonic >= deadline).await.is_err() {
                std::future::pending::<()>().await;
            }
        })
    }
}

impl Timers {
    /// Those that this time has passed are no longer waited for, even before their task has run.
    fn pass(&self, monotonic: Duration) {
        let mut waiting = self.waiting.lock().unwrap();
        waiting.1.retain(|_, deadline| *deadline > monotonic);
        self.count.send_replace(waiting.1.len());
    }
}

/// Somebody waits for a timer; leaves the list when the wait ends, however it ends.
struct Waiting {
    timers: Arc<Timers>,
    number: u64,
}

impl Waiting {
    fn enter(timers: Arc<Timers>, deadline: Duration) -> Self {
        let number = {
            let mut waiting = timers.waiting.lock().unwrap();
            waiting.0 += 1;
            let number = waiting.0;
            waiting.1.insert(number, deadline);
            timers.count.send_replace(waiting.1.len());
            number
        };
        Self { timers, number }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut waiting = self.timers.waiting.lock().unwrap();
        waiting.1.remove(&self.number);
        self.timers.count.send_replace(waiting.1.len());
    }
}
