//! `GetStatus`: the daemon's health.

use super::GrantStatus;
use crate::wire::v1;

/// The daemon's health.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DaemonStatus {
    /// Version of the daemon.
    pub version: String,
    /// Process id.
    pub pid: i64,
    /// Seconds since it started.
    pub uptime_seconds: i64,
    /// Why the store is locked; `None` when open.
    pub lock_reason: Option<String>,
    /// Where the data key comes from, such as `file`.
    pub key_source: String,
    /// Data folder.
    pub data_dir: String,
    /// Socket path.
    pub socket: String,
    /// What the store holds.
    pub counts: StoreCounts,
    /// What the owner should know and do something about, a sentence each.
    pub notices: Vec<String>,
    /// Program file of the daemon; empty if it is not known.
    pub executable: String,
    /// Whether another program is at that path since the daemon started.
    pub executable_replaced: bool,
    /// How the grants do; `counts.refresh_tokens` says how many there are.
    pub grants: Vec<GrantStatus>,
}

/// Number of rows in the store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StoreCounts {
    /// Registered applications.
    pub applications: i64,
    /// Signed-in accounts.
    pub accounts: i64,
    /// Access tokens, expired ones that were not purged yet included.
    pub access_tokens: i64,
    /// Refresh tokens.
    pub refresh_tokens: i64,
}

impl From<DaemonStatus> for v1::GetStatusResponse {
    fn from(status: DaemonStatus) -> Self {
        Self {
            version: status.version,
            pid: status.pid,
            uptime_seconds: status.uptime_seconds,
            locked: status.lock_reason.is_some(),
            lock_reason: status.lock_reason.unwrap_or_default(),
            key_source: status.key_source,
            data_dir: status.data_dir,
            socket: status.socket,
            counts: Some(v1::StoreCounts {
                applications: status.counts.applications,
                accounts: status.counts.accounts,
                access_tokens: status.counts.access_tokens,
                refresh_tokens: status.counts.refresh_tokens,
            }),
            notices: status.notices,
            executable: status.executable,
            executable_replaced: status.executable_replaced,
            grants: status.grants.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<v1::GetStatusResponse> for DaemonStatus {
    fn from(wire: v1::GetStatusResponse) -> Self {
        let counts = wire.counts.unwrap_or_default();
        Self {
            version: wire.version,
            pid: wire.pid,
            uptime_seconds: wire.uptime_seconds,
            lock_reason: wire.locked.then_some(wire.lock_reason),
            key_source: wire.key_source,
            data_dir: wire.data_dir,
            socket: wire.socket,
            counts: StoreCounts {
                applications: counts.applications,
                accounts: counts.accounts,
                access_tokens: counts.access_tokens,
                refresh_tokens: counts.refresh_tokens,
            },
            notices: wire.notices,
            executable: wire.executable,
            executable_replaced: wire.executable_replaced,
            // What a newer daemon says and this version does not know is left out.
            grants: wire.grants.into_iter().filter_map(|grant| grant.try_into().ok()).collect(),
        }
    }
}
