//! Who goes next. Whatever touches the world (a request that arrives, an answer that comes back, a timer, a caller's next step)
//! first waits for its turn here. When everybody waits, one of them is chosen by the seed, so that a seed is one interleaving,
//! and with its turn it gets the luck for all that it decides. Time is part of it: it passes only when a timer is chosen.

mod pace;
mod random;

use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use token_broker::ports::Clock;
use token_broker_proto::oauth::UnixTime;
use tokio::sync::oneshot;

pub(super) use random::Random;

use super::journal::Holder;

/// The start of every simulation.
const START: i64 = 1_700_000_000;
/// Timers in a row after which nothing else is expected of anybody: the desk looks at the clock once a minute for ever.
const PATIENCE: usize = 20;
/// Steps that are kept to be shown.
const SHOWN: usize = 120;

/// Where everybody waits.
pub(super) struct Stage {
    origin: Instant,
    state: Mutex<State>,
}

struct State {
    random: Random,
    wall: i64,
    monotonic: Duration,
    waiting: Vec<Waiting>,
    next: u64,
    frozen: Option<Holder>,
    /// Timers that were let go since anybody else was.
    idle: usize,
    trace: VecDeque<String>,
}

struct Waiting {
    number: u64,
    what: String,
    whose: Option<Holder>,
    /// For a timer: when it is due.
    until: Option<Duration>,
    go: oneshot::Sender<u64>,
}

impl Stage {
    pub(super) fn new(seed: u64) -> Arc<Self> {
        let state = State {
            random: Random::new(seed),
            wall: START,
            monotonic: Duration::ZERO,
            waiting: Vec::new(),
            next: 0,
            frozen: None,
            idle: 0,
            trace: VecDeque::new(),
        };
        Arc::new(Self { origin: Instant::now(), state: Mutex::new(state) })
    }

    /// Chooses.
    pub(super) fn choose<T>(&self, how: impl FnOnce(&Random) -> T) -> T {
        how(&self.state.lock().unwrap().random)
    }

    /// Resolves when it is this one's turn, with its luck; `whose` names the grant that it is about.
    pub(super) fn turn(
        self: &Arc<Self>,
        what: String,
        whose: Option<Holder>,
    ) -> impl Future<Output = Random> + Send + use<> {
        self.wait(what, whose, None)
    }

    fn wait(
        self: &Arc<Self>,
        what: String,
        whose: Option<Holder>,
        until: Option<Duration>,
    ) -> impl Future<Output = Random> + Send + use<> {
        let (go, come) = oneshot::channel();
        let mut state = self.state.lock().unwrap();
        let number = state.next;
        state.next += 1;
        state.waiting.push(Waiting { number, what, whose, until, go });
        let leave = Leave { stage: Arc::clone(self), number };
        async move {
            let _leave = leave;
            Random::new(come.await.unwrap_or_default())
        }
    }

    /// Lets one go; `false` if nobody may.
    pub(super) fn release(&self) -> bool {
        let mut state = self.state.lock().unwrap();
        // Not in the order of their coming: who is woken first by the end of a flight is up to tokio, and differs.
        state
            .waiting
            .sort_by(|one, other| (&one.what, one.until, one.number).cmp(&(&other.what, other.until, other.number)));
        let free = |one: &Waiting| one.whose.is_none() || one.whose != state.frozen;
        let timers = state.waiting.iter().enumerate().filter(|(_, one)| one.until.is_some() && free(one));
        let timer = timers.min_by_key(|(_, one)| one.until).map(|(place, _)| place);
        let others = state.waiting.iter().enumerate().filter(|(_, one)| one.until.is_none() && free(one));
        let candidates: Vec<usize> = others.map(|(place, _)| place).chain(timer).collect();
        if candidates.is_empty() {
            return false;
        }
        let chosen = state.random.pick(&candidates);
        let luck = u64::try_from(state.random.below(usize::MAX)).unwrap();
        let Waiting { what, until, go, .. } = state.waiting.remove(chosen);
        state.idle = if until.is_some() { state.idle + 1 } else { 0 };
        if let Some(until) = until.filter(|until| *until > state.monotonic) {
            state.wall += i64::try_from(until.saturating_sub(state.monotonic).as_secs()).unwrap();
            state.monotonic = until;
        }
        if state.idle <= 1 || state.idle == PATIENCE {
            note(&mut state, &what);
        }
        // Who is woken by this looks at the time.
        drop(state);
        let _ = go.send(luck);
        true
    }

    /// Whether for so many turns nobody but timers has had one.
    pub(super) fn is_idle(&self) -> bool {
        self.state.lock().unwrap().idle > PATIENCE
    }

    /// Everything about this grant hangs until further notice.
    pub(super) fn freeze(&self, whose: Option<Holder>) {
        self.state.lock().unwrap().frozen = whose;
    }

    pub(super) fn frozen(&self) -> Option<Holder> {
        self.state.lock().unwrap().frozen
    }

    pub(super) fn now(&self) -> UnixTime {
        UnixTime::from_seconds(self.state.lock().unwrap().wall)
    }

    /// Wall time jumps, as in suspend or by hand; timers do not notice.
    pub(super) fn jump(&self, seconds: i64) {
        self.state.lock().unwrap().wall += seconds;
    }

    pub(super) fn say(&self, what: impl Into<String>) {
        note(&mut self.state.lock().unwrap(), &what.into());
    }

    /// The last steps, a line each.
    pub(super) fn trace(&self) -> String {
        self.state.lock().unwrap().trace.iter().fold(String::new(), |all, line| all + "  " + line + "\n")
    }
}

fn note(state: &mut State, what: &str) {
    if state.trace.len() == SHOWN {
        state.trace.pop_front();
    }
    let line = format!("{:>7} s  {what}", state.wall - START);
    state.trace.push_back(line);
}

/// The clock: the stage's time, and timers that wait for their turn.
pub(super) struct Timers(pub(super) Arc<Stage>);

impl Clock for Timers {
    fn now(&self) -> UnixTime {
        self.0.now()
    }

    fn monotonic(&self) -> Instant {
        self.0.origin + self.0.state.lock().unwrap().monotonic
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let until = self.0.state.lock().unwrap().monotonic.saturating_add(duration);
        let timer = self.0.wait(format!("a timer of {} ms", duration.as_millis()), None, Some(until));
        Box::pin(async move {
            let _ = timer.await;
        })
    }
}

/// Takes who does not wait any more off the list.
struct Leave {
    stage: Arc<Stage>,
    number: u64,
}

impl Drop for Leave {
    fn drop(&mut self) {
        self.stage.state.lock().unwrap().waiting.retain(|one| one.number != self.number);
    }
}
