//! `token-brokerd` as a process of its own: started until it says READY, its log kept, signalled, killed.

use std::{
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex},
};

pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process};
use token_broker_client::{Client, ClientOptions};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, Command},
    task::JoinSet,
};

use super::{Home, ready::NotifySocket};
use crate::within;

/// A running daemon; killed when dropped.
#[derive(Debug)]
pub struct DaemonProcess {
    child: Child,
    pid: u32,
    socket: PathBuf,
    printed: Arc<Mutex<Vec<u8>>>,
    readers: JoinSet<()>,
}

impl DaemonProcess {
    /// Starts one with its defaults, in this home.
    pub async fn start(home: &Home) -> Self {
        Self::start_with(home, |_| ()).await
    }

    /// Starts one with arguments or variables of its own.
    ///
    /// # Panics
    /// When it ends before it is ready; the message has its log.
    pub async fn start_with(home: &Home, change: impl FnOnce(&mut Command)) -> Self {
        let ready = NotifySocket::bind(home.path());
        let mut command = home.command("token-brokerd");
        command.env("NOTIFY_SOCKET", ready.path());
        change(&mut command);
        let mut daemon = Self::spawn(home, command);
        let ended = tokio::select! {
            () = within(ready.ready()) => None,
            status = daemon.child.wait() => Some(status),
        };
        if let Some(status) = ended {
            panic!("token-brokerd ended before it was ready ({status:?}); it printed:\n{}", daemon.finish().await);
        }
        daemon
    }

    /// Starts one and waits for nothing.
    #[must_use]
    pub fn launch(home: &Home) -> Self {
        Self::spawn(home, home.command("token-brokerd"))
    }

    /// Starts one that is expected to refuse; returns how it ended and what it said.
    pub async fn refused(home: &Home, change: impl FnOnce(&mut Command)) -> (ExitStatus, String) {
        let mut command = home.command("token-brokerd");
        change(&mut command);
        let mut daemon = Self::spawn(home, command);
        let status = within(daemon.child.wait()).await.expect("its end is known");
        (status, daemon.finish().await)
    }

    fn spawn(home: &Home, mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("token-brokerd starts");
        let printed = Arc::new(Mutex::new(Vec::new()));
        let mut readers = JoinSet::new();
        readers.spawn(keep(child.stdout.take().expect("it is piped"), Arc::clone(&printed)));
        readers.spawn(keep(child.stderr.take().expect("it is piped"), Arc::clone(&printed)));
        let pid = child.id().expect("it runs");
        Self { child, pid, socket: home.socket(), printed, readers }
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// A client of its own connection, to the default socket of the home.
    #[must_use]
    pub fn client(&self) -> Client {
        let options = ClientOptions { socket: Some(self.socket.clone()), ..ClientOptions::default() };
        Client::new(&options).expect("a client")
    }

    /// What it has printed so far, on both streams.
    #[must_use]
    pub fn printed(&self) -> String {
        String::from_utf8_lossy(&self.printed.lock().unwrap()).into_owned()
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// When it cannot be signalled.
    pub fn tell(&self, signal: Signal) {
        let pid = Pid::from_raw(self.pid.cast_signed()).expect("a process id is not zero");
        kill_process(pid, signal).expect("the daemon can be signalled");
    }

    /// Sends a signal and waits for the end; returns how it ended and all that it printed.
    pub async fn end(mut self, signal: Signal) -> (ExitStatus, String) {
        self.tell(signal);
        let status = within(self.child.wait()).await.expect("its end is known");
        (status, self.finish().await)
    }

    /// Everything it printed, once its streams are closed.
    async fn finish(&mut self) -> String {
        while within(self.readers.join_next()).await.is_some() {}
        self.printed()
    }
}

/// Reads a stream to its end.
async fn keep(mut stream: impl AsyncRead + Unpin, printed: Arc<Mutex<Vec<u8>>>) {
    let mut part = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut part).await {
        printed.lock().unwrap().extend_from_slice(part.get(..length).unwrap_or_default());
    }
}
