//! Expired access tokens leave the store within the hour.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Desk;

/// How often to look; short enough to notice after a suspend.
const ROUND: Duration = Duration::from_secs(600);

impl Desk {
    /// Purges now and then, until the daemon stops. A locked store is simply tried again.
    pub async fn keep_purged(&self, stop: CancellationToken) {
        loop {
            // What is purged goes by small transactions: a stop in the middle leaves the rest to the next start.
            let purged = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                purged = self.vault.purge_expired(self.clock.now()) => purged,
            };
            match purged {
                Ok(0) => {}
                Ok(purged) => tracing::info!(purged, "expired access tokens removed"),
                Err(error) => tracing::warn!(%error, "expired access tokens could not be removed"),
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.clock.sleep(ROUND) => {}
            }
        }
    }
}
