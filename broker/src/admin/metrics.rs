//! The metrics as text, with what is looked up at the moment.

use token_broker_proto::calls::StoreCounts;

use super::Desk;
use crate::{access::Caller, metrics::Moment, model::DeskError};

impl Desk {
    /// Everything that was counted since the start; also while the store is locked.
    pub fn metrics(&self, caller: &Caller) -> Result<String, DeskError> {
        tracing::debug!(%caller, "metrics");
        let (is_locked, counts) = match self.vault.counts().map_err(DeskError::from) {
            Err(DeskError::Locked(_)) => (true, StoreCounts::default()),
            counted => (false, counted?),
        };
        let rows = [
            ("application", counts.applications),
            ("account", counts.accounts),
            ("access_token", counts.access_tokens),
            ("refresh_token", counts.refresh_tokens),
        ];
        let uptime = self.clock.monotonic().saturating_duration_since(self.about.started);
        Ok(self.metrics.text(&Moment { uptime, is_locked, rows }))
    }
}
