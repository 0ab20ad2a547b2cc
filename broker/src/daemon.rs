//! Builds the daemon of its rooms and owns its tasks. The program `token-brokerd` and the proving ground start it the same way;
//! only what lies outside (HTTP, clock, randomness) is handed in.

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio::{
    net::UnixListener,
    task::{JoinHandle, JoinSet},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    access::Limits,
    acquire::{self, Outside, Tasks},
    admin::{self, About},
    metrics::Metrics,
    ports::{Executable, http::LimitedHttp},
    server::{self, Desks, ServeError, socket::SocketError},
    store::{StartError, Vault, VaultOptions, WriterMode},
};

/// How long running calls and refreshes may take after the daemon was asked to stop: longer than one exchange with a provider,
/// whose answer may hold the only copy of a new refresh token.
const DRAIN: Duration = Duration::from_secs(35);
/// How long idle connections may take to close once every call is answered.
const HANG_UP: Duration = Duration::from_millis(200);

/// Where the daemon lives.
#[derive(Debug)]
pub struct Settings {
    /// Data folder.
    pub data_dir: PathBuf,
    /// Where it serves.
    pub socket: Socket,
    /// What callers may use at once.
    pub limits: Limits,
}

/// Where the daemon serves.
#[derive(Debug)]
pub enum Socket {
    /// At this path, which it makes.
    Path(PathBuf),
    /// At a socket that the service manager made and keeps.
    Passed(std::os::unix::net::UnixListener),
}

/// Why the daemon did not start, or ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The store did not start.
    #[error(transparent)]
    Store(#[from] StartError),
    /// The socket did not open.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// The server ended.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// A task ended that lives as long as the daemon.
    #[error("a task of the daemon ended by itself: {0}")]
    Task(String),
    /// Running calls did not finish in time.
    #[error("running calls did not finish within {} s", DRAIN.as_secs())]
    Drain,
}

/// A running daemon.
#[derive(Debug)]
pub struct Daemon {
    stop: CancellationToken,
    tracker: TaskTracker,
    server: JoinHandle<Result<(), ServeError>>,
    vault: Vault,
    /// Tasks that live as long as the daemon, by name.
    standing: JoinSet<&'static str>,
    /// The tasks of the tracker that live as long as the daemon; all others are work for somebody.
    standing_tasks: usize,
    /// The program file, if it is known.
    executable: Option<Executable>,
    /// The socket file that this daemon made.
    socket: Option<PathBuf>,
}

impl Daemon {
    /// Opens the store and the socket and begins to serve.
    pub async fn start(settings: Settings, outside: Outside) -> Result<Self, DaemonError> {
        // A failure here only means that an upgrade is not noticed.
        let executable = Executable::running().ok();
        let vault = open_vault(&settings, &outside)?;
        let (listener, socket) = match settings.socket {
            Socket::Path(path) => (server::socket::bind(&path).await?, Some(path)),
            Socket::Passed(listener) => (server::socket::adopt(listener)?, None),
        };
        let about = About {
            data_dir: settings.data_dir.display().to_string(),
            socket: server::socket::path_of(&listener),
            started: outside.clock.monotonic(),
            executable,
        };
        Ok(Self { socket, ..Self::serve(vault, listener, outside, about, settings.limits) })
    }

    #[expect(clippy::disallowed_methods, reason = "the server's task is owned here: `ended` and `stop` await it")]
    fn serve(vault: Vault, listener: UnixListener, outside: Outside, about: About, limits: Limits) -> Self {
        let (stop, tracker) = (CancellationToken::new(), TaskTracker::new());
        let metrics = Arc::new(Metrics::new(env!("CARGO_PKG_VERSION"), vault.timings()));
        let exchanges = (limits.provider_exchanges, limits.waiting_exchanges());
        let http = LimitedHttp::new(outside.http, exchanges, Arc::clone(&metrics), stop.clone());
        let outside = Outside { http: Arc::new(http), ..outside };
        let executable = about.executable.clone();
        let admin = admin::Desk::new(
            vault.clone(),
            Arc::clone(&outside.http),
            Arc::clone(&outside.clock),
            Arc::clone(&outside.entropy),
            (about, Arc::clone(&metrics)),
        );
        let tasks = Tasks { tracker: tracker.clone(), stop: stop.clone() };
        let acquire = acquire::Desk::new(vault.clone(), outside, tasks, &limits, metrics);
        let mut standing = JoinSet::new();
        let (purge, purge_until) = (Arc::clone(&admin), stop.clone());
        standing.spawn(tracker.track_future(async move {
            purge.keep_purged(purge_until).await;
            "the removal of expired tokens"
        }));
        let renew = Arc::clone(&acquire);
        standing.spawn(tracker.track_future(async move {
            renew.keep_renewed().await;
            "the renewal of tokens"
        }));
        let desks = Desks { acquire, admin };
        let server = tokio::spawn(server::serve(listener, server::socket::own_uid(), desks, limits, stop.clone()));
        Self { standing_tasks: tracker.len(), stop, tracker, server, vault, standing, executable, socket: None }
    }

    /// Whether nothing is under way that a stop would cut short: no request to a provider, no sign-in that waits for its user.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.tracker.len() <= self.standing_tasks
    }

    /// Whether another program has taken the place of this one's file, such as by an upgrade.
    #[must_use]
    pub fn has_successor(&self) -> bool {
        self.executable.as_ref().is_some_and(Executable::is_replaced)
    }

    /// Resolves only if the daemon ends without being asked to: that is a crash.
    pub async fn ended(&mut self) -> DaemonError {
        tokio::select! {
            served = &mut self.server => match served {
                Ok(Ok(())) => DaemonError::Task("the server stopped".to_owned()),
                Ok(Err(error)) => error.into(),
                Err(error) => DaemonError::Task(error.to_string()),
            },
            Some(ended) = self.standing.join_next() => {
                DaemonError::Task(ended.map_or_else(|error| error.to_string(), str::to_owned))
            }
            () = self.vault.writer_ended() => DaemonError::Task("the writer of the store".to_owned()),
        }
    }

    /// Stops softly: takes no new calls, ends the sign-ins that wait for people, lets calls and refreshes finish, closes the
    /// store. A client that keeps an idle connection open delays nothing.
    pub async fn stop(mut self) -> Result<(), DaemonError> {
        self.stop.cancel();
        self.tracker.close();
        let drained = timeout(DRAIN, self.tracker.wait()).await;
        let served = timeout(HANG_UP, &mut self.server).await;
        self.server.abort();
        if let Some(path) = self.socket {
            // Before the folder is free for another daemon. A stale file would do no harm: the next start replaces it.
            let _ = std::fs::remove_file(path);
        }
        self.vault.close();
        match (drained, served) {
            (Err(_), _) => Err(DaemonError::Drain),
            (Ok(()), Ok(Ok(served))) => Ok(served?),
            (Ok(()), Ok(Err(error))) => Err(DaemonError::Task(error.to_string())),
            (Ok(()), Err(_)) => Ok(()),
        }
    }
}

fn open_vault(settings: &Settings, outside: &Outside) -> Result<Vault, StartError> {
    let entropy = Arc::clone(&outside.entropy);
    Vault::start(VaultOptions {
        folder: settings.data_dir.clone(),
        randomness: Arc::new(move |buffer: &mut [u8]| entropy.fill(buffer)),
        writer: WriterMode::Thread,
        now: outside.clock.now(),
    })
}
