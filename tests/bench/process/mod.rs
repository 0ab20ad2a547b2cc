//! Whole processes, run in turn in one series: `broker-cli token`, a static program that does nothing (the floor), and
//! `oidc-token` of Debian's oidc-agent-cli where it is set up.

mod peer;

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use self::peer::OidcAgent;
use crate::{
    daemon::{Running, built},
    report::{Process, Report},
    sample::Sample,
};

/// Runs of each program.
const RUNS: usize = 1_000;

/// Measures all programs in turn.
pub(crate) async fn measure(running: &Running, report: &mut Report) {
    let scratch = tempfile::tempdir().expect("a folder");
    let agent = OidcAgent::start().await;
    let mut programs = vec![Program::no_op(scratch.path()), Program::broker_cli(running)];
    programs.extend(agent.as_ref().map(|agent| Program { name: "oidc-token", command: agent.command() }));
    let mut measured: Vec<Vec<Duration>> = programs.iter().map(|_| Vec::new()).collect();
    for _ in 0..RUNS {
        for (program, measured) in programs.iter_mut().zip(&mut measured) {
            measured.push(program.run());
        }
    }
    for (program, measured) in programs.iter_mut().zip(measured) {
        let rss_kib = program.rss_kib();
        report.processes.push(Process { name: program.name.to_owned(), wall: Sample::of(measured), rss_kib });
    }
}

struct Program {
    name: &'static str,
    command: Command,
}

impl Program {
    fn no_op(scratch: &Path) -> Self {
        let (source, program) = (scratch.join("noop.c"), scratch.join("noop"));
        std::fs::write(&source, "int main(void) { return 0; }\n").expect("a source file");
        let compiled = Command::new("cc").args(["-O2", "-static", "-o"]).arg(&program).arg(&source).status();
        assert!(compiled.expect("cc").success());
        Self { name: "static no-op", command: Command::new(program) }
    }

    fn broker_cli(running: &Running) -> Self {
        let mut command = Command::new(static_cli());
        command.arg("--socket").arg(&running.socket).args(["token", "mail", "--account", "user1@example.com"]);
        Self { name: "broker-cli token", command }
    }

    fn run(&mut self) -> Duration {
        let begun = Instant::now();
        let status = self.command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        let elapsed = begun.elapsed();
        assert!(status.expect("it runs").success(), "{} failed", self.name);
        elapsed
    }

    /// Peak resident memory of one run, as GNU time sees it; `None` without that program.
    fn rss_kib(&self) -> Option<u64> {
        let mut timed = Command::new("/usr/bin/time");
        timed.args(["-f", "%M"]).arg(self.command.get_program()).args(self.command.get_args());
        timed.envs(self.command.get_envs().filter_map(|(name, value)| value.map(|value| (name, value))));
        let output = timed.stdout(Stdio::null()).output().ok()?;
        String::from_utf8_lossy(&output.stderr).lines().last()?.trim().parse().ok()
    }
}

/// The command line as `packaging/install` builds it, small and statically linked; else the one built beside this program.
fn static_cli() -> PathBuf {
    let installed = built("broker-cli").with_file_name("../cli/broker-cli");
    if installed.is_file() { installed } else { built("broker-cli") }
}
