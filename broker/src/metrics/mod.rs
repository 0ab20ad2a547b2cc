//! What happened, counted, and the text that monitoring reads (OpenMetrics 1.0, which Prometheus takes). A leaf: every room may
//! record here, and it names none of them. No account, client id or scope is ever a label: who reads the figures learns how much
//! was done, never by whom or for what.

mod calls;
mod exchanges;
mod limits;
mod stopwatch;
mod store;

use std::time::Duration;

use prometheus_client::{
    encoding::text::encode,
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};

pub use calls::{Calls, Outcome};
pub use exchanges::{Exchange, Exchanges, Queued};
pub use limits::{Counted, LimitCounts, One};
pub use stopwatch::Stopwatch;
pub use store::StoreTimings;

/// Labels of a series: names and values that the code writes, so that there is an end to them.
type Labels<const N: usize> = [(&'static str, &'static str); N];

/// Upper bounds of the latency buckets in seconds: a hit takes microseconds, a provider may take half a minute.
const LATENCIES: [f64; 14] =
    [25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 0.001, 0.0025, 0.01, 0.05, 0.25, 1.0, 5.0, 15.0, 60.0];

/// Everything that is counted.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Calls and what they ended with.
    pub calls: Calls,
    /// Exchanges with providers.
    pub exchanges: Exchanges,
    /// What is bounded: how much of it there is, and how often its bound was met.
    pub limits: LimitCounts,
    uptime: Gauge<i64>,
    locked: Gauge<i64>,
    rows: Family<Labels<1>, Gauge<i64>>,
}

/// What is looked up at the moment that the text is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Since the start.
    pub uptime: Duration,
    /// Whether the store is locked.
    pub is_locked: bool,
    /// Rows of the store by their kind.
    pub rows: [(&'static str, i64); 4],
}

impl Metrics {
    /// All at zero; the store has counted for itself since it was opened.
    #[must_use]
    pub fn new(version: &'static str, store: &StoreTimings) -> Self {
        let mut registry = Registry::with_prefix("token_broker");
        let build = Family::<Labels<1>, Gauge<i64>>::default();
        build.get_or_create(&[("version", version)]).set(1);
        registry.register("build_info", "Version of the daemon", build);
        let (uptime, locked, rows) = (Gauge::default(), Gauge::default(), Family::default());
        registry.register("uptime_seconds", "Seconds since the daemon started", uptime.clone());
        let calls = Calls::register(&mut registry);
        let exchanges = Exchanges::register(&mut registry);
        let limits = LimitCounts::register(&mut registry);
        store.register(&mut registry);
        registry.register("store_locked", "1 while the store is locked", locked.clone());
        registry.register("store_rows", "Rows of the store by kind; none while it is locked", Family::clone(&rows));
        Self { registry, calls, exchanges, limits, uptime, locked, rows }
    }

    /// The text, as of now.
    #[must_use]
    pub fn text(&self, moment: &Moment) -> String {
        self.uptime.set(i64::try_from(moment.uptime.as_secs()).unwrap_or(i64::MAX));
        self.locked.set(i64::from(moment.is_locked));
        if moment.is_locked {
            self.rows.clear();
        } else {
            for (kind, count) in moment.rows {
                self.rows.get_or_create(&[("kind", kind)]).set(count);
            }
        }
        let mut text = String::new();
        if encode(&mut text, &self.registry).is_err() {
            // Writing to a string does not fail.
            tracing::error!("the metrics could not be written");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Metrics, Moment, Outcome, StoreTimings};

    fn moment() -> Moment {
        Moment {
            uptime: Duration::from_secs(7),
            is_locked: false,
            rows: [("application", 1), ("account", 2), ("access_token", 3), ("refresh_token", 4)],
        }
    }

    #[test]
    fn what_happened_is_in_the_text() {
        let store = StoreTimings::default();
        let metrics = Metrics::new("1.2.3", &store);
        metrics.calls.hit(Duration::from_micros(40));
        metrics.calls.answered("GetToken");
        metrics.calls.failed("GetToken", "LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED");
        metrics.calls.refreshed(Outcome::Saved);
        metrics.limits.met("connections");
        let _connection = metrics.limits.connections.one();
        store.committed(Duration::from_millis(2), 3);
        drop(metrics.exchanges.begin());
        let text = metrics.text(&moment());
        for line in [
            "token_broker_build_info{version=\"1.2.3\"} 1",
            "token_broker_uptime_seconds 7",
            "token_broker_tokens_total{source=\"cache\"} 1",
            "token_broker_token_duration_seconds_bucket{le=\"0.00005\",source=\"cache\"} 1",
            "token_broker_calls_total{rpc=\"GetToken\",code=\"OK\"} 1",
            "token_broker_calls_total{rpc=\"GetToken\",code=\"RESOURCE_EXHAUSTED\"} 1",
            "token_broker_failures_total{reason=\"LIMIT_EXCEEDED\"} 1",
            "token_broker_refreshes_total{outcome=\"saved\"} 1",
            "token_broker_limit_hits_total{limit=\"connections\"} 1",
            "token_broker_connections 1",
            "token_broker_store_writes_total 3",
            "token_broker_store_commit_duration_seconds_count 1",
            "token_broker_store_rows{kind=\"refresh_token\"} 4",
            "token_broker_provider_exchanges 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn a_locked_store_has_no_rows_to_count() {
        let metrics = Metrics::new("1.2.3", &StoreTimings::default());
        assert!(metrics.text(&moment()).contains("store_rows{"));
        let text = metrics.text(&Moment { is_locked: true, ..moment() });
        assert!(text.contains("token_broker_store_locked 1") && !text.contains("store_rows{"), "{text}");
    }
}
