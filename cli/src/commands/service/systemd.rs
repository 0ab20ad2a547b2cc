//! The service under the user's systemd: a socket unit, which is enabled, and a service unit, which the first call starts.

use std::{
    collections::HashMap,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
};

use token_broker_client::Reason;

use super::{ask, control, files, running, usual_data_dir, xdg};
use crate::{
    arguments::service::InstallArguments,
    failure::Failed,
    output::json_form::{InstalledJson, ServiceStatusJson, UninstalledJson, UnitJson},
};

const SOCKET: &str = "token-broker.socket";
const SERVICE: &str = "token-broker.service";
/// The drop-in of `--private-users`, below the folder of the units.
const PRIVATE_USERS: &str = "token-broker.service.d/private-users.conf";
/// What is asked of each unit.
const PROPERTIES: &str = "--property=Id,LoadState,ActiveState,SubState,UnitFileState,Result,Listen,FragmentPath";

/// Writes the units and lets the manager listen.
pub(super) async fn install(arguments: InstallArguments) -> Result<InstalledJson, Failed> {
    is_there()?;
    let before = units()?;
    refuse_second_daemon(&before).await?;
    let daemon = files::find_daemon()?;
    let folder = folder()?;
    let (written, changed) = write_units(&folder, &daemon, arguments.private_users)?;
    systemctl(&["daemon-reload"])?;
    if arguments.no_start {
        systemctl(&["enable", SOCKET])?;
    } else {
        systemctl(&["enable", "--now", SOCKET])?;
        if before.iter().any(|unit| unit.id == SERVICE && unit.is_active()) {
            // What runs under old units starts anew; with the same units it looks for a new program by itself.
            systemctl(&[if changed { "try-restart" } else { "reload" }, SERVICE])?;
        }
    }
    Ok(InstalledJson {
        files: written.iter().map(|file| file.display().to_string()).collect(),
        daemon: daemon.display().to_string(),
        socket: units()?.into_iter().find_map(|unit| unit.listens_at).unwrap_or_default(),
        changed,
        started: !arguments.no_start,
    })
}

fn write_units(folder: &Path, daemon: &Path, private_users: bool) -> Result<(Vec<PathBuf>, bool), Failed> {
    let mut texts = vec![(SOCKET, files::socket_unit()), (SERVICE, files::service_unit(daemon)?)];
    if private_users {
        let data = usual_data_dir()?;
        files::make_data_folder(&data)?;
        texts.push((PRIVATE_USERS, files::private_users(&data)?));
    }
    let mut changed = false;
    for (name, text) in &texts {
        changed |= files::write(&folder.join(name), text)?;
    }
    Ok((texts.into_iter().map(|(name, _)| folder.join(name)).collect(), changed))
}

/// Stops both units and removes what `install` wrote.
pub(super) async fn uninstall() -> Result<UninstalledJson, Failed> {
    is_there()?;
    let folder = folder()?;
    let data_dir = match daemon_of(&units()?).await {
        Some(status) => status.data_dir,
        None => usual_data_dir()?.display().to_string(),
    };
    if folder.join(SOCKET).exists() {
        systemctl(&["disable", "--now", SOCKET, SERVICE])?;
    }
    let mut removed = Vec::new();
    for file in [SOCKET, SERVICE, PRIVATE_USERS].map(|name| folder.join(name)) {
        if files::remove(&file)? {
            removed.push(file.display().to_string());
        }
    }
    // Only when it is empty: a drop-in of the user's own stays.
    let _ = std::fs::remove_dir(folder.join(format!("{SERVICE}.d")));
    systemctl(&["daemon-reload"])?;
    // An error: there was no failure to forget.
    let _ = systemctl(&["reset-failed", SOCKET, SERVICE]);
    Ok(UninstalledJson { removed, data_dir })
}

/// The state of both units, and what the daemon says if it runs. Starts nothing.
pub(super) async fn status() -> Result<ServiceStatusJson, Failed> {
    is_there()?;
    let units = units()?;
    let file = units.iter().find(|unit| unit.id == SERVICE).and_then(|unit| std::fs::read_to_string(&unit.file).ok());
    let daemon = file.as_deref().and_then(files::program_of);
    let status = daemon_of(&units).await;
    Ok(ServiceStatusJson {
        manager: "systemd",
        installed: units.iter().all(|unit| unit.is_loaded),
        socket: units.iter().find_map(|unit| unit.listens_at.clone()),
        running: status.map(|status| running(status, daemon.as_deref())),
        daemon,
        units: units.into_iter().filter(|unit| unit.is_loaded).map(|unit| unit.state).collect(),
    })
}

