//! `service install|uninstall|status`: the daemon as a service of the user, under systemd or under launchd on macOS. It writes
//! the service's files and tells the manager; the socket, the data and the daemon itself belong to others.

mod control;
mod files;
mod launchd;
mod systemd;

use std::{env, path::PathBuf};

use token_broker_client::{Client, ClientOptions, calls::DaemonStatus};

use super::Session;
use crate::{
    arguments::service::ServiceCommand,
    failure::{Exit, Failed},
    output::{
        self,
        json_form::{InstalledJson, RunningJson, ServiceStatusJson, UninstalledJson},
        table,
    },
};

/// Does it, and says what was done and what to type next.
pub(super) async fn run(session: &Session, command: &ServiceCommand) -> Result<Exit, Failed> {
    if session.options.socket.is_some() {
        return Err(Failed::Input("the service has a socket of its own; leave --socket out".to_owned()));
    }
    let macos = cfg!(target_os = "macos");
    match command {
        ServiceCommand::Install(arguments) => {
            let installed = if macos { launchd::install(*arguments) } else { systemd::install(*arguments).await };
            tell_installed(session, &installed?)
        }
        ServiceCommand::Uninstall => {
            let uninstalled = if macos { launchd::uninstall().await } else { systemd::uninstall().await };
            tell_uninstalled(session, &uninstalled?)
        }
        ServiceCommand::Status => tell_status(session, &state().await?),
    }
}

/// The state of the service; starts nothing.
pub(super) async fn state() -> Result<ServiceStatusJson, Failed> {
    if cfg!(target_os = "macos") { launchd::status().await } else { systemd::status().await }
}

/// The daemon's program: beside this one, else in `PATH`.
pub(super) fn find_daemon() -> Result<PathBuf, Failed> {
    files::find_daemon()
}

fn tell_installed(session: &Session, installed: &InstalledJson) -> Result<Exit, Failed> {
    if session.output.is_json() {
        output::json(installed)?;
        return Ok(Exit::Done);
    }
    let verb = if installed.changed { "wrote" } else { "unchanged:" };
    for file in &installed.files {
        output::line(&format!("{verb} {file}"))?;
    }
    output::line(&format!("it runs {}", installed.daemon))?;
    if installed.started {
        output::line(&started_words(&installed.socket, cfg!(target_os = "macos")))?;
        session.output.note("try: broker-cli status");
    } else {
        output::line("nothing was started; it will be at your next login")?;
    }
    if env::var_os("TOKEN_BROKER_SOCKET").is_some_and(|socket| *socket != *installed.socket) {
        session.output.note("note: TOKEN_BROKER_SOCKET names another socket than the service's, and wins");
    }
    Ok(Exit::Done)
}

/// systemd listens for the daemon; launchd has started it (`RunAtLoad`).
fn started_words(socket: &str, macos: bool) -> String {
    let when = if macos { "the daemon runs" } else { "the first call starts the daemon" };
    format!("ready at {socket}: {when}")
}

fn tell_uninstalled(session: &Session, uninstalled: &UninstalledJson) -> Result<Exit, Failed> {
    if session.output.is_json() {
        output::json(uninstalled)?;
        return Ok(Exit::Done);
    }
    for file in &uninstalled.removed {
        output::line(&format!("removed {file}"))?;
    }
    if uninstalled.removed.is_empty() {
        session.output.note("the service was not installed");
    }
    output::line(&format!("the data stays in {}", uninstalled.data_dir))?;
    Ok(Exit::Done)
}

fn tell_status(session: &Session, status: &ServiceStatusJson) -> Result<Exit, Failed> {
    if session.output.is_json() {
        output::json(status)?;
        return Ok(Exit::Done);
    }
    let mut facts: Vec<(&str, String)> = Vec::new();
    for unit in &status.units {
        let failed = Some(&unit.result).filter(|result| !result.is_empty() && *result != "success");
        let result = failed.map(|result| format!(", last result: {result}")).unwrap_or_default();
        facts.push((&unit.name, format!("{} ({}), {}{result}", unit.active, unit.sub, unit.enabled)));
    }
    facts.extend(status.socket.clone().map(|socket| ("socket", socket)));
    facts.extend(status.daemon.clone().map(|daemon| ("program", daemon)));
    facts.push(("daemon", status.running.as_ref().map_or_else(|| "not running".to_owned(), running_words)));
    output::line(&table::facts(facts))?;
    if !status.installed {
        session.output.note("the service is not installed\ntry: broker-cli service install");
    } else if status.units.iter().any(|unit| unit.active == "failed") {
        session.output.note("try: journalctl --user --unit token-broker, then broker-cli service install");
    }
    Ok(Exit::Done)
}

fn running_words(running: &RunningJson) -> String {
    let program = if running.executable_is_installed {
        "runs the installed program".to_owned()
    } else {
        format!("still runs an older {}; it restarts by itself when idle", running.executable)
    };
    format!("token-brokerd {}, process {}, {program}", running.version, running.pid)
}

/// What the daemon at this socket says of itself, if one answers.
async fn ask(socket: &str) -> Option<DaemonStatus> {
    let options = ClientOptions { socket: Some(socket.into()), server_uid: None };
    Client::new(&options).ok()?.status().await.ok()
}

/// The running daemon, held against the program that the service is to run.
fn running(status: DaemonStatus, installed: Option<&str>) -> RunningJson {
    let executable_is_installed = !status.executable_replaced && installed == Some(status.executable.as_str());
    RunningJson { pid: status.pid, version: status.version, executable: status.executable, executable_is_installed }
}

fn home() -> Result<PathBuf, Failed> {
    let home = env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
    home.ok_or_else(|| Failed::Input("HOME does not name your home folder".to_owned()))
}

/// A folder of the XDG Base Directory Specification; a relative one is to be ignored.
fn xdg(variable: &str, below_home: &str) -> Result<PathBuf, Failed> {
    let named = env::var_os(variable).map(PathBuf::from).filter(|folder| folder.is_absolute());
    named.map_or_else(|| Ok(home()?.join(below_home)), Ok)
}

/// Where the data is unless the configuration says otherwise.
fn usual_data_dir() -> Result<PathBuf, Failed> {
    let folder = if cfg!(target_os = "macos") {
        home()?.join("Library/Application Support")
    } else {
        xdg("XDG_DATA_HOME", ".local/share")?
    };
    Ok(folder.join("token-broker"))
}

#[cfg(test)]
mod tests {
    use super::started_words;

    #[test]
    fn who_starts_the_daemon_is_said() {
        assert_eq!(started_words("/s", false), "ready at /s: the first call starts the daemon");
        assert_eq!(started_words("/s", true), "ready at /s: the daemon runs");
    }
}
