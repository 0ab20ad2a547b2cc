//! A unit as its manager shows it, and waiting for it to become something.

use std::time::Duration;

use super::UserSession;
use crate::within;

impl UserSession {
    /// `systemctl --user` with these words; it must succeed.
    pub async fn systemctl(&self, words: &str) -> String {
        self.ok(&format!("systemctl --user {words}")).await
    }

    /// A property of a unit of ours, such as `ActiveState` of `service`.
    pub async fn property(&self, unit: &str, name: &str) -> String {
        let value = self.systemctl(&format!("show --value --property={name} token-broker.{unit}")).await;
        value.trim().to_owned()
    }

    /// Both units' `ActiveState`: socket, service.
    pub async fn states(&self) -> (String, String) {
        (self.property("socket", "ActiveState").await, self.property("service", "ActiveState").await)
    }

    /// Waits until a property of the service is this.
    pub async fn service_becomes(&self, name: &str, value: &str) {
        until(async || self.property("service", name).await == value).await;
    }

    /// The daemon's process id, as the user sees it.
    pub async fn main_pid(&self) -> String {
        self.property("service", "MainPID").await
    }
}

/// Looks again and again until it holds, a minute at most. The manager has no event that a command line could wait for.
pub async fn until(holds: impl AsyncFn() -> bool) {
    within(async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    })
    .await;
}