/// What is known of a unit.
struct Unit {
    id: String,
    is_loaded: bool,
    /// File that defines it; may lie in a package's folder.
    file: PathBuf,
    listens_at: Option<String>,
    state: UnitJson,
}

impl Unit {
    fn is_active(&self) -> bool {
        self.state.active == "active"
    }

    /// Reads the lines `NAME=VALUE` that are told of one unit.
    fn parse(block: &str) -> Self {
        let mut facts: HashMap<&str, &str> = block.lines().filter_map(|line| line.split_once('=')).collect();
        let mut fact = |name| facts.remove(name).unwrap_or_default().to_owned();
        let id = fact("Id");
        Self {
            is_loaded: fact("LoadState") == "loaded",
            file: fact("FragmentPath").into(),
            listens_at: fact("Listen").strip_suffix(" (Stream)").map(str::to_owned),
            state: UnitJson {
                name: id.clone(),
                active: fact("ActiveState"),
                sub: fact("SubState"),
                enabled: fact("UnitFileState"),
                result: fact("Result"),
            },
            id,
        }
    }
}

fn units() -> Result<Vec<Unit>, Failed> {
    let told = systemctl(&["show", PROPERTIES, SOCKET, SERVICE])?;
    Ok(told.split("\n\n").filter(|block| !block.trim().is_empty()).map(Unit::parse).collect())
}

/// What the daemon of the running service says.
async fn daemon_of(units: &[Unit]) -> Option<token_broker_client::calls::DaemonStatus> {
    units.iter().find(|unit| unit.id == SERVICE && unit.is_active())?;
    ask(units.iter().find_map(|unit| unit.listens_at.as_deref())?).await
}

/// A daemon that was started by hand holds the data folder: the service's one could not start, and systemd would take its
/// socket's place without asking.
async fn refuse_second_daemon(units: &[Unit]) -> Result<(), Failed> {
    let is_listening = units.iter().any(|unit| unit.id == SOCKET && unit.is_active());
    let socket = token_broker_client::SocketPath::resolve(None)?;
    if is_listening || !socket.is_default() || UnixStream::connect(socket.as_path()).is_err() {
        return Ok(());
    }
    let pid = ask(&socket.to_string()).await.map_or_else(|| "PID".to_owned(), |status| status.pid.to_string());
    Err(Failed::Service {
        reason: Reason::AlreadyExists,
        what: format!("a daemon that was started by hand answers at {socket}"),
        advice: format!("kill {pid}, then broker-cli service install"),
    })
}

/// The user's own units.
fn folder() -> Result<PathBuf, Failed> {
    Ok(xdg("XDG_CONFIG_HOME", ".config")?.join("systemd/user"))
}

/// Whether systemd runs this machine (`sd_booted(3)`).
fn is_there() -> Result<(), Failed> {
    if Path::new("/run/systemd/system").is_dir() { Ok(()) } else { Err(control::missing("systemd does not run here")) }
}

fn systemctl(arguments: &[&str]) -> Result<String, Failed> {
    control::run("systemctl", &[&["--user"], arguments].concat())
}

#[cfg(test)]
mod tests {
    use super::Unit;

    #[test]
    fn what_systemctl_shows_is_read() {
        let unit = Unit::parse(
            "Result=success\nListen=/run/user/1/token-broker/broker.sock (Stream)\nId=token-broker.socket\n\
             LoadState=loaded\nActiveState=active\nSubState=listening\nFragmentPath=/u\nUnitFileState=enabled",
        );
        assert!(unit.is_loaded && unit.is_active());
        assert_eq!(unit.listens_at.as_deref(), Some("/run/user/1/token-broker/broker.sock"));
        assert_eq!((unit.id.as_str(), unit.state.sub.as_str()), ("token-broker.socket", "listening"));
        assert!(!Unit::parse("Id=token-broker.service\nLoadState=not-found").is_loaded);
    }
}
