//! The real `token-brokerd` in a process of its own, for what a test's own process cannot have: an environment, a command
//! line, an exit code, a log.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Mutex, OnceLock},
    thread::{self, JoinHandle},
};

use tempfile::TempDir;
use token_broker_client::{Client, ClientOptions};
use tokio::sync::watch;

/// A running daemon; killed when dropped.
#[derive(Debug)]
pub struct Program {
    folder: TempDir,
    child: Child,
    log: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

/// The program of this name, built from the sources as they are.
///
/// # Panics
/// When it cannot be built.
pub fn built(name: &str) -> PathBuf {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--workspace", "--bins", "--quiet"]).current_dir(crate::folder(".."));
        if !cfg!(debug_assertions) {
            cargo.arg("--release");
        }
        assert!(cargo.status().expect("cargo runs").success(), "the programs cannot be built");
    });
    let test = std::env::current_exe().expect("a test has a path");
    test.parent().and_then(Path::parent).expect("target/debug/deps").join(name)
}

/// `token-brokerd` with these arguments and nothing of this process's environment that would bend it.
fn command(arguments: &[&OsStr], environment: &[(&str, &OsStr)]) -> Command {
    let mut command = Command::new(built("token-brokerd"));
    for name in
        ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy", "RUST_LOG", "SSL_CERT_DIR"]
    {
        command.env_remove(name);
    }
    command.args(arguments).envs(environment.iter().copied());
    command
}

/// Runs it to its end: for a start that must fail.
///
/// # Panics
/// When it cannot be run.
#[must_use]
pub fn refused(arguments: &[&OsStr]) -> Output {
    command(arguments, &[]).output().expect("token-brokerd runs")
}

impl Program {
    /// Starts it on this data folder and waits until it is ready.
    ///
    /// # Panics
    /// When it does not become ready.
    pub async fn start(data_dir: &Path, environment: &[(&str, &OsStr)]) -> Self {
        let folder = tempfile::Builder::new().prefix("token-broker-").tempdir().expect("a scratch folder");
        let (socket, config) = (folder.path().join("run").join("broker.sock"), folder.path().join("config.toml"));
        std::fs::write(&config, "").expect("an empty configuration");
        let arguments = [
            OsStr::new("--socket"),
            socket.as_os_str(),
            OsStr::new("--data-dir"),
            data_dir.as_os_str(),
            OsStr::new("--config"),
            config.as_os_str(),
        ];
        let mut child = command(&arguments, environment).stderr(Stdio::piped()).spawn().expect("token-brokerd starts");
        let (log, ready) = (Arc::<Mutex<String>>::default(), watch::Sender::new(false));
        let mut is_ready = ready.subscribe();
        let lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
        let kept = Arc::clone(&log);
        let reader = thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let end = line.trim_end().ends_with("ready");
                kept.lock().unwrap().push_str(&(line + "\n"));
                if end {
                    ready.send_replace(true);
                }
            }
        });
        let program = Self { folder, child, log, reader: Some(reader) };
        let waited = crate::within(is_ready.wait_for(|ready| *ready)).await.map(|_| ());
        assert!(waited.is_ok(), "token-brokerd ended before it was ready:\n{}", program.log());
        program
    }

    /// A client of its own connection.
    ///
    /// # Panics
    /// Never: the socket is named.
    #[must_use]
    pub fn client(&self) -> Client {
        let socket = Some(self.folder.path().join("run").join("broker.sock"));
        Client::new(&ClientOptions { socket, ..ClientOptions::default() }).expect("a client")
    }

    /// All that it logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill(); // an error: it is gone already
        let _ = self.child.wait();
        self.reader.take().map(JoinHandle::join);
    }
}
