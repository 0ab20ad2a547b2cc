//! The service under macOS's launchd: an agent of the user that is always up and makes its own socket.

use std::path::PathBuf;

use token_broker_client::SocketPath;

use super::{ask, control, files, home, running, usual_data_dir};
use crate::{
    arguments::service::InstallArguments,
    failure::Failed,
    output::json_form::{InstalledJson, ServiceStatusJson, UninstalledJson, UnitJson},
};

const LABEL: &str = "io.github.token-broker";

/// Writes the agent and lets launchd start it.
pub(super) fn install(arguments: InstallArguments) -> Result<InstalledJson, Failed> {
    if arguments.private_users {
        return Err(Failed::Input("--private-users is for systemd".to_owned()));
    }
    let daemon = files::find_daemon()?;
    let file = agent_file()?;
    let changed = files::write(&file, &files::agent(&daemon, &home()?.join("Library/Logs/token-broker.log"))?)?;
    if !arguments.no_start {
        let domain = domain()?;
        // An error: it was not there. One that is there keeps its old definition and its old program.
        let _ = launchctl(&["bootout", &format!("{domain}/{LABEL}")]);
        launchctl(&["bootstrap", &domain, &file.display().to_string()])?;
    }
    Ok(InstalledJson {
        files: vec![file.display().to_string()],
        daemon: daemon.display().to_string(),
        socket: SocketPath::resolve(None)?.to_string(),
        changed,
        started: !arguments.no_start,
    })
}

/// Stops the agent and removes it.
pub(super) async fn uninstall() -> Result<UninstalledJson, Failed> {
    let data_dir = match ask(&SocketPath::resolve(None)?.to_string()).await {
        Some(status) => status.data_dir,
        None => usual_data_dir()?.display().to_string(),
    };
    // An error: it does not run.
    let _ = launchctl(&["bootout", &format!("{}/{LABEL}", domain()?)]);
    let file = agent_file()?;
    let removed = files::remove(&file)?.then(|| file.display().to_string());
    Ok(UninstalledJson { removed: removed.into_iter().collect(), data_dir })
}

/// Whether launchd knows the agent, and what the daemon says.
pub(super) async fn status() -> Result<ServiceStatusJson, Failed> {
    let told = launchctl(&["print", &format!("{}/{LABEL}", domain()?)]).ok();
    let state = |told: &str| told.lines().find_map(|line| line.trim().strip_prefix("state = ")).map(str::to_owned);
    let socket = SocketPath::resolve(None)?.to_string();
    let text = std::fs::read_to_string(agent_file()?).ok();
    let program = text.as_deref().and_then(program_of);
    Ok(ServiceStatusJson {
        manager: "launchd",
        installed: text.is_some(),
        units: vec![UnitJson {
            name: LABEL.to_owned(),
            active: if told.is_some() { "active" } else { "inactive" }.to_owned(),
            sub: told.as_deref().and_then(state).unwrap_or_else(|| "not loaded".to_owned()),
            enabled: if text.is_some() { "enabled" } else { "disabled" }.to_owned(),
            result: String::new(),
        }],
        running: ask(&socket).await.map(|status| running(status, program.as_deref())),
        socket: Some(socket),
        daemon: program,
    })
}

/// The program that an agent names: the first string of its arguments.
fn program_of(agent: &str) -> Option<String> {
    let (_, arguments) = agent.split_once("<key>ProgramArguments</key>")?;
    let (_, first) = arguments.split_once("<string>")?;
    let (first, _) = first.split_once("</string>")?;
    Some(first.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
}

fn agent_file() -> Result<PathBuf, Failed> {
    Ok(home()?.join("Library/LaunchAgents").join(format!("{LABEL}.plist")))
}

/// The domain of the user's graphical session.
fn domain() -> Result<String, Failed> {
    Ok(format!("gui/{}", control::run("id", &["-u"])?.trim()))
}

fn launchctl(arguments: &[&str]) -> Result<String, Failed> {
    control::run("launchctl", arguments)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{files, program_of};

    #[test]
    fn the_program_of_an_agent_is_read_back() {
        let agent = files::agent(Path::new("/a & <b>/token-brokerd"), Path::new("/log")).unwrap();
        assert_eq!(program_of(&agent).as_deref(), Some("/a & <b>/token-brokerd"));
    }
}
