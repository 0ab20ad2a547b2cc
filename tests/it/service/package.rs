//! `packaging/install`, as the README tells it: into the home of a user under systemd, and on a machine without it.

use std::process::Command;

use token_broker_tests::{
    peers::systemd::{UserSession, built, packaging},
    requirements::{Missing, require},
};

/// A session with the sources' script and the built programs somewhere, and nothing installed.
pub(super) async fn unpacked() -> Option<UserSession> {
    let session = require(UserSession::start().await)?;
    session.put(&packaging("install"), "source/packaging/install");
    for name in ["broker-cli", "token-brokerd"] {
        session.put(&built(name), &format!("built/{name}"));
    }
    Some(session)
}

#[tokio::test]
async fn one_command_installs_and_one_removes() {
    let Some(session) = unpacked().await else { return };
    let said = session.script("cd ~/source && packaging/install --from ~/built").await;
    for line in ["installed completions for bash zsh fish", "ready at /run/user/", "loginctl enable-linger"] {
        assert!(said.contains(line), "{line} in\n{said}");
    }
    assert!(said.ends_with("\nType next: broker-cli status\n") && !said.contains("PATH"), "{said}");
    let completions = session.home().join(".local/share/bash-completion/completions/broker-cli");
    assert!(std::fs::read_to_string(completions).unwrap().contains("complete -F"));
    session.ok("broker-cli status").await;

    // Again, as an upgrade: the daemon makes room for the new program.
    session.script("cd ~/source && packaging/install --from ~/built").await;
    session.service_becomes("ActiveState", "inactive").await;
    session.ok("broker-cli status").await;

    let said = session.script("cd ~/source && packaging/install --uninstall").await;
    assert!(said.contains("the data stays in"), "{said}");
    assert_eq!(session.states().await, ("inactive".into(), "inactive".into()));
    let left = session.ok(&format!("find {}/.local -type f -name *broker*", session.home().display())).await;
    assert!(!left.contains("/bin/") && !left.contains("completions"), "{left}");
    assert!(session.home().join(".local/share/token-broker/cache.db").is_file());
}

#[tokio::test]
async fn programs_elsewhere_go_without_the_service_of_others() {
    let Some(session) = unpacked().await else { return };
    session.script("cd ~/source && packaging/install --from ~/built").await;
    session.script("cd ~/source && packaging/install --from ~/built --prefix ~/other --no-service").await;
    let said = session.script("cd ~/source && packaging/install --uninstall --prefix ~/other").await;
    assert!(said.contains("the service stays: it runs "), "{said}");
    assert!(!session.home().join("other/bin/token-brokerd").exists(), "{said}");
    session.ok("broker-cli status").await;
    let said = session.script("cd ~/source && packaging/install --uninstall --no-service").await;
    assert!(said.contains("stays"), "{said}");
    assert_eq!(session.states().await, ("active".into(), "active".into()));
}

#[test]
fn without_systemd_the_programs_are_installed_and_the_rest_is_said() {
    let by_systemd = std::path::Path::new("/run/systemd/system").is_dir();
    let Some(()) = require(if by_systemd { Err(Missing::new("systemd runs this machine")) } else { Ok(()) }) else {
        return;
    };
    let home = tempfile::tempdir().unwrap();
    let from = built("broker-cli");
    let installer = |arguments: &[&str]| {
        let mut command = Command::new(packaging("install"));
        command.args(arguments).env_clear().env("HOME", home.path()).env("PATH", "/usr/bin:/bin");
        let output = command.output().unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(output.status.success(), "{said}");
        said
    };
    let said = installer(&["--from", from.parent().unwrap().to_str().unwrap()]);
    let bin = home.path().join(".local/bin");
    assert!(bin.join("token-brokerd").is_file() && !home.path().join(".config").exists(), "{said}");
    for line in [
        "systemd does not run here",
        &format!("Type next: {}/token-brokerd &", bin.display()),
        &format!("export PATH=\"{}:$PATH\"", bin.display()),
    ] {
        assert!(said.contains(line), "{line} in\n{said}");
    }

    let has_runtime_folder = std::path::Path::new("/run/user").join(rustix::process::geteuid().to_string()).is_dir();
    assert_eq!(said.contains("export TOKEN_BROKER_SOCKET="), !has_runtime_folder, "{said}");

    // No daemon runs: there is none to name, and that is no reason to stop.
    let said = installer(&["--uninstall"]);
    assert!(!bin.join("token-brokerd").exists() && !said.contains("still runs"), "{said}");
    assert!(installer(&["--uninstall"]).starts_with("there is no "), "nothing is installed any more");
}

#[test]
fn a_wrong_word_is_answered_with_the_usage() {
    let output = Command::new(packaging("install")).arg("--everything").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("Usage: packaging/install"));
}
