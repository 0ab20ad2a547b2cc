//! How long a sign-in waits for people: until the caller hangs up, its time is over, or the daemon stops. Timers stand still in
//! suspend, so it looks at the wall at least once a minute; and the wall clock may be set back, so that time passes anyway.

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use token_broker_proto::{calls::SignInEvent, oauth::UnixTime};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{model::DeskError, ports::Clock};

/// Longest sleep without a look at the wall.
const LOOK: Duration = Duration::from_secs(60);
/// Longest wait, whatever a caller asks for: an instant that is too far away cannot be told.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// The end of all waiting.
pub(super) struct Patience {
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
    caller: mpsc::Sender<Result<SignInEvent, DeskError>>,
    end: Option<Point>,
}

/// A point in time, on both clocks: it has come when either says so.
#[derive(Clone, Copy)]
struct Point {
    wall: UnixTime,
    monotonic: Instant,
}

impl Point {
    fn after(clock: &dyn Clock, wait: Duration) -> Self {
        let wait = wait.min(LONGEST);
        Self { wall: clock.now().plus(wait), monotonic: clock.monotonic() + wait }
    }

    fn left(self, clock: &dyn Clock) -> Duration {
        self.wall.since(clock.now()).min(self.monotonic.saturating_duration_since(clock.monotonic()))
    }
}

impl Patience {
    /// Begins now; without a limit the provider says when it is over.
    pub(super) fn new(
        clock: Arc<dyn Clock>,
        stop: CancellationToken,
        caller: mpsc::Sender<Result<SignInEvent, DeskError>>,
        limit: Option<Duration>,
    ) -> Self {
        let end = limit.map(|limit| Point::after(&*clock, limit));
        Self { clock, stop, caller, end }
    }

    /// What is waited for, unless the wait ends first.
    pub(super) async fn wait<T>(&self, event: impl Future<Output = T>) -> Result<T, DeskError> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(DeskError::Cancelled),
            () = self.caller.closed() => Err(DeskError::Cancelled),
            event = event => Ok(event),
            () = self.over() => Err(DeskError::Expired),
        }
    }

    /// Waits until an instant on the wall.
    pub(super) async fn wait_until(&self, instant: UnixTime) -> Result<(), DeskError> {
        let point = Point::after(&*self.clock, instant.since(self.clock.now()));
        self.wait(until(&*self.clock, point)).await
    }

    async fn over(&self) {
        match self.end {
            Some(end) => until(&*self.clock, end).await,
            None => std::future::pending().await,
        }
    }
}

async fn until(clock: &dyn Clock, point: Point) {
    loop {
        let left = point.left(clock);
        if left.is_zero() {
            return;
        }
        clock.sleep(left.min(LOOK)).await;
    }
}
