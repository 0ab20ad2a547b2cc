//! Kills at a chosen system call, by strace's injection: first a refresh is recorded, then it is repeated once for each of its
//! writes, syncs, renames and sends, and the daemon dies on entering just that one. The trace of the same run says whether the
//! new grant had been synced by then, and so what must be left of it.

use std::{collections::HashMap, fs, process::Stdio, time::Duration};

use rustix::process::{Pid, kill_process};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

use super::{ACCOUNTS, Stage};
use crate::{
    process::{DaemonProcess, Signal},
    requirements::{self, Missing},
    within,
};

/// What changes something outside of the process.
const CALLS: &str = "write,pwrite64,writev,sendto,sendmsg,fsync,fdatasync,ftruncate,rename,renameat,renameat2,unlink";
/// What else the trace shows: how the provider's answer comes in.
const READS: &str = "recvfrom,read";

/// How long strace may take to detach.
const PATIENCE: Duration = Duration::from_secs(5);

/// A system call of a recorded refresh.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// Its name.
    pub call: String,
    /// How many of that name its thread had made before, and this one.
    pub number: usize,
}

/// How a run ended that died at a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Death {
    /// The new grant had been synced.
    pub was_synced: bool,
    /// The caller had an answer.
    pub was_answered: bool,
    /// The daemon came to this point at all.
    pub was_reached: bool,
}

/// Whether system calls can be traced here.
///
/// # Errors
/// Without strace, or where this machine does not allow it.
pub fn present() -> Result<(), Missing> {
    requirements::program("strace", "install strace")?;
    let tried = std::process::Command::new("strace").args(["-f", "-e", "trace=none", "true"]).output();
    match tried {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(Missing::new(format!(
            "strace cannot trace here ({}): allow ptrace",
            String::from_utf8_lossy(&output.stderr).trim()
        ))),
        Err(error) => Err(Missing::new(format!("strace does not run: {error}"))),
    }
}

/// A strace that is attached to a daemon.
struct Tracer {
    child: Child,
    folder: TempDir,
}

