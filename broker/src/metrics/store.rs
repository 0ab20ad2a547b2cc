//! The store's own times: how long its commits took, and how many writes they held.

use std::time::Duration;

use prometheus_client::{
    metrics::{counter::Counter, histogram::Histogram},
    registry::Registry,
};

use super::LATENCIES;

/// Counts commits. Cloning makes another handle.
#[derive(Debug, Clone)]
pub struct StoreTimings {
    commits: Histogram,
    writes: Counter,
}

impl Default for StoreTimings {
    fn default() -> Self {
        Self { commits: Histogram::new(LATENCIES), writes: Counter::default() }
    }
}

impl StoreTimings {
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Seconds from the begin of a transaction of the store to its end on the disk";
        registry.register("store_commit_duration_seconds", help, self.commits.clone());
        registry.register("store_writes", "Writes to the store; one transaction may hold several", self.writes.clone());
    }

    /// A transaction with so many writes ended.
    pub fn committed(&self, took: Duration, writes: usize) {
        self.commits.observe(took.as_secs_f64());
        self.writes.inc_by(u64::try_from(writes).unwrap_or(u64::MAX));
    }
}
