//! What is of no use any more leaves the store: expired access tokens within the hour, within a day the on-behalf-of sessions that
//! nobody came back to.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Desk;

/// How often to look; short enough to notice after a suspend.
const ROUND: Duration = Duration::from_secs(600);
/// How many rounds go by between two looks at the sessions.
const ROUNDS_OF_A_DAY: u32 = 144;
/// How long a session may be unused. A refresh token of Microsoft Entra ID that was not used for 90 days is dead, so that nothing
/// is lost (<https://learn.microsoft.com/entra/identity-platform/refresh-tokens>).
const UNUSED_SESSION: Duration = Duration::from_secs(90 * 24 * 3600);

impl Desk {
    /// Purges now and then, until the daemon stops. What is purged goes by small transactions: a stop in the middle leaves the
    /// rest to the next start.
    pub async fn keep_purged(&self, stop: CancellationToken) {
        for round in (0..ROUNDS_OF_A_DAY).cycle() {
            let purged = stop.run_until_cancelled(async {
                self.purge_tokens().await;
                if round == 0 {
                    self.purge_sessions().await;
                }
                self.clock.sleep(ROUND).await;
            });
            if purged.await.is_none() {
                return;
            }
        }
    }

    /// A locked store is simply tried again.
    async fn purge_tokens(&self) {
        match self.vault.purge_expired(self.clock.now()).await {
            Ok(0) => {}
            Ok(purged) => tracing::info!(purged, "expired access tokens removed"),
            Err(error) => tracing::warn!(%error, "expired access tokens could not be removed"),
        }
    }

    async fn purge_sessions(&self) {
        match self.vault.purge_sessions(self.clock.now().minus(UNUSED_SESSION)).await {
            Ok(0) => {}
            Ok(ended) => tracing::info!(ended, "on-behalf-of sessions ended that were not used for 90 days"),
            Err(error) => tracing::warn!(%error, "unused on-behalf-of sessions could not be ended"),
        }
    }
}
