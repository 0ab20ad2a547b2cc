//! One command of a service manager: run, its output kept, its failure told in its own words.

use std::{io, process::Command};

use token_broker_client::{Reason, SocketPath};

use super::files;
use crate::failure::Failed;

/// Runs it and returns what it printed.
pub(super) fn run(program: &str, arguments: &[&str]) -> Result<String, Failed> {
    let told = || format!("{program} {}", arguments.join(" "));
    let mut command = Command::new(program);
    command.args(arguments).env("LC_ALL", "C");
    // Without a login session, as after `su`, the variable is missing while the manager may well run.
    if let (None, Some(folder)) = (std::env::var_os("XDG_RUNTIME_DIR"), runtime_folder()) {
        command.env("XDG_RUNTIME_DIR", folder);
    }
    let output = command.output().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => missing(&format!("there is no {program} here")),
        _ => Failed::System(format!("cannot run {}: {error}", told())),
    })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Failed::System(format!("{} failed: {}", told(), said.trim())))
}

/// There is no manager: the daemon has to be started by hand.
pub(super) fn missing(what: &str) -> Failed {
    let daemon = files::find_daemon().map_or_else(|_| "token-brokerd".to_owned(), |path| path.display().to_string());
    Failed::Service {
        reason: Reason::Unsupported,
        what: format!("{what}: the daemon cannot be a service of yours; start it by hand or with your session"),
        advice: format!("{daemon} &"),
    }
}

fn runtime_folder() -> Option<std::path::PathBuf> {
    let socket = SocketPath::resolve(None).ok().filter(SocketPath::is_default)?;
    socket.as_path().ancestors().nth(2).map(Into::into)
}
