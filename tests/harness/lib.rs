//! The harness of the proving ground: clocks and randomness that a test drives, an authorization server of our own with
//! faults, real servers that we did not write, and a scripted user who signs in to all of them. What it offers is proven
//! by tests/it/selftest before any test of the daemon leans on it.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a harness that cannot go on fails the test on the spot, with the place in the message"
)]

pub mod authorization_server;
pub mod clock;
pub mod daemon;
pub mod entra;
pub mod entropy;
pub mod graph;
pub mod http;
pub mod jose;
pub mod machine;
pub mod managed_identity;
pub mod peers;
pub mod process;
pub mod requirements;
pub mod torture;
pub mod user;

use std::{future::Future, time::Duration};

/// Waits for an event that must come; a test that would hang fails after a minute instead.
///
/// # Panics
/// When it has not come after a minute of real time.
pub async fn within<T>(event: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), event).await.expect("the awaited event did not come within a minute")
}

/// A folder of this crate, such as `peers` or `vectors`.
#[must_use]
pub fn folder(name: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}
