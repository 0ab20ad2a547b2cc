//! Torture: real `token-brokerd` processes on one data folder and a provider with rotation and reuse detection, while the daemon
//! is killed again and again. Owns the stage and a round: start, see that every grant works or why not, kill, settle. Who asks
//! is in `callers`, what it means in `ledger`, kills at a chosen system call in `syscalls`, the page in `report`.

pub mod callers;
pub mod ledger;
pub mod proxy;
pub mod report;
pub mod syscalls;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use rustix::process::{Pid, kill_process};
use token_broker_client::{
    Client, ClientError, Reason,
    calls::{Subject, TokenRequest},
};
use tokio::{net::TcpListener, sync::watch, time::timeout};

use self::{
    callers::{By, Callers, Outcomes, Serves, reason},
    ledger::Ledger,
    proxy::Proxy,
};
use crate::{
    daemon::{application, name, sign_in_by_browser},
    peers::oidc_provider::{NATIVE_APP, OidcProvider, Options},
    process::{DaemonProcess, Home, Signal},
    user::User,
    within,
};

/// Who is signed in.
pub const ACCOUNTS: [&str; 4] = ["ada", "grace", "edsger", "barbara"];
/// To what.
const APPLICATION: &str = "mail";
/// Seconds that an access token lives.
const LIFETIME: u64 = 2;

/// Everything that outlives a kill.
pub struct Stage {
    home: Arc<Home>,
    ledger: Arc<Ledger>,
    proxy: Proxy,
    provider: OidcProvider,
    users: BTreeMap<&'static str, User>,
    serves: watch::Sender<Serves>,
    random: fastrand::Rng,
    kills: Kills,
}

/// How often the daemon was killed when.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Kills {
    /// While it started.
    pub starting: usize,
    /// At any time.
    pub anytime: usize,
    /// Within milliseconds after a refresh request was on its way to the provider.
    pub asking: usize,
    /// Within milliseconds after the provider's answer was on its way back.
    pub answering: usize,
    /// At a chosen system call.
    pub at_system_call: usize,
}

/// What came of it all.
#[derive(Debug, Clone)]
pub struct Figures {
    /// When it was killed.
    pub kills: Kills,
    /// What was lost.
    pub losses: ledger::Losses,
    /// How the calls ended.
    pub outcomes: Outcomes,
    /// Answers with tokens that the provider gave.
    pub issued: usize,
    /// Of those, the refreshes that the daemon's log called saved.
    pub saved: usize,
}

