//! MSAL Python in a process of its own (tests/peers/msal/driver.py), told step by step. It plays many scenarios, since starting it
//! takes longer than most of them.

use std::{path::PathBuf, process::Stdio};

use serde_json::{Value, json};
use token_broker::ports::Clock as _;
use token_broker_tests::{folder, requirements::Missing, within};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use super::scenario::Stage;

/// The driver under way; it ends with its input.
pub(super) struct Python {
    interpreter: PathBuf,
    _child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

/// The interpreter with the pinned packages.
pub(crate) fn interpreter() -> Result<PathBuf, Missing> {
    let python = folder("peers/.venv/bin/python");
    let installed = folder("peers/.venv/.installed").is_file();
    let why = "tests/peers/.venv is not set up: tests/run does it, with python3 and its venv module";
    (installed && python.is_file()).then_some(python).ok_or_else(|| Missing::new(why))
}

impl Python {
    /// Starts it.
    pub(super) fn start(interpreter: PathBuf) -> Self {
        let mut command = Command::new(&interpreter);
        for name in ["HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
            command.env_remove(name);
        }
        command.env("PYTHONDONTWRITEBYTECODE", "1").arg(folder("peers/msal/driver.py"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("python starts");
        let stdin = child.stdin.take().expect("it is piped");
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        Self { interpreter, _child: child, stdin, lines }
    }

    /// Starts it anew: it is stuck in a step.
    pub(super) fn restart(&mut self) {
        *self = Self::start(self.interpreter.clone());
    }

    /// Plays a step; returns what it gave.
    pub(super) async fn step(&mut self, stage: &Stage, step: &Value) -> String {
        let mut told = step.clone();
        told["now"] = stage.clock.now().seconds().into();
        if step["do"] == "open" {
            told["proxy"] = stage.entra.proxy().into();
            told["certificates"] = json!(stage.entra.certificate_file());
        }
        if step["do"] == "on_behalf_of" {
            told["assertion"] = stage.assertion(step).into();
        }
        if step["do"] == "complete" {
            told["response"] = json!(stage.brought(step));
        }
        let line = format!("{told}\n");
        self.stdin.write_all(line.as_bytes()).await.expect("the driver listens");
        loop {
            let said = self.said().await;
            if let Some(url) = said["open_url"].as_str() {
                stage.browse(url, step).await;
                continue;
            }
            stage.clock.set(said["now"].as_u64().expect("whole seconds"));
            return said["gives"].as_str().expect("an outcome").to_owned();
        }
    }

    async fn said(&mut self) -> Value {
        let line = within(self.lines.next_line()).await.expect("text").expect("the driver goes on");
        serde_json::from_str(&line).expect("a line of JSON")
    }
}
