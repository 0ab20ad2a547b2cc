//! The real programs `token-brokerd` and `broker-cli` as child processes, each in a scratch home of its own: what a user runs,
//! with nothing of this process's environment. They are found beside the test executable, where cargo puts them.

mod cli;
mod daemon;
mod ready;
mod sample;

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Mutex,
    time::SystemTime,
};

use tempfile::TempDir;
use token_broker_client::{Client, ClientOptions};
use tokio::process::Command;

pub use cli::{Cli, Output, RunningCli};
pub use daemon::{DaemonProcess, Signal};
pub use sample::SampleProcess;

/// A home folder with XDG folders, for one daemon and its users.
#[derive(Debug)]
pub struct Home {
    folder: TempDir,
}

impl Home {
    /// A new, empty one, closed to other users.
    ///
    /// # Panics
    /// When no scratch folder can be made.
    #[must_use]
    pub fn new() -> Self {
        // Short: a socket's path has at most 107 bytes.
        let closed = fs::Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new().prefix("tb-").permissions(closed).tempdir().expect("a scratch folder");
        for name in ["config", "data", "run", "cache"] {
            fs::create_dir(folder.path().join(name)).expect("a scratch folder takes folders");
        }
        Self { folder }
    }

    /// The folder itself, `$HOME`.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Where the daemon serves when nothing else is said.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.path().join("run/token-broker/broker.sock")
    }

    /// Where the daemon keeps its cache when nothing else is said.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.path().join("data/token-broker")
    }

    /// A client of its own connection, to the default socket of this home.
    ///
    /// # Panics
    /// Never: the socket is named.
    #[must_use]
    pub fn client(&self) -> Client {
        let options = ClientOptions { socket: Some(self.socket()), ..ClientOptions::default() };
        Client::new(&options).expect("a client")
    }

    /// One of the project's programs in this home: the XDG folders are its own, `PATH` is ours, all else is empty.
    #[must_use]
    pub fn command(&self, name: &str) -> Command {
        let mut command = Command::new(program(name));
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", self.path());
        for (variable, folder) in [
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_DATA_HOME", "data"),
            ("XDG_RUNTIME_DIR", "run"),
            ("XDG_CACHE_HOME", "cache"),
        ] {
            command.env(variable, self.path().join(folder));
        }
        command.current_dir(self.path()).kill_on_drop(true);
        command
    }
}

impl Default for Home {
    fn default() -> Self {
        Self::new()
    }
}

/// A program of this workspace, as it was built with the tests.
///
/// # Panics
/// When it was not built, or not since its sources changed; the message says how to build it.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    static FOUND: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());
    let mut found = FOUND.lock().unwrap();
    found.entry(name.to_owned()).or_insert_with(|| find(name)).clone()
}

fn find(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("a process knows its program");
    // target/PROFILE/deps/it-HASH, or target/PROFILE/PROGRAM
    let folder = own.parent().expect("a program lies in a folder");
    let folder = if folder.ends_with("deps") { folder.parent().expect("target/PROFILE") } else { folder };
    let path = folder.join(name);
    match outdated(&path) {
        None => path,
        Some(why) => {
            panic!(
                "{}: {why}; build it with `cargo build --workspace --bins --examples`, as tests/run does",
                path.display()
            )
        }
    }
}

/// Why a program cannot stand for its sources: cargo lists them beside it, in `NAME.d`.
fn outdated(path: &Path) -> Option<String> {
    let changed = |path: &Path| path.metadata().and_then(|found| found.modified());
    let Ok(built) = changed(path) else { return Some("it is not there".to_owned()) };
    let Ok(list) = fs::read_to_string(path.with_extension("d")) else {
        return Some("its .d file is not there".to_owned());
    };
    let newer = |source: &&str| changed(Path::new(source)).is_ok_and(|time: SystemTime| time > built);
    // Spaces in names are written as `\ `.
    let list = list.split_once(": ").map_or("", |(_, sources)| sources).replace("\\ ", "\0");
    let sources: Vec<_> = list.split_whitespace().map(|source| source.replace('\0', " ")).collect();
    sources.iter().map(String::as_str).find(newer).map(|source| format!("older than {source}"))
}

#[cfg(test)]
mod tests {
    use std::{fs, time::Duration};

    use super::outdated;

    #[test]
    fn a_program_older_than_a_source_is_named_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let [program, source] = ["program", "my source.rs"].map(|name| folder.path().join(name));
        assert!(outdated(&program).unwrap().contains("not there"));
        fs::write(&source, "").unwrap();
        fs::write(&program, "").unwrap();
        let listed = source.display().to_string().replace(' ', "\\ ");
        fs::write(program.with_extension("d"), format!("{}: {listed} /gone.rs\n", program.display())).unwrap();
        assert_eq!(outdated(&program), None);
        let later = source.metadata().unwrap().modified().unwrap() + Duration::from_secs(60);
        fs::File::options().write(true).open(&source).unwrap().set_modified(later).unwrap();
        assert!(outdated(&program).unwrap().contains("my source.rs"));
    }
}