impl Stage {
    /// A provider with short-lived tokens, a home without a daemon, nobody signed in.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn set(seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let issuer = format!("http://{}", listener.local_addr().expect("its address"));
        let options = Options { issuer: Some(issuer), access_token_lifetime: Some(LIFETIME), ..Options::default() };
        let provider = OidcProvider::start(options).await;
        let ledger = Arc::<Ledger>::default();
        let proxy = Proxy::before(provider.address(), listener, Arc::clone(&ledger));
        let users = ACCOUNTS.into_iter().map(|account| (account, User::named(account))).collect();
        let mut stage = Self {
            home: Arc::new(Home::new()),
            ledger,
            proxy,
            provider,
            users,
            serves: watch::Sender::default(),
            random: fastrand::Rng::with_seed(seed),
            kills: Kills::default(),
        };
        stage.register().await;
        stage
    }

    /// Registers the application, signs everybody in and ends the daemon softly: every run after it is killed.
    async fn register(&mut self) {
        let daemon = DaemonProcess::start(&self.home).await;
        let client = daemon.client();
        let new = application(APPLICATION, self.provider.issuer(), (NATIVE_APP, None), "openid api:read");
        client.add_application(&new).await.expect("registered");
        for account in ACCOUNTS {
            self.sign_in(&client, account).await;
        }
        drop(client);
        self.end(daemon, Signal::TERM).await;
    }

    /// Kills the daemon this often while these callers ask.
    pub async fn torture(&mut self, kills: usize, callers: (usize, By)) -> Outcomes {
        let serves = self.serves.subscribe();
        let callers = Callers::start(callers, &self.home, &self.ledger, &serves, &mut self.random.fork());
        for _ in 0..kills {
            self.round().await;
        }
        let daemon = self.daemon().await;
        let outcomes = callers.stop().await;
        self.end(daemon, Signal::TERM).await;
        outcomes
    }

    /// Starts once more, sees that every grant works or why not, and stops softly.
    pub async fn see_what_is_left(&mut self) {
        let daemon = self.daemon().await;
        self.end(daemon, Signal::TERM).await;
    }

    async fn round(&mut self) {
        if self.random.u8(..) < 16 {
            self.kills.starting += 1;
            let daemon = DaemonProcess::launch(&self.home);
            let pause = Duration::from_micros(self.random.u64(..40_000));
            self.kill(daemon, pause).await;
            return;
        }
        let daemon = self.daemon().await;
        let before = self.proxy.counts();
        let more = self.random.usize(1..4);
        let (kind, pause) = (self.random.u8(..3), self.random.u64(..4_000));
        let (counted, pause) = match kind {
            0 => (&mut self.kills.anytime, pause * 10),
            1 => (&mut self.kills.asking, pause),
            _ => (&mut self.kills.answering, pause),
        };
        *counted += 1;
        let reached = self.proxy.refreshes(|counts| match kind {
            0 => true,
            1 => counts.asked >= before.asked + more,
            _ => counts.answered >= before.answered + more,
        });
        // Nobody may want a new token for a while: then any instant will do.
        let _ = timeout(Duration::from_secs(1), reached).await;
        self.kill(daemon, Duration::from_micros(pause)).await;
    }

    /// A daemon that serves, with every grant seen to work: a lost one is replaced by a new sign-in.
    async fn daemon(&mut self) -> DaemonProcess {
        let daemon = DaemonProcess::start(&self.home).await;
        self.serves.send_modify(|serves| (serves.run, serves.is_up) = (serves.run + 1, true));
        let client = daemon.client();
        for account in ACCOUNTS {
            match within(self.refreshes(&client, account)).await {
                Ok(()) => {}
                Err(ClientError::Broker(failure)) if failure.reason == Reason::InteractionRequired => {
                    self.sign_in(&client, account).await;
                }
                Err(error) => self.ledger.broken(&format!("{account} after a start: {}: {error}", reason(&error))),
            }
        }
        self.serves.send_modify(|serves| serves.is_seen_to = true);
        daemon
    }

    async fn sign_in(&self, client: &Client, account: &str) {
        self.ledger.signs_in(account);
        let user = self.users.get(account).expect("one of ours");
        if let Err(error) = within(sign_in_by_browser(client, APPLICATION, user)).await {
            self.ledger.broken(&format!("{account} could not sign in again: {error}"));
        }
    }

    /// A new token for this account, checked like any caller's.
    async fn refreshes(&self, client: &Client, account: &str) -> Result<(), ClientError> {
        let floor = self.ledger.newest_seen(account);
        let subject = Subject::User(Some(account.to_owned()));
        let request = TokenRequest { subject, force_refresh: true, ..TokenRequest::new(name(APPLICATION)) };
        let answer = client.token(&request).await?;
        self.ledger.seen(account, answer.access_token.expose(), floor);
        Ok(())
    }

    /// Kills it after a pause of microseconds.
    #[expect(clippy::disallowed_methods, reason = "an instant as random as can be is what is wanted")]
    async fn kill(&self, daemon: DaemonProcess, pause: Duration) {
        let pid = Pid::from_raw(daemon.pid().cast_signed()).expect("a process id is not zero");
        let killed = tokio::task::spawn_blocking(move || {
            std::thread::sleep(pause);
            kill_process(pid, Signal::KILL)
        });
        // An error: it ended by itself, which its exit status says.
        let _ = killed.await;
        self.end(daemon, Signal::KILL).await;
    }

    /// Sends the last signal and waits until nothing of this run is on its way.
    async fn end(&self, daemon: DaemonProcess, signal: Signal) {
        self.serves.send_modify(|serves| (serves.is_up, serves.is_seen_to) = (false, false));
        let (status, log) = daemon.end(signal).await;
        self.ledger.dies();
        within(self.proxy.is_quiet()).await;
        self.ledger.run_ended(&log);
        if signal == Signal::TERM && !status.success() || log.contains("panicked") {
            self.ledger.broken(&format!("the daemon ended with {status}: {log}"));
        }
    }

    /// What came of it so far, with how the calls ended.
    #[must_use]
    pub fn figures(&self, outcomes: Outcomes) -> Figures {
        Figures {
            kills: self.kills,
            losses: self.ledger.losses(),
            outcomes,
            issued: self.ledger.issued(),
            saved: self.ledger.saved(),
        }
    }
}

impl Kills {
    /// All of them.
    #[must_use]
    pub fn all(&self) -> usize {
        self.starting + self.anytime + self.asking + self.answering + self.at_system_call
    }
}
