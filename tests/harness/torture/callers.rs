//! Those who want tokens while the daemon is killed again and again: through the client crate, or as real `broker-cli token`
//! processes. Each call ends with a token or with a reason, and what it got is checked against the ledger.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::Value;
use token_broker::ports::{Clock, clock::SystemClock};
use token_broker_client::{
    Client, ClientError, Reason,
    calls::{Subject, TokenRequest, TokenSource},
};
use tokio::{sync::watch, task::JoinSet, time::timeout};

use super::{ACCOUNTS, APPLICATION, ledger::Ledger};
use crate::{daemon::name, process::Home};

/// Longer than any call may wait: twice the daemon's patience with a provider.
const PATIENCE: Duration = Duration::from_secs(60);

/// How the callers ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Through the client crate, each on a connection of its own.
    Client,
    /// By a `broker-cli token` process for each call.
    Process,
}

/// How many calls ended how: `answered`, or the reason.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Outcomes(pub BTreeMap<String, usize>);

/// Callers at work; they stop when dropped.
#[derive(Debug)]
pub struct Callers {
    running: JoinSet<()>,
    stop: watch::Sender<bool>,
    outcomes: Arc<Mutex<Outcomes>>,
}

/// What callers know of the daemon.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Serves {
    /// Number of its run.
    pub run: usize,
    /// Whether it serves.
    pub is_up: bool,
    /// Whether every grant was seen to work in this run, or was replaced.
    pub is_seen_to: bool,
}

/// What a caller needs to know.
#[derive(Clone)]
struct Caller {
    home: Arc<Home>,
    ledger: Arc<Ledger>,
    serves: watch::Receiver<Serves>,
    stop: watch::Receiver<bool>,
    outcomes: Arc<Mutex<Outcomes>>,
}

/// What a caller got.
struct Token {
    text: String,
    expires_on: i64,
    is_cached: bool,
}

impl Callers {
    /// Lets this many loose.
    #[must_use]
    pub fn start(
        (count, by): (usize, By),
        home: &Arc<Home>,
        ledger: &Arc<Ledger>,
        serves: &watch::Receiver<Serves>,
        random: &mut fastrand::Rng,
    ) -> Self {
        let (stop, outcomes) = (watch::Sender::new(false), Arc::default());
        let caller = Caller {
            home: Arc::clone(home),
            ledger: Arc::clone(ledger),
            serves: serves.clone(),
            stop: stop.subscribe(),
            outcomes: Arc::clone(&outcomes),
        };
        let mut running = JoinSet::new();
        for _ in 0..count {
            running.spawn(caller.clone().ask_on_and_on(by, random.fork()));
        }
        Self { running, stop, outcomes }
    }

    /// Lets each finish its call; how all calls ended.
    ///
    /// # Panics
    /// When a caller has panicked.
    pub async fn stop(mut self) -> Outcomes {
        self.stop.send_replace(true);
        while let Some(ended) = self.running.join_next().await {
            ended.expect("a caller does not panic");
        }
        self.outcomes.lock().unwrap().clone()
    }
}

