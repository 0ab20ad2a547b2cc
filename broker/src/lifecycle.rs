//! The life of the process: what it hides of itself, what it tells the service manager, and how it is asked to stop. The first
//! SIGTERM or SIGINT stops softly, a second one at once.

use std::{future, time::Duration};

use listenfd::ListenFd;
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use sd_notify::NotifyState;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::daemon::{Daemon, DaemonError};

/// Keeps the process's memory out of core files and away from other processes of the user.
pub fn hide_memory() {
    if let Err(error) = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }) {
        tracing::warn!(%error, "core files could not be turned off");
    }
    #[cfg(target_os = "linux")]
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "the process could not be made undumpable");
    }
}

/// The signals that ask the daemon to stop.
#[derive(Debug)]
pub struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    /// Listens from now on.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// The socket that the service manager passed, if it did.
pub fn passed_socket() -> std::io::Result<Option<std::os::unix::net::UnixListener>> {
    ListenFd::from_env().take_unix_listener(0)
}

/// Runs until a signal comes, or the daemon ends by itself.
pub async fn run(mut daemon: Daemon, mut signals: StopSignals) -> Result<(), DaemonError> {
    tell(NotifyState::Ready);
    tokio::select! {
        error = daemon.ended() => return Err(error),
        () = feed_watchdog() => {}
        () = signals.next() => {}
    }
    tracing::info!("stopping");
    tell(NotifyState::Stopping);
    tokio::select! {
        stopped = daemon.stop() => stopped,
        () = signals.next() => Err(DaemonError::Task("stopped at once by a second signal".to_owned())),
    }
}

/// Tells the service manager; without one there is nobody to tell.
fn tell(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "the service manager could not be told");
    }
}

/// Shows the service manager that the loop still turns, twice in each of its periods.
#[expect(clippy::infinite_loop, reason = "ends with the daemon, which drops it")]
async fn feed_watchdog() {
    let Some(period) = sd_notify::watchdog_enabled() else { return future::pending().await };
    let mut ticks = tokio::time::interval((period / 2).max(Duration::from_millis(100)));
    loop {
        ticks.tick().await;
        tell(NotifyState::Watchdog);
    }
}
