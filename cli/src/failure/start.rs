//! How the daemon is started on this machine: by the user's systemd or launchd where the service is installed, else by hand. It
//! looks at files and starts nothing.

use std::path::{Path, PathBuf};

use token_broker_client::SocketPath;

/// Names a place for the socket where the session has none (no `XDG_RUNTIME_DIR`).
pub(crate) const SOCKET_FOR_ALL: &str = "export TOKEN_BROKER_SOCKET=\"$HOME/.token-broker/broker.sock\"";
/// The daemon, by hand, beside the shell that it is typed in.
const BY_HAND: &str = "token-brokerd &";
/// Where packages put the units of users.
const UNIT_FOLDERS: [&str; 5] = [
    "/etc/systemd/user",
    "/run/systemd/user",
    "/usr/local/lib/systemd/user",
    "/usr/lib/systemd/user",
    "/usr/local/share/systemd/user",
];

/// How a daemon comes to be on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// The user's systemd runs and knows the service.
    Service,
    /// The user's systemd runs; the service is not installed.
    Install,
    /// launchd knows the agent.
    Agent,
    /// No manager of services runs.
    ByHand,
}

/// The command that starts the daemon at this socket.
pub(super) fn command(socket: Option<&Path>) -> String {
    match SocketPath::resolve(socket) {
        Ok(socket) if !socket.is_default() => {
            format!("token-brokerd --socket {} &", super::advice::quoted(&socket.to_string()))
        }
        _ => start(way()).to_owned(),
    }
}

/// The command that puts another daemon in the place of the one that runs.
pub(crate) fn again() -> &'static str {
    match way() {
        Way::Service => {
            "systemctl --user restart token-broker.service, or start the daemon that came with this broker-cli"
        }
        Way::Agent => {
            "launchctl kickstart -k gui/$(id -u)/io.github.token-broker, or start the daemon that came with this broker-cli"
        }
        Way::Install | Way::ByHand => "end that process, then start the daemon that came with this broker-cli",
    }
}

/// What to type where no manager of services answers.
pub(crate) fn by_hand() -> &'static str {
    BY_HAND
}

fn start(way: Way) -> &'static str {
    match way {
        Way::Service => "systemctl --user start token-broker.socket",
        Way::Agent => "launchctl kickstart gui/$(id -u)/io.github.token-broker",
        Way::Install => "broker-cli service install, or token-brokerd &",
        Way::ByHand => BY_HAND,
    }
}

fn way() -> Way {
    if cfg!(target_os = "macos") {
        // It is loaded at each login, so it need not be asked whether it is.
        if has_agent() { Way::Agent } else { Way::Install }
    } else if !has_manager() {
        Way::ByHand
    } else if has_unit() {
        Way::Service
    } else {
        Way::Install
    }
}

/// Whether the user's systemd runs: it listens in the folder that the socket is below.
fn has_manager() -> bool {
    let socket = SocketPath::resolve(None).ok().filter(SocketPath::is_default);
    let runtime = socket.as_ref().and_then(|socket| socket.as_path().ancestors().nth(2));
    runtime.is_some_and(|folder| folder.join("systemd/private").exists())
}

/// Whether the agent is among those of the user.
fn has_agent() -> bool {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    home.is_some_and(|home| home.join("Library/LaunchAgents/io.github.token-broker.plist").exists())
}

/// Whether the socket unit is in one of the folders where systemd looks for units of users (systemd.unit(5)).
fn has_unit() -> bool {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|folder| folder.is_absolute());
    let own = |name: &str, below_home: &str| variable(name).or_else(|| Some(variable("HOME")?.join(below_home)));
    let own = [own("XDG_CONFIG_HOME", ".config"), own("XDG_DATA_HOME", ".local/share")];
    let folders = own.into_iter().flatten().map(|folder| folder.join("systemd/user"));
    folders.chain(UNIT_FOLDERS.map(PathBuf::from)).any(|folder| folder.join("token-broker.socket").exists())
}

#[cfg(test)]
mod tests {
    use super::{Way, start};

    #[test]
    fn systemd_is_named_where_it_runs_and_knows_the_service() {
        assert!(start(Way::Service).starts_with("systemctl --user start"));
        assert_eq!(start(Way::ByHand), "token-brokerd &");
        assert_eq!(start(Way::Agent), "launchctl kickstart gui/$(id -u)/io.github.token-broker");
        let unknown = start(Way::Install);
        assert!(unknown.starts_with("broker-cli service install") && !unknown.contains("systemctl"), "{unknown}");
    }
}