impl Caller {
    async fn ask_on_and_on(mut self, by: By, mut random: fastrand::Rng) {
        let client = self.home.client();
        let mut run = 0;
        while !*self.stop.borrow() {
            // A process costs so much that one call of each caller has to do for a run; they all come at once.
            if by == By::Process {
                let mut stopped = self.stop.clone();
                tokio::select! {
                    Ok(serves) = self.serves.wait_for(|serves| serves.is_seen_to && serves.run > run) => run = serves.run,
                    _ = stopped.wait_for(|stop| *stop) => return,
                }
            }
            let account = random.choice(ACCOUNTS).unwrap_or("ada");
            let forced = random.u8(..) < 80;
            let floor = self.ledger.newest_seen(account);
            let asked_on = SystemClock.now();
            let ask = async {
                match by {
                    By::Client => self.by_client(&client, account, forced).await,
                    By::Process => self.by_process(account, forced).await,
                }
            };
            let ended = timeout(PATIENCE, ask).await.unwrap_or_else(|_| Err("never".to_owned()));
            let ended = ended.map(|token| {
                self.ledger.seen(account, &token.text, floor);
                if token.is_cached && token.expires_on <= asked_on.seconds() {
                    self.ledger.broken("a caller got an expired token from the cache");
                }
                "answered".to_owned()
            });
            self.count(&ended);
            if ended.is_err_and(|reason| reason == NO_DAEMON) {
                // An error: the torture is over.
                let _ = self.serves.wait_for(|serves| serves.is_up).await;
            }
            // What a program does between two calls; without it the callers would leave the daemon no processor.
            tokio::time::sleep(Duration::from_millis(random.u64(1..20))).await;
        }
    }

    fn count(&self, ended: &Result<String, String>) {
        let (Ok(how) | Err(how)) = ended;
        if !EXPECTED.contains(&how.as_str()) {
            self.ledger.broken(&format!("a call ended with: {how}"));
        }
        *self.outcomes.lock().unwrap().0.entry(how.clone()).or_default() += 1;
    }

    async fn by_client(&self, client: &Client, account: &str, forced: bool) -> Result<Token, String> {
        let subject = Subject::User(Some(account.to_owned()));
        let request = TokenRequest { subject, force_refresh: forced, ..TokenRequest::new(name(APPLICATION)) };
        match client.token(&request).await {
            Ok(answer) => Ok(Token {
                text: answer.access_token.expose().to_owned(),
                expires_on: answer.expires_on.seconds(),
                is_cached: answer.source == TokenSource::Cache,
            }),
            Err(error) => Err(reason(&error)),
        }
    }

    async fn by_process(&self, account: &str, forced: bool) -> Result<Token, String> {
        let force = forced.then_some("--force-refresh");
        let arguments = ["--json", "token", APPLICATION, "--account", account].into_iter().chain(force);
        let ended = self.home.cli(arguments).run().await;
        let said: Value = serde_json::from_str(&ended.stdout).unwrap_or_default();
        let text = |pointer: &str| said.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        match (ended.code, text("/access_token"), text("/error/reason")) {
            (0, Some(token), _) => Ok(Token {
                text: token,
                expires_on: said.get("expires_on").and_then(Value::as_i64).unwrap_or_default(),
                is_cached: text("/token_source").as_deref() == Some("cache"),
            }),
            (4, _, _) if ended.stdout.contains("broke before") => Err(INTERRUPTED.to_owned()),
            (4, _, _) => Err(NO_DAEMON.to_owned()),
            (_, _, Some(reason)) => Err(reason),
            (code, ..) => Err(format!("exit code {code}: {} {}", ended.stdout, ended.stderr)),
        }
    }
}

const NO_DAEMON: &str = "no daemon";
const INTERRUPTED: &str = "connection broken";

/// How a call may end.
const EXPECTED: [&str; 6] =
    ["answered", NO_DAEMON, INTERRUPTED, "INTERACTION_REQUIRED", "AUTHORITY_UNAVAILABLE", "CANCELLED"];

/// The word for why a call failed.
#[must_use]
pub fn reason(error: &ClientError) -> String {
    match error {
        ClientError::Broker(failure) if failure.reason == Reason::Internal => failure.message.clone(),
        ClientError::Broker(failure) => failure.reason.as_str().to_owned(),
        ClientError::NoDaemon { .. } => NO_DAEMON.to_owned(),
        ClientError::Interrupted => INTERRUPTED.to_owned(),
        other => other.to_string(),
    }
}

impl Outcomes {
    /// Adds others.
    pub fn add(&mut self, others: &Self) {
        for (how, times) in &others.0 {
            *self.0.entry(how.clone()).or_default() += times;
        }
    }
}
