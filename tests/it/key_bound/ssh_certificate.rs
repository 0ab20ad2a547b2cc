//! `broker-cli token --ssh-cert`, as people use it: a key pair of ssh-keygen, and a certificate that ssh-keygen reads and verifies.

use std::{os::unix::fs::PermissionsExt as _, path::Path, process::Command};

use serde_json::Value;
use token_broker_tests::{
    process::{Home, Output},
    requirements::{program, require},
};

use super::{SCOPE, Stage};

/// A stage, a home for the command line, and a key pair in it.
struct Ssh {
    stage: Stage,
    home: Home,
}

impl Ssh {
    async fn set(bits: &str) -> Option<Self> {
        require(program("ssh-keygen", "tests/run installs openssh-client"))?;
        let ssh = Self { stage: Stage::set().await, home: Home::new() };
        let path = ssh.path("id_rsa");
        let made = ["-q", "-t", "rsa", "-b", bits, "-N", "", "-C", "ada@laptop", "-f", &path];
        assert!(Command::new("ssh-keygen").args(made).status().unwrap().success());
        Some(ssh)
    }

    fn path(&self, name: &str) -> String {
        self.home.path().join(name).to_str().unwrap().to_owned()
    }

    async fn token(&self, more: &[&str]) -> Output {
        let socket = self.stage.daemon.socket();
        let start = ["--socket", socket.to_str().unwrap(), "token", "work"];
        self.home.cli(start.iter().chain(more)).run().await
    }
}

/// What `ssh-keygen -L` says of a file.
fn listed(path: &str) -> String {
    let output = Command::new("ssh-keygen").args(["-L", "-f", path]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn ssh_keygen_reads_the_certificate_that_is_written() {
    let Some(ssh) = Ssh::set("3072").await else { return };
    let (key, certificate) = (ssh.path("id_rsa.pub"), ssh.path("id_rsa-cert.pub"));
    let output = ssh.token(&["--ssh-cert", &key]).await;
    assert_eq!((output.code, output.stdout.trim_end()), (0, certificate.as_str()), "{output:?}");
    let line = std::fs::read_to_string(&certificate).unwrap();
    assert!(line.starts_with("ssh-rsa-cert-v01@openssh.com AAAA") && line.ends_with('\n') && line.lines().count() == 1);
    assert_eq!(Path::new(&certificate).metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let said = listed(&certificate);
    assert!(said.contains("Type: ssh-rsa-cert-v01@openssh.com user certificate"), "{said}");
    assert!(said.contains("ada@contoso.example") && said.contains("permit-pty"), "{said}");
    // The fingerprint of the key that was given, as ssh-keygen itself says it.
    let own = Command::new("ssh-keygen").args(["-l", "-f", &key]).output().unwrap();
    let own = String::from_utf8(own.stdout).unwrap();
    assert!(said.contains(own.split(' ').nth(1).unwrap()), "{said} {own}");
    // From the cache, over the old file; and elsewhere.
    let again = ssh.token(&["--ssh-cert", &key, "--out", &ssh.path("work"), "--json"]).await;
    let again: Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!(
        (again["token_source"].as_str(), again["certificate_file"].as_str()),
        (Some("cache"), Some(ssh.path("work").as_str()))
    );
    assert_eq!(std::fs::read_to_string(ssh.path("work")).unwrap(), line);
    assert_eq!(ssh.token(&["--ssh-cert", &key, "--out", "-"]).await.stdout, line);
}

#[tokio::test]
async fn the_cache_tells_certificates_apart() {
    let Some(ssh) = Ssh::set("2048").await else { return };
    assert_eq!(ssh.token(&["--ssh-cert", &ssh.path("id_rsa.pub")]).await.code, 0);
    let socket = ssh.stage.daemon.socket();
    let listed = ssh.home.cli(["--socket", socket.to_str().unwrap(), "cache", "list", "--json"]).run().await;
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    let tokens: Vec<_> =
        listed["entries"].as_array().unwrap().iter().filter(|it| it["kind"] == "access_token").collect();
    let types: Vec<_> =
        tokens.iter().map(|it| (it["token_type"].as_str().unwrap(), it["key_id"].is_string())).collect();
    assert_eq!(types, [("Bearer", false), ("ssh-cert", true)]);
    let shown = ssh.home.cli(["--socket", socket.to_str().unwrap(), "cache", "list"]).run().await;
    assert!(shown.stdout.contains("ssh-cert"), "{shown:?}");
}

/// Each ends with a message that says what to do, writes nothing, and says nothing of what is in the file.
#[tokio::test]
async fn a_file_that_is_no_public_key_is_refused_by_name() {
    let Some(ssh) = Ssh::set("2048").await else { return };
    let private = std::fs::read_to_string(ssh.path("id_rsa")).unwrap();
    std::fs::write(ssh.path("short.pub"), "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQ== m4rker").unwrap();
    std::fs::write(ssh.path("bytes.pub"), [0x80, 0xff, 0x6d]).unwrap();
    std::fs::write(ssh.path("empty.pub"), "").unwrap();
    std::fs::write(ssh.path("long.pub"), "a".repeat(40_000)).unwrap();
    for (file, word) in [
        ("id_rsa", "is a private key, which nobody should be given: use the public one, KEY.pub"),
        ("none.pub", "there is no such file. A key pair is made by: ssh-keygen -t rsa -f"),
        ("short.pub", "damaged"),
        ("bytes.pub", "it is not text"),
        ("empty.pub", "is empty"),
        ("long.pub", "at most 16384 bytes"),
    ] {
        let output = ssh.token(&["--ssh-cert", &ssh.path(file), "--scope", SCOPE]).await;
        assert_eq!(output.code, 2, "{file}: {output:?}");
        assert!(output.stderr.contains(word) && output.stderr.contains(file), "{file}: {output:?}");
        let told = format!("{}{}", output.stdout, output.stderr);
        let inside = private.lines().chain(["m4rker"]).filter(|line| line.len() > 5 && !line.starts_with("---"));
        inside.for_each(|line| assert!(!told.contains(line), "{told}"));
    }
    assert!(ssh.stage.refreshes().is_empty(), "nobody was asked");
    assert!(!Path::new(&ssh.path("id_rsa-cert.pub")).exists());
    // The key that Entra ID does not certify: its own words, and no file.
    let made = ["-q", "-t", "ed25519", "-N", "", "-f", &ssh.path("id_ed25519")];
    assert!(Command::new("ssh-keygen").args(made).status().unwrap().success());
    let output = ssh.token(&["--ssh-cert", &ssh.path("id_ed25519.pub")]).await;
    assert!(output.code == 1 && output.stderr.contains("no RSA key"), "{output:?}");
    assert!(!Path::new(&ssh.path("id_ed25519-cert.pub")).exists());
}
