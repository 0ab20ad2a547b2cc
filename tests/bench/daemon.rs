//! The real `token-brokerd`, as built beside this program, on a filled folder; its memory and its processor time.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::thread::{CpuSet, sched_setaffinity};
use tempfile::TempDir;
use token_broker_client::{
    Client, ClientOptions,
    calls::{Subject, TokenRequest},
};

use crate::{
    fill::{Filled, application_name},
    sample::Sample,
};

/// A running daemon; killed when dropped.
pub(crate) struct Running {
    child: Child,
    pub(crate) socket: PathBuf,
}

/// A program that was built beside this one.
pub(crate) fn built(name: &str) -> PathBuf {
    std::env::current_exe().expect("a path").with_file_name(name)
}

/// A plain request for a token of this account.
pub(crate) fn request(account: &str) -> TokenRequest {
    TokenRequest { subject: Subject::User(Some(account.to_owned())), ..TokenRequest::new(application_name()) }
}

fn spawn(folder: &TempDir, config: Option<&Path>) -> Running {
    let socket = folder.path().join("run").join("broker.sock");
    let mut command = Command::new(built("token-brokerd"));
    command.arg("--data-dir").arg(folder.path().join("data")).arg("--socket").arg(&socket).stderr(Stdio::null());
    if let Some(config) = config {
        command.arg("--config").arg(config);
    }
    let child = command.spawn().expect("token-brokerd: build it with cargo build --release --workspace --bins");
    Running { child, socket }
}

/// Starts it and waits for its first answer.
pub(crate) async fn start(filled: &Filled) -> Running {
    let running = spawn(&filled.folder, None);
    running.answers(filled).await;
    running
}

/// From exec to the first cached token, several times.
pub(crate) async fn measure_start(filled: &Filled) -> Sample {
    let mut measured = Vec::new();
    for _ in 0..20 {
        let begun = Instant::now();
        let running = spawn(&filled.folder, None);
        running.answers(filled).await;
        measured.push(begun.elapsed());
        drop(running);
    }
    Sample::of(measured)
}

impl Running {
    /// Starts one on any folder, with this configuration, and waits until it answers.
    pub(crate) async fn spawn(folder: &TempDir, config: Option<&Path>) -> Self {
        let running = spawn(folder, config);
        while running.client().status().await.is_err() {
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        running
    }

    /// A client with a connection of its own.
    pub(crate) fn client(&self) -> Client {
        Client::new(&ClientOptions { socket: Some(self.socket.clone()), ..ClientOptions::default() }).expect("a client")
    }

    async fn answers(&self, filled: &Filled) {
        let request = request(&filled.some_account());
        loop {
            if self.client().token(&request).await.is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
    }

    /// Processor time that it has used.
    pub(crate) fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/schedstat", self.child.id())).expect("schedstat");
        Duration::from_nanos(stat.split(' ').next().and_then(|nanos| nanos.parse().ok()).expect("a number"))
    }

    /// Resident memory in KiB.
    pub(crate) fn rss_kib(&self) -> u64 {
        self.memory("VmRSS:")
    }

    /// The most that it had resident so far.
    pub(crate) fn peak_kib(&self) -> u64 {
        self.memory("VmHWM:")
    }

    fn memory(&self, which: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("status");
        let line = status.lines().find(|line| line.starts_with(which)).expect("a line");
        line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number")
    }

    /// Binds the daemon to one processor, and this thread to another or the same.
    pub(crate) fn pin(&self, daemon: usize, own: usize) {
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.child.id()).expect("a pid"));
        for (pid, cpu) in [(pid, daemon), (None, own)] {
            let mut set = CpuSet::new();
            set.set(cpu);
            sched_setaffinity(pid, &set).expect("affinity");
        }
    }

    /// Any processor for both again.
    pub(crate) fn unpin(&self) {
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.child.id()).expect("a pid"));
        let mut set = CpuSet::new();
        (0..std::thread::available_parallelism().expect("processors").get()).for_each(|cpu| set.set(cpu));
        for pid in [pid, None] {
            sched_setaffinity(pid, &set).expect("affinity");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
