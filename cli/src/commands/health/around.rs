//! What is around the daemon: where its socket should be and what is there, whether its version is this one's, whether its program
//! and its service are installed.

use std::{
    env, fs,
    os::unix::fs::{FileTypeExt as _, MetadataExt as _},
    path::Path,
};

use token_broker_client::{SocketPath, calls::Check};

use super::{Session, service};
use crate::failure::start;

/// The variable that names a socket.
const SOCKET_VARIABLE: &str = "TOKEN_BROKER_SOCKET";

/// The place of the socket and what is there.
pub(super) fn socket(explicit: Option<&Path>) -> Check {
    let path = match SocketPath::resolve(explicit) {
        Ok(path) => path,
        Err(error) => {
            let advice = format!(
                "log in with a session of your own, or {} for the daemon and for who calls",
                start::SOCKET_FOR_ALL
            );
            return Check::problem("socket", error.to_string(), advice);
        }
    };
    let named = match explicit {
        Some(_) => " (--socket)",
        None if !path.is_default() => " ($TOKEN_BROKER_SOCKET)",
        None if env::var_os("XDG_RUNTIME_DIR").is_none() && cfg!(not(target_os = "macos")) => {
            " (XDG_RUNTIME_DIR is not set)"
        }
        None => "",
    };
    at(path.as_path(), named)
}

fn at(path: &Path, named: &str) -> Check {
    let shown = format!("{}{named}", path.display());
    match fs::symlink_metadata(path) {
        Err(error) if named.contains(SOCKET_VARIABLE) => Check::problem(
            "socket",
            format!("{shown}: {error}"),
            format!("unset {SOCKET_VARIABLE}, or start a daemon there"),
        ),
        Err(error) => Check::warning("socket", format!("{shown}: {error}"), "start the daemon: it makes the socket"),
        Ok(found) if !found.file_type().is_socket() => {
            Check::problem("socket", format!("{shown} is not a socket"), format!("rm {}", path.display()))
        }
        Ok(_) => match path.parent().map(|folder| (folder, fs::metadata(folder))) {
            Some((folder, Ok(found))) if found.mode() & 0o077 != 0 => Check::problem(
                "socket",
                format!(
                    "{shown}: others may enter its folder (mode {:03o}), so the daemon does not serve there",
                    found.mode() & 0o777
                ),
                format!("chmod 700 {}", folder.display()),
            ),
            _ => Check::ok("socket", shown),
        },
    }
}

/// The daemon that answers, held against this program.
pub(super) async fn answers(session: &Session) -> Check {
    let status = match session.client() {
        Ok(client) => client.status().await.ok(),
        Err(_) => None,
    };
    let own = env!("CARGO_PKG_VERSION");
    match status {
        Some(status) if status.version == own => {
            Check::ok("daemon", format!("token-brokerd {own} answers, process {}", status.pid))
        }
        Some(status) => Check::warning(
            "daemon",
            format!("token-brokerd {} answers, and this is broker-cli {own}", status.version),
            start::again(),
        ),
        None => Check::ok("daemon", "answers"),
    }
}

/// The daemon's program.
pub(super) fn program() -> Check {
    match service::find_daemon() {
        Ok(path) => Check::ok("program", path.display().to_string()),
        Err(_) => Check::problem(
            "program",
            "there is no token-brokerd beside broker-cli, and none in PATH",
            "install token-brokerd beside broker-cli",
        ),
    }
}

/// The service that would start the daemon.
pub(super) async fn service() -> Check {
    match service::state().await {
        Ok(status) if !status.installed => {
            Check::warning("service", "is not installed: nothing starts the daemon", "broker-cli service install")
        }
        Ok(status) if status.units.iter().any(|unit| unit.active == "failed") => Check::problem(
            "service",
            "is installed, and has failed",
            "journalctl --user --unit token-broker, then broker-cli service install",
        ),
        Ok(_) => Check::ok("service", "is installed"),
        Err(failed) => {
            let (found, advice) = crate::failure::told(&failed);
            Check::warning("service", found, advice.unwrap_or_else(|| start::by_hand().to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _, os::unix::net::UnixListener, path::PathBuf};

    use token_broker_client::calls::CheckState;

    use super::at;

    #[test]
    fn what_is_wrong_with_the_place_is_said() {
        let folder =
            PathBuf::from(format!("{}/token-broker-doctor-{}", std::env::temp_dir().display(), std::process::id()));
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        let place = folder.join("s");
        assert_eq!(at(&place, "").state, CheckState::Warning, "nothing is there yet");
        let lost = at(&place, " ($TOKEN_BROKER_SOCKET)");
        assert!(lost.state == CheckState::Problem && lost.advice.unwrap().starts_with("unset TOKEN_BROKER_SOCKET"));
        fs::write(&place, "").unwrap();
        assert_eq!(at(&place, "").state, CheckState::Problem, "a file");
        fs::remove_file(&place).unwrap();
        let _listener = UnixListener::bind(&place).unwrap();
        assert_eq!(at(&place, "").state, CheckState::Ok);
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        let open = at(&place, "");
        fs::remove_dir_all(&folder).unwrap();
        assert!(open.state == CheckState::Problem && open.advice.unwrap().starts_with("chmod 700 "));
    }
}
