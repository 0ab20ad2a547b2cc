//! A sample web application as a process of its own, started as its users start it, but at a free port of 127.0.0.1 and for a stage
//! of a test; killed when dropped.

use std::{net::TcpListener, path::Path, process::Stdio};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStdout, Command},
};

use crate::within;

/// A running sample.
#[derive(Debug)]
pub struct SampleProcess {
    origin: String,
    _child: Child,
    /// Kept open: what it prints must go somewhere.
    _output: BufReader<ChildStdout>,
}

impl SampleProcess {
    /// Starts the sample that this command is, with the application `graph-sample` of the daemon at this socket, and Microsoft Graph
    /// at this address; it is ready when this returns.
    ///
    /// # Panics
    /// When it ends before it says that it is ready.
    pub async fn start(mut command: Command, socket: &Path, graph: &str) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|probe| probe.local_addr()).expect("a free port");
        let origin = format!("http://{free}");
        command.env("TOKEN_BROKER_SOCKET", socket).env("GRAPH", graph).env("PROMPT", "");
        command.env("REDIRECT_URI", format!("{origin}/login/authorized")).env("APPLICATION", "graph-sample");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn().expect("the sample starts");
        let mut output = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut line = String::new();
        within(output.read_line(&mut line)).await.expect("a line");
        assert_eq!(line, format!("Open {origin}\n"), "it says that it is ready");
        Self { origin, _child: child, _output: output }
    }

    /// Where it is, `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }
}
