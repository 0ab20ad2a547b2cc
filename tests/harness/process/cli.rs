//! `broker-cli` as a process: run to its end, or held by the hand while a sign-in waits for its user.

use std::{
    ffi::OsString,
    process::{ExitStatus, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStderr, ChildStdout, Command},
};

use super::Home;
use crate::within;

/// How a command line ended, and what it printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Exit code; 128 and the signal's number when one ended it, as a shell says it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// A command line to run.
#[derive(Debug)]
pub struct Cli {
    command: Command,
    input: Vec<u8>,
}

/// One that waits for something.
#[derive(Debug)]
pub struct RunningCli {
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: BufReader<ChildStderr>,
    printed: (String, String),
}

impl Home {
    /// `broker-cli` with these arguments.
    pub fn cli<I: IntoIterator<Item = A>, A: Into<OsString>>(&self, arguments: I) -> Cli {
        let mut command = self.command("broker-cli");
        command.args(arguments.into_iter().map(Into::into));
        Cli { command, input: Vec::new() }
    }
}

impl Cli {
    /// What it reads from standard input; nothing otherwise.
    #[must_use]
    pub fn input(mut self, text: &str) -> Self {
        text.as_bytes().clone_into(&mut self.input);
        self
    }

    /// A variable of its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Starts it.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(mut self) -> RunningCli {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().expect("broker-cli starts");
        let mut stdin = child.stdin.take().expect("it is piped");
        // An error: it does not read its input.
        let _ = stdin.write_all(&self.input).await;
        drop(stdin);
        let stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let stderr = BufReader::new(child.stderr.take().expect("it is piped"));
        RunningCli { child, stdout, stderr, printed: Default::default() }
    }

    /// Runs it to its end.
    pub async fn run(self) -> Output {
        self.start().await.end().await
    }
}

impl RunningCli {
    /// Its process id.
    ///
    /// # Panics
    /// When it has ended.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id().expect("it still runs")
    }

    /// Waits until a line of standard output satisfies, and returns that.
    pub async fn line(&mut self, satisfies: impl Fn(&str) -> bool) -> String {
        within(next_line(&mut self.stdout, &mut self.printed.0, &satisfies)).await
    }

    /// The same for standard error.
    pub async fn error_line(&mut self, satisfies: impl Fn(&str) -> bool) -> String {
        within(next_line(&mut self.stderr, &mut self.printed.1, &satisfies)).await
    }

    /// The user presses Ctrl-C.
    ///
    /// # Panics
    /// When it has ended.
    pub fn interrupt(&self) {
        let pid = Pid::from_raw(self.pid().cast_signed()).expect("a process id is not zero");
        kill_process(pid, Signal::INT).expect("it can be signalled");
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it has not ended after a minute.
    pub async fn end(mut self) -> Output {
        let (mut stdout, mut stderr) = self.printed;
        let streams =
            async { tokio::join!(self.stdout.read_to_string(&mut stdout), self.stderr.read_to_string(&mut stderr)) };
        let (out, err) = within(streams).await;
        out.and(err).expect("it prints text");
        let status = within(self.child.wait()).await.expect("its end is known");
        Output { code: code(status), stdout, stderr }
    }
}

async fn next_line(
    stream: &mut (impl AsyncBufReadExt + Unpin),
    printed: &mut String,
    satisfies: &impl Fn(&str) -> bool,
) -> String {
    loop {
        let mut line = String::new();
        let length = stream.read_line(&mut line).await.expect("it prints text");
        assert_ne!(length, 0, "broker-cli ended before it said what was waited for; it said:\n{printed}");
        printed.push_str(&line);
        if satisfies(line.trim_end()) {
            return line.trim_end().to_owned();
        }
    }
}

fn code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}
