//! A real `systemd --user` for a throw-away user: started by tests/peers/systemd/session in namespaces of its own, entered with
//! nsenter, gone with the test. What the user types runs as that user; nothing else of the machine is touched.

mod unit;

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::{Command as StdCommand, Stdio},
};

use tempfile::TempDir;
use tokio::process::Command;

pub use unit::until;

use super::child::ServerProcess;
use crate::{
    folder,
    requirements::{Missing, program},
    within,
};

/// A user id that no machine gives to anybody.
const UID: u32 = 61_234;
/// How the packages come, for whoever misses them.
const ADVICE: &str = "on Debian: apt-get install systemd dbus dbus-user-session util-linux";

/// The user, and their manager.
#[derive(Debug)]
pub struct UserSession {
    folder: TempDir,
    _manager: ServerProcess,
    /// By which others enter.
    pid: u32,
}

/// How a command ended, and what it printed.
#[derive(Debug, Clone)]
pub struct Ended {
    /// Exit code; -1 when a signal ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl UserSession {
    /// Starts the manager with an empty home.
    ///
    /// # Errors
    /// When this machine cannot: the reason.
    ///
    /// # Panics
    /// When the machine can but the manager does not come up.
    pub async fn start() -> Result<Self, Missing> {
        for name in ["unshare", "nsenter", "setpriv", "systemctl", "dbus-daemon"] {
            program(name, ADVICE)?;
        }
        for file in ["/lib/systemd/systemd", "/usr/lib/systemd/user/dbus.socket"] {
            fs::metadata(file).map_err(|_| Missing::new(format!("there is no {file}: {ADVICE}")))?;
        }
        let folder = tempfile::Builder::new().prefix("tb-service-").tempdir().expect("a scratch folder");
        chown(folder.path(), Some(UID), Some(UID)).map_err(|_| Missing::new("a user of its own needs root"))?;
        let mounts = fs::read_to_string("/proc/mounts").expect("Linux tells its mounts");
        if !mounts.lines().any(|line| line.split(' ').nth(2) == Some("cgroup2")) {
            return Err(Missing::new("there is no cgroup2 file system here"));
        }
        let mut command = StdCommand::new(crate::folder("peers/systemd/session"));
        command.arg(UID.to_string()).arg(folder.path());
        let mut manager = ServerProcess::start(command);
        let ready = manager.line(|line| line.starts_with("ready ")).await;
        let pid = ready.trim_start_matches("ready ").parse().expect("a process id");
        Ok(Self { folder, _manager: manager, pid })
    }

    /// The user's home.
    #[must_use]
    pub fn home(&self) -> &Path {
        self.folder.path()
    }

    /// The socket of the service.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        format!("/run/user/{UID}/token-broker/broker.sock").into()
    }

    /// Copies a file into the home, as the user's own; a program that runs is replaced as an upgrade does it.
    ///
    /// # Panics
    /// When it cannot be copied.
    #[expect(clippy::must_use_candidate, reason = "the file is the point, its path a convenience")]
    pub fn put(&self, from: &Path, to: &str) -> PathBuf {
        let to = self.home().join(to);
        let parent = to.parent().expect("a file in the home");
        fs::create_dir_all(parent).expect("the home takes folders");
        for made in parent.ancestors().take_while(|made| *made != self.home()) {
            chown(made, Some(UID), Some(UID)).expect("root gives it away");
        }
        let new = to.with_extension("new");
        fs::copy(from, &new).expect("the file is copied");
        chown(&new, Some(UID), Some(UID)).expect("root gives it away");
        fs::rename(&new, &to).expect("the file takes its place");
        to
    }

    /// Writes a text file into the home.
    ///
    /// # Panics
    /// When it cannot be written.
    #[expect(clippy::must_use_candidate, reason = "the file is the point, its path a convenience")]
    pub fn write(&self, to: &str, text: &str) -> PathBuf {
        let source = tempfile::NamedTempFile::new().expect("a scratch file");
        fs::write(source.path(), text).expect("it takes text");
        fs::set_permissions(source.path(), fs::Permissions::from_mode(0o644)).expect("its mode");
        self.put(source.path(), to)
    }

    /// A program inside, as the user, with the environment of a login; killed when dropped.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let ids = [format!("--reuid={UID}"), format!("--regid={UID}"), "--clear-groups".to_owned()];
        let home = self.home().display();
        let runtime = format!("/run/user/{UID}");
        let mut command = self.enter();
        command.arg("setpriv").args(ids).args(["env", "-i", "USER=broker-test", "LC_ALL=C"]);
        command.arg(format!("HOME={home}")).arg(format!("PATH={home}/.local/bin:/usr/bin:/bin"));
        command
            .arg(format!("XDG_RUNTIME_DIR={runtime}"))
            .arg(format!("DBUS_SESSION_BUS_ADDRESS=unix:path={runtime}/bus"));
        command.arg(program.as_ref());
        command
    }

    /// A program inside, as root.
    fn enter(&self) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--target={}", self.pid)).args(["--mount", "--pid", "--wd=/", "--"]);
        command.kill_on_drop(true);
        command
    }

    /// Runs what the user types: a program and its arguments, separated by spaces.
    pub async fn run(&self, line: &str) -> Ended {
        let mut words = line.split(' ');
        let mut command = self.command(words.next().unwrap_or_default());
        command.args(words);
        end(command).await
    }

    /// The same, and it must succeed; returns what it printed.
    ///
    /// # Panics
    /// When it fails; the message has what it said, and the daemon's log.
    pub async fn ok(&self, line: &str) -> String {
        let ended = self.run(line).await;
        assert_eq!(ended.code, 0, "{line}\n{}{}\nthe daemon's log:\n{}", ended.stdout, ended.stderr, self.log());
        ended.stdout
    }

    /// Runs a line of shell; it must succeed.
    ///
    /// # Panics
    /// When it fails.
    pub async fn script(&self, line: &str) -> String {
        let mut command = self.command("sh");
        command.args(["-c", line]);
        let ended = end(command).await;
        assert_eq!(ended.code, 0, "{line}\n{}{}\nthe daemon's log:\n{}", ended.stdout, ended.stderr, self.log());
        ended.stdout
    }

    /// What `cat` shows to root inside.
    ///
    /// # Panics
    /// When there is no such file.
    pub async fn look_into(&self, file: &str) -> String {
        let mut command = self.enter();
        command.args(["cat", file]);
        let ended = end(command).await;
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        ended.stdout
    }

    /// The log of the daemon, if the unit was told to write it to `daemon.log` in the home.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.home().join("daemon.log")).unwrap_or_default()
    }
}

async fn end(mut command: Command) -> Ended {
    let output = within(command.stdin(Stdio::null()).output()).await.expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ended { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// A program of this workspace, beside the test's own: target/PROFILE/deps/it-HASH.
///
/// # Panics
/// When it was not built.
#[must_use]
pub fn built(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("a process knows its program");
    let path = own.ancestors().nth(2).expect("it lies in target/PROFILE/deps").join(name);
    assert!(path.is_file(), "{} is not there: cargo build --workspace --bins", path.display());
    path
}

/// A file of `packaging/`.
#[must_use]
pub fn packaging(name: &str) -> PathBuf {
    folder("..").join("packaging").join(name)
}
