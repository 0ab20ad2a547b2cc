//! What callers may use at once. The defaults are far above what a desktop needs and far below what would hurt it; the
//! configuration's `[limits]` may move them. broker/docs/limits.md lists these and the ones that are fixed.

use std::time::Duration;

/// Open files that are left for the store, for providers and for the log.
const OWN_FILES: usize = 256;

/// The limits that an owner may move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// Connections at once of one process.
    pub connections_per_process: usize,
    /// Calls at once that wait for a provider's answer.
    pub waiting_calls: usize,
    /// Exchanges at once with one provider.
    pub provider_exchanges: usize,
    /// How long a caller may leave a connection or a request half said.
    pub half_open: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            connections_per_process: 1024,
            waiting_calls: 4096,
            provider_exchanges: 32,
            half_open: Duration::from_secs(10),
        }
    }
}

impl Limits {
    /// Calls at once that wait for the same answer: a quarter of all, so that others can wait, too.
    #[must_use]
    pub fn waiting_calls_per_answer(&self) -> usize {
        (self.waiting_calls / 4).max(1)
    }

    /// Exchanges that may wait for their turn at one provider.
    #[must_use]
    pub fn waiting_exchanges(&self) -> usize {
        self.provider_exchanges.saturating_mul(16)
    }

    /// The same, with no more connections than this process may have open files.
    #[must_use]
    pub fn within(self, open_files: usize) -> Self {
        let room = open_files.saturating_sub(OWN_FILES).max(open_files / 2).max(1);
        Self { connections: self.connections.min(room), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::Limits;

    #[test]
    fn there_is_always_room_for_the_daemons_own_files() {
        for (files, connections) in [(20_000, 4096), (1024, 768), (300, 150), (0, 1)] {
            assert_eq!(Limits::default().within(files).connections, connections, "{files}");
        }
    }
}