impl Tracer {
    /// Attaches to all threads; kills at the point if one is given.
    async fn attach(pid: u32, kill_at: Option<&Point>) -> Self {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let mut command = Command::new("strace");
        command.args(["-f", "-yy", "-s", "0", "-e", &format!("trace={CALLS},{READS}"), "-e", "signal=none"]);
        command.arg("-o").arg(folder.path().join("trace")).args(["-p", &pid.to_string()]);
        if let Some(Point { call, number }) = kill_at {
            command.args(["-e", &format!("inject={call}:signal=KILL:when={number}")]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("strace starts");
        let mut lines = BufReader::new(child.stderr.as_mut().expect("it is piped")).lines();
        let line = within(lines.next_line()).await.expect("text").unwrap_or_default();
        assert!(line.contains("attached"), "strace: {line}");
        Self { child, folder }
    }

    /// Waits until it has ended with the daemon, or detaches from one that lives; all that was seen.
    async fn end(mut self, daemon_lives: bool) -> Vec<Line> {
        if daemon_lives {
            self.signal(Signal::TERM);
        }
        // It may miss a death that comes while it detaches.
        if timeout(PATIENCE, self.child.wait()).await.is_err() {
            self.signal(Signal::KILL);
            within(self.child.wait()).await.expect("its end is known");
        }
        let trace = fs::read_to_string(self.folder.path().join("trace")).expect("a trace");
        trace.lines().filter_map(Line::parse).collect()
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = self.child.id().and_then(|pid| Pid::from_raw(pid.cast_signed())) {
            let _ = kill_process(pid, signal); // an error: it has ended with the daemon
        }
    }
}

/// A line of a trace.
#[derive(Debug)]
struct Line {
    thread: String,
    call: String,
    /// Arguments and result, as far as they are known.
    rest: String,
    /// The second half of a call that another thread interrupted.
    is_resumed: bool,
    /// The first half of one.
    goes_on: bool,
}

impl Line {
    /// `PID call(arguments) = result`, or `PID <... call resumed>arguments) = result`.
    fn parse(line: &str) -> Option<Self> {
        let (thread, text) = line.split_once(' ')?;
        let text = text.trim_start();
        let resumed = text.strip_prefix("<... ");
        let is_resumed = resumed.is_some();
        let (call, rest) = resumed.map_or_else(|| text.split_once('('), |resumed| resumed.split_once(" resumed>"))?;
        let known = CALLS.split(',').chain(READS.split(',')).any(|known| known == call);
        let goes_on = rest.ends_with("<unfinished ...>");
        let (thread, call, rest) = (thread.to_owned(), call.to_owned(), rest.to_owned());
        known.then_some(Self { thread, call, rest, is_resumed, goes_on })
    }

    /// The bytes that it moved, or 0 for a call that was done without moving any; `None` when it failed or was not done.
    fn result(&self) -> Option<usize> {
        self.rest.rsplit_once("= ")?.1.split(' ').next()?.parse().ok()
    }

    /// Whether the provider's answer comes in here.
    fn reads_answer(&self) -> bool {
        READS.contains(&self.call) && self.rest.contains("<TCP") && self.result().is_some_and(|bytes| bytes > 0)
    }

    /// Whether the journal is on disk after it.
    fn syncs(&self) -> bool {
        (self.call == "fdatasync" || self.call == "fsync") && self.result() == Some(0)
    }
}

/// Whether the journal is synced between the provider's answer and the first bytes to the caller.
fn syncs_before_it_answers(trace: &[Line]) -> bool {
    let after = trace.iter().skip_while(|line| !line.reads_answer());
    let mut told = after.skip_while(|line| !line.syncs() && !line.rest.contains("<UNIX"));
    told.next().is_some_and(Line::syncs)
}

/// The calls that come after the provider's answer was read, each a point to die at.
fn points(trace: &[Line]) -> Vec<Point> {
    let mut counts = HashMap::new();
    let (mut found, mut is_read) = (Vec::new(), false);
    for line in trace.iter().filter(|line| !line.is_resumed || READS.contains(&line.call)) {
        is_read |= line.reads_answer();
        if READS.contains(&line.call) {
            continue;
        }
        let number =
            counts.entry((line.thread.clone(), line.call.clone())).and_modify(|count| *count += 1).or_insert(1);
        let point = Point { call: line.call.clone(), number: *number };
        if is_read && !found.contains(&point) {
            found.push(point);
        }
    }
    found
}

impl Stage {
    /// Records a refresh: the points of it at which a daemon can die between the provider's answer and the end. In the
    /// recorded order nothing goes to the caller before the new grant is synced.
    pub async fn record(&mut self) -> Vec<Point> {
        let (daemon, was_answered, trace) = self.traced(None).await;
        self.end(daemon, Signal::KILL).await;
        if !was_answered || !syncs_before_it_answers(&trace) {
            self.ledger.broken(&format!("a caller was answered before the grant was synced: {trace:?}"));
        }
        points(&trace)
    }

    /// Lets it die at this point; whether that was before the new grant was synced, and before the caller was answered. What
    /// it means for the grant is seen at the next start.
    pub async fn die_at(&mut self, point: &Point) -> Death {
        self.kills.at_system_call += 1;
        let (daemon, was_answered, trace) = self.traced(Some(point)).await;
        self.end(daemon, Signal::KILL).await;
        let read = trace.iter().position(Line::reads_answer);
        let after = read.map_or(&[] as &[Line], |read| trace.get(read..).unwrap_or_default());
        let was_synced = after.iter().any(Line::syncs);
        let was_reached = trace.iter().any(|line| line.call == point.call && line.result().is_none() && !line.goes_on);
        if was_answered && !was_synced {
            self.ledger.broken(&format!("a caller was answered before the grant was synced, at {point:?}"));
        }
        Death { was_synced, was_answered, was_reached }
    }

    /// A daemon that refreshes one grant under a tracer; whether its caller was answered.
    async fn traced(&mut self, kill_at: Option<&Point>) -> (DaemonProcess, bool, Vec<Line>) {
        let daemon = self.daemon().await;
        let client = daemon.client();
        client.status().await.expect("it serves");
        let tracer = Tracer::attach(daemon.pid(), kill_at).await;
        let [account, ..] = ACCOUNTS;
        let answered = within(self.refreshes(&client, account)).await;
        let lives = within(client.status()).await.is_ok();
        (daemon, answered.is_ok(), tracer.end(lives).await)
    }
}

#[cfg(test)]
mod tests {
    use super::{Line, points, syncs_before_it_answers};

    const TRACE: &str = r#"7 pwrite64 12</d/cache.db-wal>, ""..., 24, 0) = 24
7 fsync(12</d/cache.db-wal>) = 0
6 writev(18<TCP:[127.0.0.1:1->127.0.0.1:2]>, [...], 2) = 358
6 recvfrom(18<TCP:[127.0.0.1:1->127.0.0.1:2]>, ""..., 8192, 0, NULL, NULL) = 1087
7 pwrite64(12</d/cache.db-wal>, ""..., 24, 24) = 24
7 fsync(12</d/cache.db-wal> <unfinished ...>
6 write(4<anon_inode:[eventfd]>, ""..., 8) = 8
7 <... fsync resumed>)                    = 0
6 writev(16<UNIX-STREAM:[3->4,"/run/broker.sock"]>, [...], 1) = 199"#;

    #[test]
    fn a_trace_is_read() {
        let trace: Vec<_> = TRACE.lines().filter_map(Line::parse).collect();
        let found: Vec<_> = points(&trace).iter().map(|point| format!("{} {}", point.call, point.number)).collect();
        assert_eq!(found, ["pwrite64 1", "fsync 2", "write 1", "writev 2"]);
        assert!(syncs_before_it_answers(&trace));
    }

    #[test]
    fn an_answer_before_the_sync_is_noticed() {
        let mut trace: Vec<_> = TRACE.lines().filter_map(Line::parse).collect();
        let answer = trace.pop().unwrap();
        trace.insert(5, answer);
        assert!(!syncs_before_it_answers(&trace));
    }
}
