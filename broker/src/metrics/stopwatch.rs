//! Measuring how long something took. The clock of `ports` decides things and is passed in; what is measured here decides
//! nothing, so even the rooms that know no clock may measure.

use std::time::{Duration, Instant};

/// Runs since it was made.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

#[expect(clippy::disallowed_methods, reason = "a measurement for the metrics: nothing is decided by it")]
impl Stopwatch {
    /// Starts one.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// How long it has run.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
