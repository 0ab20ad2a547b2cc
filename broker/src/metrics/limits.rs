//! What is bounded: how much of it there is now, what its bound is, and how often the bound was met.

use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use super::Labels;

/// Counts against limits.
#[derive(Debug)]
pub struct LimitCounts {
    hits: Family<Labels<1>, Counter>,
    bounds: Family<Labels<1>, Gauge<i64>>,
    /// Connections that are open.
    pub connections: Counted,
    /// Calls that wait for a provider's answer.
    pub waiting_calls: Counted,
}

/// How many there are.
#[derive(Debug, Clone, Default)]
pub struct Counted(Gauge<i64>);

/// One of them, until it is dropped.
#[derive(Debug)]
pub struct One(Gauge<i64>);

impl Drop for One {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Counted {
    /// One more.
    #[must_use]
    pub fn one(&self) -> One {
        self.0.inc();
        One(self.0.clone())
    }

    /// How many.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.0.get()
    }
}

impl LimitCounts {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let (hits, bounds) = (Family::default(), Family::default());
        registry.register("limit_hits", "How often a limit was met, by its name", Family::clone(&hits));
        registry.register("limit", "The limits in force, by name", Family::clone(&bounds));
        let (connections, waiting_calls) = (Counted::default(), Counted::default());
        registry.register("connections", "Connections that are open", connections.0.clone());
        let help = "Calls that wait for the answer of a provider";
        registry.register("waiting_calls", help, waiting_calls.0.clone());
        Self { hits, bounds, connections, waiting_calls }
    }

    /// A limit is in force.
    pub fn set(&self, limit: &'static str, bound: usize) {
        self.bounds.get_or_create(&[("limit", limit)]).set(i64::try_from(bound).unwrap_or(i64::MAX));
        // Shown from the start, at nought: an alarm on a series that is not there never rings.
        drop(self.hits.get_or_create(&[("limit", limit)]));
    }

    /// A limit was met.
    pub fn met(&self, limit: &'static str) {
        self.hits.get_or_create(&[("limit", limit)]).inc();
    }

    /// The bound of a limit that is in force.
    #[must_use]
    pub fn bound(&self, limit: &'static str) -> Option<i64> {
        self.bounds.get(&[("limit", limit)]).map(|bound| bound.get())
    }

    /// How often a limit was met.
    #[must_use]
    pub fn times_met(&self, limit: &'static str) -> u64 {
        self.hits.get(&[("limit", limit)]).map_or(0, |hits| hits.get())
    }
}
