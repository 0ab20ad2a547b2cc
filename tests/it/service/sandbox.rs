//! The directives of the unit are in force under this manager, and not only written down: the daemon's own process shows it, and
//! a probe tries everything with them and without. The files themselves are read by systemd without a complaint.

use std::{collections::BTreeMap, fs, process::Command};

use token_broker_tests::{
    folder,
    peers::systemd::{UserSession, packaging},
    requirements::{program, require},
};

use super::{installed, session};

/// A line of `/proc/PID/status`.
fn fact<'a>(status: &'a str, name: &str) -> &'a str {
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("{name} in\n{status}")).trim()
}

#[tokio::test]
async fn the_daemon_runs_confined() {
    let Some(session) = installed().await else { return };
    session.ok("broker-cli status").await;
    let pid = session.main_pid().await;
    let status = session.look_into(&format!("/proc/{pid}/status")).await;
    let facts = ["NoNewPrivs", "Seccomp", "Umask", "CapEff"].map(|name| fact(&status, name));
    assert_eq!(facts, ["1", "2", "0077", "0000000000000000"]);
    let filters: u32 = fact(&status, "Seccomp_filters").parse().unwrap();
    assert!(filters >= 6, "one for each directive: {filters}");
    let limits = session.look_into(&format!("/proc/{pid}/limits")).await;
    let core: Vec<_> = limits.lines().filter(|line| line.starts_with("Max core file size")).collect();
    assert_eq!(core[0].split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"]);
    assert_eq!(
        session.ok("stat --format=%a /run/user/61234/token-broker /run/user/61234/token-broker/broker.sock").await,
        "700\n600\n"
    );
}

/// Directives that no probe tells from none: a process flag and a filter for foreign machine code, shown above, and a number.
const SHOWN_OTHERWISE: [&str; 3] = ["NoNewPrivileges", "SystemCallArchitectures", "SystemCallErrorNumber"];
/// What a kernel may refuse to every user anyway, so that the directive cannot be told from it.
const UP_TO_THE_KERNEL: [&str; 2] = ["RestrictNamespaces", "RestrictAddressFamilies"];

#[tokio::test]
async fn every_directive_takes_away_what_it_names() {
    let Some(session) = session().await else { return };
    let unit = fs::read_to_string(packaging("systemd/token-broker.service")).unwrap();
    let from = unit.find("NoNewPrivileges=").unwrap();
    let sandbox = &unit[from..unit.find("[Install]").unwrap()];
    let all = probe(&session, sandbox).await;
    let none = probe(&session, "UMask=0022\nLimitCORE=infinity\n").await;
    assert_eq!((all["kept"].as_str(), none["kept"].as_str()), ("allowed", "allowed"));
    let mut directives = BTreeMap::<&str, String>::new();
    for line in sandbox.lines().filter(|line| !line.starts_with('#')) {
        let Some((name, _)) = line.split_once('=') else { continue };
        directives.entry(name).or_default().extend([line, "\n"]);
    }
    for (name, lines) in directives.iter().filter(|(name, _)| !SHOWN_OTHERWISE.contains(*name)) {
        let alone = probe(&session, &format!("{lines}SystemCallErrorNumber=EPERM\n")).await;
        assert_eq!((alone[*name].as_str(), all[*name].as_str()), ("refused", "refused"), "{lines}{alone:?}");
        assert!(none[*name] == "allowed" || UP_TO_THE_KERNEL.contains(name), "{name} proves nothing: {none:?}");
    }
}

/// Runs the probe under these directives: what it tried, and whether that was allowed.
async fn probe(session: &UserSession, sandbox: &str) -> BTreeMap<String, String> {
    let program = session.put(&folder("peers/systemd/probe"), "probe");
    let (program, answers) = (program.display(), session.home().join("answers"));
    let unit = format!(
        "[Service]\nType=oneshot\nExecStart={program}\nStandardOutput=truncate:{}\nStandardError=append:%h/daemon.log\n{sandbox}",
        answers.display()
    );
    session.write(".config/systemd/user/probe.service", &unit);
    session.systemctl("daemon-reload").await;
    session.systemctl("start probe.service").await;
    let text = fs::read_to_string(answers).unwrap();
    text.lines().filter_map(|line| line.split_once(' ')).map(|(name, outcome)| (name.into(), outcome.into())).collect()
}

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
