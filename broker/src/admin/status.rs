//! The daemon's health.

use std::time::Instant;

use token_broker_proto::calls::DaemonStatus;

use super::Desk;
use crate::{access::Caller, model::DeskError, ports::Executable};

/// What the daemon knows of itself.
#[derive(Debug, Clone)]
pub struct About {
    /// Data folder.
    pub data_dir: String,
    /// Socket path.
    pub socket: String,
    /// When it started, on the monotonic clock.
    pub started: Instant,
    /// Its program file, if that is known.
    pub executable: Option<Executable>,
}

impl Desk {
    /// The daemon's health; it answers while the store is locked, too.
    pub fn status(&self, caller: &Caller) -> Result<DaemonStatus, DeskError> {
        tracing::debug!(%caller, "status");
        let counts = match self.vault.counts().map_err(DeskError::from) {
            Err(DeskError::Locked(_)) => token_broker_proto::calls::StoreCounts::default(),
            counted => counted?,
        };
        let executable = self.about.executable.as_ref();
        let uptime = self.clock.monotonic().saturating_duration_since(self.about.started);
        Ok(DaemonStatus {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: i64::from(std::process::id()),
            uptime_seconds: i64::try_from(uptime.as_secs()).unwrap_or(i64::MAX),
            lock_reason: self.vault.lock_reason(),
            key_source: self.vault.key_source().to_owned(),
            data_dir: self.about.data_dir.clone(),
            socket: self.about.socket.clone(),
            counts,
            notices: self.vault.notices().into_iter().chain(self.vault.damaged_tokens()).collect(),
            executable: executable.map(|file| file.path().display().to_string()).unwrap_or_default(),
            grants: Vec::new(),
            executable_replaced: executable.is_some_and(Executable::is_replaced),
        })
    }
}
