//! The life of the process: what it hides of itself, what it tells the service manager, and how it is asked to stop. The first
//! SIGTERM or SIGINT stops softly, a second one at once; SIGHUP reads the configuration again. It also ends, when idle, for a
//! new program at its path, if the service manager starts that one at the next call.

use std::{
    future,
    io::{self, IsTerminal as _},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use listenfd::ListenFd;
use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};
use sd_notify::NotifyState;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{
    daemon::{Daemon, DaemonError},
    ports::Clock,
};

/// Most open files that macOS lets a process have (`OPEN_MAX`).
const OPEN_MAX: u64 = 10_240;
/// How often the daemon looks whether its program file was replaced.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

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

/// Lets the process have as many open files as the system allows it: each caller holds one. How many that are now.
#[must_use = "connections have to be fewer"]
pub fn raise_open_files() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raise = |current| setrlimit(Resource::Nofile, Rlimit { current, ..limit }).map(|()| files(current));
    // macOS says that there is no limit, and takes no more than this.
    let raised = raise(limit.maximum).or_else(|error| match limit.current {
        Some(current) if current < OPEN_MAX => raise(Some(OPEN_MAX)),
        _ => Err(error),
    });
    raised.unwrap_or_else(|error| {
        tracing::warn!(%error, "the number of open files could not be raised");
        files(limit.current)
    })
}

/// Without a limit: as many as can be counted.
fn files(limit: Option<u64>) -> usize {
    limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX)
}

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Stop,
    Reload,
}

/// The signals that the daemon listens to.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    /// Listens from now on.
    pub fn listen() -> io::Result<Self> {
        let on = |kind| signal(kind);
        Ok(Self {
            terminate: on(SignalKind::terminate())?,
            interrupt: on(SignalKind::interrupt())?,
            hangup: on(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Wish {
        tokio::select! {
            _ = self.terminate.recv() => Wish::Stop,
            _ = self.interrupt.recv() => Wish::Stop,
            // From a terminal it means that the terminal is gone.
            _ = self.hangup.recv() => if io::stdin().is_terminal() { Wish::Stop } else { Wish::Reload },
        }
    }

    async fn stop(&mut self) {
        while self.next().await != Wish::Stop {}
    }
}

/// What the daemon does beside serving.
pub struct Upkeep {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Whether somebody starts the daemon again at the next call, so that it may end when its program file was replaced.
    pub is_started_on_demand: bool,
    /// Reads the configuration again and says what came of it.
    pub reload: Box<dyn FnMut() -> String>,
}

impl Upkeep {
    /// Whether the daemon should end for the program that took its file's place. Not while it works for somebody: then it looks
    /// again in a minute.
    fn gives_way(&self, daemon: &Daemon) -> bool {
        if !self.is_started_on_demand || !daemon.has_successor() {
            return false;
        }
        let idle = daemon.is_idle();
        tracing::info!(idle, "the program file was replaced; the next call starts the new one when this is idle");
        idle
    }
}

/// The socket that the service manager passed, if it did.
pub fn passed_socket() -> io::Result<Option<std::os::unix::net::UnixListener>> {
    ListenFd::from_env().take_unix_listener(0)
}

/// Runs until a signal asks to stop, a new program waits to be started, or the daemon ends by itself.
pub async fn run(mut daemon: Daemon, mut signals: Signals, mut upkeep: Upkeep) -> Result<(), DaemonError> {
    tell(NotifyState::Ready);
    let mut watchdog = pin!(feed_watchdog());
    loop {
        let wish = tokio::select! {
            error = daemon.ended() => return Err(error),
            () = &mut watchdog => None,
            wish = signals.next() => Some(wish),
            () = upkeep.clock.sleep(LOOK_AGAIN) => None,
        };
        match wish {
            Some(Wish::Stop) => break,
            Some(Wish::Reload) => tell(NotifyState::Status(&(upkeep.reload)())),
            None => {}
        }
        if upkeep.gives_way(&daemon) {
            break;
        }
    }
    tracing::info!("stopping");
    tell(NotifyState::Stopping);
    tokio::select! {
        stopped = daemon.stop() => stopped,
        () = &mut watchdog => Ok(()),
        () = signals.stop() => Err(DaemonError::Task("stopped at once by a second signal".to_owned())),
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
