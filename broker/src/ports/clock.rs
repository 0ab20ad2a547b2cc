//! The clock: wall time, monotonic time for measuring, and timers. A laptop sleeps: expiry is wall time, and whoever waits
//! long wakes at least once a minute and looks again.

use std::{
    future::Future,
    pin::Pin,
    time::{Duration, Instant, SystemTime},
};

use token_broker_proto::oauth::UnixTime;

/// Tells the time and waits.
pub trait Clock: Send + Sync {
    /// Wall time.
    fn now(&self) -> UnixTime;
    /// Monotonic time; may stand still in suspend.
    fn monotonic(&self) -> Instant;
    /// Resolves after this long.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[expect(clippy::disallowed_methods, reason = "this is the one place where the system's clock is read")]
impl Clock for SystemClock {
    fn now(&self) -> UnixTime {
        SystemTime::now().into()
    }

    fn monotonic(&self) -> Instant {
        Instant::now()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(duration))
    }
}
