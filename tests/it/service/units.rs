//! The files of `packaging/` by themselves: systemd reads them without a complaint, and what they promise fits the daemon.

use std::{fs, process::Command};

use token_broker_tests::{
    peers::systemd::packaging,
    requirements::{program, require},
};

#[test]
fn systemd_has_nothing_to_say_about_the_units() {
    let Some(analyze) = require(program("systemd-analyze", "on Debian: apt-get install systemd")) else { return };
    let home = tempfile::tempdir().unwrap();
    let units = home.path().join("units");
    fs::create_dir_all(units.join("token-broker.service.d")).unwrap();
    fs::create_dir_all(home.path().join(".local/bin")).unwrap();
    fs::copy("/bin/true", home.path().join(".local/bin/token-brokerd")).unwrap();
    for (from, to) in [
        ("token-broker.socket", "token-broker.socket"),
        ("token-broker.service", "token-broker.service"),
        ("private-users.conf", "token-broker.service.d/private-users.conf"),
    ] {
        fs::copy(packaging("systemd").join(from), units.join(to)).unwrap();
    }
    let mut command = Command::new(analyze);
    command.args(["verify", "--user", "--man=no"]).env_clear().env("HOME", home.path());
    command.env("XDG_RUNTIME_DIR", home.path()).env("PATH", "/usr/bin:/bin");
    command.args([units.join("token-broker.service"), units.join("token-broker.socket")]);
    let output = command.output().unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    let ours: Vec<_> =
        said.lines().filter(|line| line.contains("token-broker") || line.contains("private-users")).collect();
    assert!(output.status.success() && ours.is_empty(), "{said}");
}
