//! Installing, the first call, and removing, as a user types it.

use std::process::Stdio;

use serde_json::Value;
use token_broker_tests::{
    peers::systemd::{built, until},
    requirements::{Missing, require},
    within,
};

use super::session;

#[tokio::test]
async fn the_first_call_starts_what_was_installed_and_removing_leaves_the_data() {
    let Some(session) = session().await else { return };
    let said = session.ok("broker-cli service status").await;
    assert!(said.contains("not running"), "{said}");
    let said = session.ok("broker-cli service install").await;
    let socket = session.socket();
    assert!(said.contains(&format!("ready at {}", socket.display())), "{said}");
    assert_eq!(session.states().await, ("active".into(), "inactive".into()));
    let again: Value = serde_json::from_str(&session.ok("broker-cli --json service install").await).unwrap();
    assert_eq!((&again["changed"], &again["started"]), (&false.into(), &true.into()), "{again}");

    let status: Value = serde_json::from_str(&session.ok("broker-cli --json status").await).unwrap();
    assert_eq!(status["socket"], socket.to_str().unwrap());
    assert_eq!(session.states().await, ("active".into(), "active".into()));
    let home = session.home().display();
    let service: Value = serde_json::from_str(&session.ok("broker-cli --json service status").await).unwrap();
    assert_eq!(service["daemon"], format!("{home}/.local/bin/token-brokerd"), "{service}");
    assert_eq!(service["running"]["pid"], status["pid"], "{service}");
    assert_eq!(service["running"]["executable_is_installed"], true, "{service}");
    assert_eq!((&service["installed"], &service["manager"]), (&true.into(), &"systemd".into()));
    let said = session.ok("broker-cli service status").await;
    assert!(said.contains("active (running), enabled") && said.contains("runs the installed program"), "{said}");

    let said = session.ok("broker-cli service uninstall").await;
    let data = session.home().join(".local/share/token-broker");
    assert!(said.ends_with(&format!("the data stays in {}\n", data.display())), "{said}");
    assert!(data.join("cache.db").is_file() && data.join("key").is_file());
    assert_eq!(session.states().await, ("inactive".into(), "inactive".into()));
    let units = session.home().join(".config/systemd/user");
    assert!(!units.join("token-broker.service").exists() && !units.join("token-broker.socket").exists());
    let ended = session.run("broker-cli status").await;
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    assert!(session.ok("broker-cli service uninstall").await.contains("the data stays in"));
}

#[tokio::test]
async fn a_daemon_that_was_started_by_hand_is_not_pushed_aside() {
    let Some(session) = session().await else { return };
    let mut by_hand = session.command("token-brokerd");
    let mut by_hand = by_hand.stderr(Stdio::null()).spawn().unwrap();
    until(async || session.run("broker-cli status").await.code == 0).await;
    let refused = session.run("broker-cli service install").await;
    assert_eq!(refused.code, 1, "{}", refused.stderr);
    assert!(refused.stderr.contains("started by hand") && refused.stderr.contains("try: kill "), "{}", refused.stderr);
    let kill = refused.stderr.rsplit_once("try: ").unwrap().1.split(',').next().unwrap();
    session.script(kill).await;
    within(by_hand.wait()).await.unwrap();
    session.ok("broker-cli service install --no-start").await;
    assert_eq!(session.states().await, ("inactive".into(), "inactive".into()));
}

#[tokio::test]
async fn the_closer_confinement_stays_until_the_service_goes() {
    let Some(session) = session().await else { return };
    let file = session.home().join(".config/systemd/user/token-broker.service.d/private-users.conf");
    session.ok("broker-cli service install --private-users --no-start").await;
    assert_eq!(session.property("service", "PrivateUsers").await, "yes");
    assert_eq!(session.property("service", "ProtectSystem").await, "strict");
    let data = session.home().join(".local/share/token-broker");
    assert_eq!(session.ok(&format!("stat --format=%a {}", data.display())).await, "700\n");
    session.ok("broker-cli service install --no-start").await;
    assert!(file.is_file(), "an upgrade does not open what was closed");
    session.ok("broker-cli service uninstall").await;
    assert!(!file.exists() && session.home().join(".config/systemd/user/token-broker.service.d/log.conf").is_file());
}

#[tokio::test]
async fn a_machine_without_systemd_is_told_what_to_type() {
    let by_systemd = std::path::Path::new("/run/systemd/system").is_dir();
    let missing = Missing::new("systemd runs this machine");
    let Some(()) = require(if by_systemd { Err(missing) } else { Ok(()) }) else { return };
    let program = built("broker-cli");
    for (command, json) in [("install", false), ("uninstall", false), ("status", true)] {
        let mut line = std::process::Command::new(&program);
        line.args(["service", command]).args(json.then_some("--json"));
        let output = line.output().unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("systemd does not run here") && said.contains("token-brokerd &"), "{said}");
        assert_eq!(said.contains("\"UNSUPPORTED\""), json, "{said}");
    }
}
