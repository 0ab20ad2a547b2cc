//! The desk for the owner: applications, the cache, the state of the daemon. It never sees a token that it could give away.

mod application;
mod cache;
mod import;
mod purge;
mod status;

use std::sync::Arc;

use crate::{
    ports::{Clock, Entropy, Http},
    provider::Provider,
    store::Vault,
};

pub use import::Import;
pub use status::About;

/// The desk.
pub struct Desk {
    vault: Vault,
    provider: Provider,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    about: About,
}

impl Desk {
    /// Opens the desk.
    #[must_use]
    pub fn new(
        vault: Vault,
        http: Arc<dyn Http>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        about: About,
    ) -> Arc<Self> {
        let provider = Provider::new(http, Arc::clone(&clock));
        Arc::new(Self { vault, provider, clock, entropy, about })
    }
}
