//! How long a sign-in waits for people: until the caller hangs up, its time is over on the wall, or the daemon stops. Timers
//! stand still in suspend, so it looks at the wall at least once a minute.

use std::{future::Future, sync::Arc, time::Duration};

use token_broker_proto::{calls::SignInEvent, oauth::UnixTime};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{model::DeskError, ports::Clock};

/// Longest sleep without a look at the wall.
const LOOK: Duration = Duration::from_secs(60);

/// The end of all waiting.
pub(super) struct Patience {
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
    caller: mpsc::Sender<Result<SignInEvent, DeskError>>,
    end: Option<UnixTime>,
}

impl Patience {
    /// Begins now; without a limit the provider says when it is over.
    pub(super) fn new(
        clock: Arc<dyn Clock>,
        stop: CancellationToken,
        caller: mpsc::Sender<Result<SignInEvent, DeskError>>,
        limit: Option<Duration>,
    ) -> Self {
        let end = limit.map(|limit| clock.now().plus(limit));
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
        self.wait(until(&*self.clock, instant)).await
    }

    async fn over(&self) {
        match self.end {
            Some(end) => until(&*self.clock, end).await,
            None => std::future::pending().await,
        }
    }
}

async fn until(clock: &dyn Clock, instant: UnixTime) {
    loop {
        let left = instant.since(clock.now());
        if left.is_zero() {
            return;
        }
        clock.sleep(left.min(LOOK)).await;
    }
}
