//! A server process that cannot outlive its test: it ends when its standard input closes, which happens when the test drops it
//! and also when the test itself is killed.

use std::{
    io::{BufRead, BufReader, Read},
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
};

use tokio::sync::mpsc;

/// A running server, with what it printed.
#[derive(Debug)]
pub(super) struct ServerProcess {
    child: Child,
    lines: mpsc::UnboundedReceiver<String>,
    printed: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
    /// Whether it needs the end of its input to end others with it.
    is_guard: bool,
}

/// Runs a program that knows nothing of our standard input, and ends it when that closes, then whatever it has started: the shell
/// leads a process group of its own.
const GUARD: &str = r#""$@" </dev/null & child=$!; cat >/dev/null; kill "$child"; wait "$child"; kill -KILL 0"#;

impl ServerProcess {
    /// Starts a program that ends by itself when its standard input closes.
    pub(super) fn start(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the server's program starts");
        let (sender, lines) = mpsc::unbounded_channel();
        let printed = Arc::new(Mutex::new(String::new()));
        let readers = vec![
            read_lines(child.stdout.take().expect("it is piped"), Some(sender), Arc::clone(&printed)),
            read_lines(child.stderr.take().expect("it is piped"), None, Arc::clone(&printed)),
        ];
        Self { child, lines, printed, readers, is_guard: false }
    }

    /// Starts a program that would run for ever.
    pub(super) fn start_guarded(program: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", GUARD, "sh", program]).args(arguments).process_group(0);
        let mut process = Self::start(command);
        process.is_guard = true;
        process
    }

    /// The first line of its standard output that satisfies; the event of being ready.
    pub(super) async fn line(&mut self, satisfies: impl Fn(&str) -> bool) -> String {
        loop {
            let Some(line) = crate::within(self.lines.recv()).await else {
                panic!("the server ended before it was ready; it printed:\n{}", self.printed());
            };
            if satisfies(&line) {
                return line;
            }
        }
    }

    /// All that it printed so far, on both streams.
    pub(super) fn printed(&self) -> String {
        self.printed.lock().unwrap().clone()
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        if !self.is_guard {
            // The end of its input is for the day when the test itself is killed; now there is nothing to wait for.
            let _ = self.child.kill();
        }
        let _ = self.child.wait(); // an error: it is gone already
        for reader in self.readers.drain(..) {
            let _ = reader.join();
        }
    }
}

fn read_lines(
    stream: impl Read + Send + 'static,
    lines: Option<mpsc::UnboundedSender<String>>,
    printed: Arc<Mutex<String>>,
) -> JoinHandle<()> {
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let mut all = printed.lock().unwrap();
            all.push_str(&line);
            all.push('\n');
            if let Some(lines) = &lines {
                let _ = lines.send(line); // an error: nobody waits for a line any more
            }
        }
    })
}
