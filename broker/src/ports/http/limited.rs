//! HTTP with a bound on how many exchanges one provider has at once: a slow provider ties up its own lane only. The next ones
//! wait for their turn; beyond that they are refused, and at a stop those that still wait are.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;

use super::{Http, HttpError, Network};
use crate::{
    metrics::Metrics,
    model::{HttpRequest, HttpResponse},
};

/// The name of the limit.
const LIMIT: &str = "provider_exchanges";

/// Sends with another client, so many at once to each host.
pub struct LimitedHttp {
    inner: Arc<dyn Http>,
    lanes: Mutex<HashMap<String, Weak<Lane>>>,
    running: usize,
    waiting: usize,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
}

/// The exchanges with one host.
struct Lane {
    turns: Semaphore,
    waiting: AtomicUsize,
}

impl LimitedHttp {
    /// So many exchanges run at once with each host, and so many wait.
    #[must_use]
    pub fn new(
        inner: Arc<dyn Http>,
        (running, waiting): (usize, usize),
        metrics: Arc<Metrics>,
        stop: CancellationToken,
    ) -> Self {
        Self { inner, lanes: Mutex::default(), running, waiting, metrics, stop }
    }

    fn lane(&self, host: &str) -> Arc<Lane> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lane) = lanes.get(host).and_then(Weak::upgrade) {
            return lane;
        }
        lanes.retain(|_, lane| lane.strong_count() > 0);
        let lane = Arc::new(Lane { turns: Semaphore::new(self.running), waiting: AtomicUsize::new(0) });
        lanes.insert(host.to_owned(), Arc::downgrade(&lane));
        lane
    }

    async fn turn<'l>(&self, host: &str, lane: &'l Lane) -> Result<SemaphorePermit<'l>, HttpError> {
        if let Ok(permit) = lane.turns.try_acquire() {
            return Ok(permit);
        }
        let busy = || HttpError::Busy { host: host.to_owned(), limit: self.running, name: LIMIT };
        let waiter = Waiter::at(lane);
        if waiter.ahead >= self.waiting {
            self.metrics.limits.met(LIMIT);
            return Err(busy());
        }
        let _queued = self.metrics.exchanges.queue();
        tokio::select! {
            permit = lane.turns.acquire() => permit.map_err(|_| busy()),
            () = self.stop.cancelled() => Err(busy()),
        }
    }
}

/// Waits in a lane until it is dropped.
struct Waiter<'l> {
    lane: &'l Lane,
    ahead: usize,
}

impl<'l> Waiter<'l> {
    fn at(lane: &'l Lane) -> Self {
        Self { lane, ahead: lane.waiting.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.lane.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Http for LimitedHttp {
    fn send(&self, request: HttpRequest) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + '_>> {
        Box::pin(async move {
            let host = request.uri().authority().map(ToString::to_string).unwrap_or_default();
            let lane = self.lane(&host);
            let _turn = self.turn(&host, &lane).await?;
            let exchange = self.metrics.exchanges.begin();
            let answer = self.inner.send(request).await;
            if answer.is_ok() {
                exchange.answered();
            }
            answer
        })
    }

    fn network(&self) -> Network {
        self.inner.network()
    }
}

#[cfg(test)]
mod tests {
    use std::{future::Future, pin::Pin, sync::Arc, task::Poll};

    use token_broker_proto::Secret;
    use tokio::sync::Notify;
    use tokio_util::sync::CancellationToken;

    use super::{Http, HttpError, HttpRequest, HttpResponse, LimitedHttp};
    use crate::metrics::{Metrics, StoreTimings};

    /// Answers when it is told to.
    #[derive(Default)]
    struct Slow(Notify);

    impl Http for Slow {
        fn send(&self, _: HttpRequest) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + '_>> {
            Box::pin(async {
                self.0.notified().await;
                Ok(HttpResponse::new(Secret::new("")))
            })
        }
    }

    fn request(host: &str) -> HttpRequest {
        http::Request::get(format!("https://{host}/token")).body(Secret::new("")).expect("a request")
    }

    async fn is_pending<F: Future + ?Sized>(future: Pin<&mut F>) -> bool {
        let mut future = future;
        std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_pending())).await
    }

    #[tokio::test]
    async fn one_provider_never_takes_the_turns_of_another() {
        let (slow, stop) = (Arc::new(Slow::default()), CancellationToken::new());
        let metrics = Arc::new(Metrics::new("0", &StoreTimings::default()));
        let http = LimitedHttp::new(Arc::clone(&slow) as Arc<dyn Http>, (1, 1), Arc::clone(&metrics), stop.clone());
        let (mut first, mut second, mut other) =
            (http.send(request("a")), http.send(request("a")), http.send(request("b")));
        assert!(is_pending(first.as_mut()).await && is_pending(second.as_mut()).await);
        let third = http.send(request("a")).await;
        assert!(matches!(third, Err(HttpError::Busy { ref host, limit: 1, .. }) if host == "a"), "{third:?}");
        assert_eq!(metrics.limits.times_met("provider_exchanges"), 1);
        assert!(is_pending(other.as_mut()).await, "it is asked, and answers later");
        slow.0.notify_one();
        first.await.expect("an answer");
        assert!(is_pending(second.as_mut()).await);
        // The first in line is `other`, which has waited the longest.
        slow.0.notify_one();
        other.await.expect("an answer");
        slow.0.notify_one();
        second.await.expect("its turn, and then an answer");
        let mut last = http.send(request("c"));
        assert!(is_pending(last.as_mut()).await);
        assert_eq!(http.lanes.lock().expect("no fault").len(), 1, "nothing is kept of a lane that nobody uses");
    }

    #[tokio::test]
    async fn a_stop_ends_the_waiting_and_not_what_runs() {
        let (slow, stop) = (Arc::new(Slow::default()), CancellationToken::new());
        let metrics = Arc::new(Metrics::new("0", &StoreTimings::default()));
        let http = LimitedHttp::new(Arc::clone(&slow) as Arc<dyn Http>, (1, 1), metrics, stop.clone());
        let (mut runs, mut waits) = (http.send(request("a")), http.send(request("a")));
        assert!(is_pending(runs.as_mut()).await && is_pending(waits.as_mut()).await);
        stop.cancel();
        assert!(matches!(waits.await, Err(HttpError::Busy { .. })));
        slow.0.notify_one();
        runs.await.expect("an answer: it may hold the only copy of a refresh token");
    }
}
