//! Exchanges with providers: how many run and wait, how long they take, how many had an answer. Which provider it was is not said.

use prometheus_client::{
    metrics::{family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use super::{LATENCIES, Labels, Stopwatch};

/// Counts exchanges. Cloning makes another handle.
#[derive(Debug, Clone)]
pub struct Exchanges {
    running: Gauge<i64>,
    waiting: Gauge<i64>,
    answered: Histogram,
    failed: Histogram,
}

/// One exchange that runs; without an answer it counts as failed.
#[derive(Debug)]
pub struct Exchange {
    counts: Exchanges,
    begun: Stopwatch,
    has_answer: bool,
}

/// One that waits for its turn, until it is dropped.
#[derive(Debug)]
pub struct Queued(Gauge<i64>);

impl Exchanges {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let (running, waiting) = (Gauge::default(), Gauge::default());
        registry.register("provider_exchanges", "Exchanges with providers that are under way", running.clone());
        let help = "Exchanges with providers that wait for their turn";
        registry.register("provider_exchanges_waiting", help, waiting.clone());
        let durations = Family::<Labels<1>, Histogram>::new_with_constructor(|| Histogram::new(LATENCIES));
        let help = "Seconds that an exchange with a provider took, by whether there was an answer, whatever it said";
        registry.register("provider_exchange_duration_seconds", help, durations.clone());
        let of = |outcome| durations.get_or_create_owned(&[("outcome", outcome)]);
        Self { running, waiting, answered: of("answered"), failed: of("failed") }
    }

    /// One begins.
    #[must_use]
    pub fn begin(&self) -> Exchange {
        self.running.inc();
        Exchange { counts: self.clone(), begun: Stopwatch::start(), has_answer: false }
    }

    /// One waits for its turn.
    #[must_use]
    pub fn queue(&self) -> Queued {
        self.waiting.inc();
        Queued(self.waiting.clone())
    }
}

impl Exchange {
    /// It had an answer.
    pub fn answered(mut self) {
        self.has_answer = true;
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.counts.running.dec();
        let series = if self.has_answer { &self.counts.answered } else { &self.counts.failed };
        series.observe(self.begun.elapsed().as_secs_f64());
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        self.0.dec();
    }
}
