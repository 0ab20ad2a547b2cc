//! The diagnosis: each thing that is wrong is found and comes with what to do; the exit code says whether something does not work.

use std::{fs, os::unix::fs::PermissionsExt};

use serde_json::Value;
use token_broker_tests::process::{DaemonProcess, Home, Output};

/// State, text and advice of a check.
fn check(output: &Output, name: &str) -> (String, String, String) {
    let form: Value = serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    let checks = form["checks"].as_array().expect("checks");
    let found = checks.iter().find(|check| check["name"] == name);
    let found = found.unwrap_or_else(|| panic!("{name} is not in {form}"));
    let text = |member: &str| found[member].as_str().unwrap_or_default().to_owned();
    (text("state"), text("found"), text("advice"))
}

#[tokio::test]
async fn a_daemon_that_is_well() {
    let home = Home::new();
    let _daemon = DaemonProcess::start(&home).await;
    let output = home.cli(["doctor", "--json"]).run().await;
    assert_eq!(output.code, 0, "{output:?}");
    for name in [
        "socket",
        "daemon",
        "store",
        "key",
        "data_folder",
        "clock",
        "program",
        "trust",
        "application",
        "grants",
        "limits",
    ] {
        assert_eq!(check(&output, name).0, "ok", "{name}: {output:?}");
    }
    let people = home.cli(["doctor"]).run().await;
    assert!(people.code == 0 && people.stdout.starts_with("STATE"), "{people:?}");
}

#[tokio::test]
async fn what_is_wrong_is_found_and_comes_with_advice() {
    let home = Home::new();
    let _daemon = DaemonProcess::start_with(&home, |command| {
        command.env("SSL_CERT_FILE", "/nowhere/roots.pem").env("HTTPS_PROXY", "http://ada:s3cret@proxy.example:3128");
    })
    .await;
    let added = ["app", "add", "mail", "--client-id", "c", "--issuer", "https://id.example", "--offline"];
    assert_eq!(home.cli(added).run().await.code, 0);
    fs::set_permissions(home.data_dir(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::remove_file(home.data_dir().join("key")).unwrap();
    fs::write(home.data_dir().join("cache.db.damaged-2026-01-01T000000Z"), "").unwrap();
    let output = home.cli(["doctor", "--json"]).run().await;
    assert_eq!(output.code, 1, "{output:?}");
    for (name, state, found, advice) in [
        ("store", "ok", "read and written", ""),
        ("key", "problem", "is missing", "at its next start the store is locked"),
        ("data_folder", "warning", "mode 0755", "chmod 700 "),
        ("damaged_cache", "warning", "cache.db.damaged-2026", "remove the file"),
        ("trust", "problem", "SSL_CERT_FILE=/nowhere/roots.pem", "SSL_CERT_FILE"),
        ("proxy", "ok", "http://proxy.example:3128", ""),
        ("application", "warning", "mail", "broker-cli login mail"),
    ] {
        let (is, says, tells) = check(&output, name);
        assert!(is == state && says.contains(found) && tells.contains(advice), "{name}: {is}, {says}, {tells}");
    }
    assert!(!output.stdout.contains("s3cret"), "{output:?}");
    let people = home.cli(["doctor"]).run().await;
    assert!(people.code == 1 && people.stdout.contains("\ntry (data_folder): chmod 700 "), "{people:?}");
}

#[tokio::test]
async fn no_daemon_at_all() {
    let home = Home::new();
    let output = home.cli(["doctor", "--json"]).run().await;
    assert_eq!(output.code, 1, "{output:?}");
    assert_eq!(check(&output, "socket").0, "warning");
    let (state, found, advice) = check(&output, "daemon");
    assert!(state == "problem" && found.contains("no daemon answers"), "{found}");
    assert!(advice.contains("token-brokerd"), "{advice}");
    assert_eq!(check(&output, "program").0, "ok");
    check(&output, "service");
}

#[tokio::test]
async fn a_variable_that_points_nowhere() {
    let home = Home::new();
    let _daemon = DaemonProcess::start(&home).await;
    let output = home.cli(["doctor", "--json"]).env("TOKEN_BROKER_SOCKET", "/nowhere/s").run().await;
    assert_eq!(output.code, 1, "{output:?}");
    let (state, found, advice) = check(&output, "socket");
    assert!(state == "problem" && found.contains("$TOKEN_BROKER_SOCKET"), "{found}");
    assert!(advice.starts_with("unset TOKEN_BROKER_SOCKET"), "{advice}");
}
