//! The desk for the owner: applications, the cache, the state of the daemon. It never sees a token that it could give away.

mod application;
mod cache;
mod credential;
mod doctor;
mod import;
mod metrics;
mod purge;
mod status;

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::{
    metrics::Metrics,
    ports::{Clock, Entropy, Http},
    provider::Provider,
    store::Vault,
};

pub use application::Registration;
pub use import::Import;
pub use status::About;

/// The desk.
pub struct Desk {
    vault: Vault,
    provider: Provider,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    about: About,
    metrics: Arc<Metrics>,
    imports: Semaphore,
}

impl Desk {
    /// Opens the desk.
    #[must_use]
    pub fn new(
        vault: Vault,
        http: Arc<dyn Http>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        (about, metrics): (About, Arc<Metrics>),
    ) -> Arc<Self> {
        let provider = Provider::new(http, Arc::clone(&clock));
        metrics.limits.set(import::LIMIT, import::MOST_AT_ONCE);
        let imports = Semaphore::new(import::MOST_AT_ONCE);
        Arc::new(Self { vault, provider, clock, entropy, about, metrics, imports })
    }
}
