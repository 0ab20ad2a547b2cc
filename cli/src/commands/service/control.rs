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
    Err(failed(&told(), String::from_utf8_lossy(&output.stderr).trim()))
}

/// What a manager's command said when it failed. Without a session of the user's no manager of theirs runs, as after `su`.
fn failed(command: &str, said: &str) -> Failed {
    let what = format!("{command} failed: {said}");
    if !said.contains("Failed to connect to") {
        return Failed::System(what);
    }
    let user = std::env::var("USER").unwrap_or_else(|_| "USER".to_owned());
    let advice = format!("log in as {user}, or loginctl enable-linger {user}");
    Failed::Service { reason: Reason::Unsupported, what, advice }
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

#[cfg(test)]
mod tests {
    use super::failed;
    use crate::failure::Failed;

    #[test]
    fn who_has_no_manager_of_services_is_told_how_to_get_one() {
        for said in [
            "Failed to connect to bus: No medium found",
            "Failed to connect to user scope bus via local transport: $DBUS_SESSION_BUS_ADDRESS and $XDG_RUNTIME_DIR not defined",
        ] {
            let Failed::Service { what, advice, .. } = failed("systemctl --user show", said) else { panic!("{said}") };
            assert_eq!(what, format!("systemctl --user show failed: {said}"));
            assert!(advice.contains("loginctl enable-linger "), "{advice}");
        }
        assert!(matches!(failed("systemctl --user show", "Unit is masked."), Failed::System(_)));
    }
}
