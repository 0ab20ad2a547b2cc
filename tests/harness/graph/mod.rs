//! A stand-in for Microsoft Graph: an API that checks the access tokens it is sent, as the real one does (`token`), answers `/me`
//! and `/me/messages` (`mailbox`), and fails where a test says so. It knows its issuer by the published metadata only, so that it
//! stands behind any server that issues JWTs. It runs on a thread of its own.

mod mailbox;
mod serve;
mod token;

use std::{
    collections::{HashSet, VecDeque},
    net::TcpListener,
    sync::{Arc, Mutex, MutexGuard},
    thread::{self, JoinHandle},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use token_broker::ports::Clock;
use tokio::sync::oneshot;

use self::token::Keys;
use crate::authorization_server::wire::Answer;

/// The audience of its tokens.
pub const AUDIENCE: &str = "https://graph.microsoft.com";

/// What its thread shares with the test.
struct Shared {
    base: String,
    clock: Arc<dyn Clock>,
    keys: Keys,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The tokens that it was asked with, in order.
    asked_with: Vec<Option<String>>,
    faults: VecDeque<Fault>,
    /// Tokens that were challenged: they are not good any more.
    outdated: HashSet<String>,
}

enum Fault {
    Answer(Answer),
    Challenge(String),
}

/// The running stand-in; it stops when dropped.
pub struct Graph {
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Graph {
    /// Starts it behind this issuer; it is ready when this returns.
    ///
    /// # Panics
    /// When the machine gives no port.
    #[must_use]
    pub fn start(issuer: &str, clock: Arc<dyn Clock>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a listener can be made non-blocking");
        let base = format!("http://{}/v1.0", listener.local_addr().expect("it has an address"));
        let shared = Arc::new(Shared { base, clock, keys: Keys::of(issuer), state: Mutex::default() });
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&shared);
        let thread = thread::Builder::new().name("graph".to_owned());
        let thread = thread.spawn(move || serve::serve(listener, &served, stopped)).expect("a thread starts");
        Self { shared, stop: Some(stop), thread: Some(thread) }
    }

    /// Where its version 1.0 is, `http://127.0.0.1:PORT/v1.0`.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.shared.base
    }

    /// The tokens that it was asked with, in order; none for a request without.
    #[must_use]
    pub fn asked_with(&self) -> Vec<Option<String>> {
        self.shared.state().asked_with.clone()
    }

    /// The next request fails with this status and error code.
    pub fn fail_next(&self, status: u16, code: &str) {
        self.shared.state().faults.push_back(Fault::Answer(refusal(status, code, "planned by a test")));
    }

    /// The next request is answered like this.
    pub fn answer_next(&self, status: u16, headers: &[(&str, &str)], body: &Value) {
        let mut answer = Answer::json(status, body);
        answer.headers.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self.shared.state().faults.push_back(Fault::Answer(answer));
    }

    /// The next request is answered with 401 and these claims, and its token is outdated from then on.
    pub fn challenge_next(&self, claims: &str) {
        self.shared.state().faults.push_back(Fault::Challenge(claims.to_owned()));
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// What happens to a request before it is looked at: a planned fault, or an outdated token is challenged again.
    fn planned(&self, token: Option<&str>) -> Option<Answer> {
        let mut state = self.state();
        state.asked_with.push(token.map(str::to_owned));
        match state.faults.pop_front() {
            Some(Fault::Answer(answer)) => Some(answer),
            Some(Fault::Challenge(claims)) => {
                state.outdated.extend(token.map(str::to_owned));
                Some(challenge(&claims))
            }
            None => token.filter(|token| state.outdated.contains(*token)).map(|_| challenge("{}")),
        }
    }
}

/// A claims challenge as continuous access evaluation sends it.
fn challenge(claims: &str) -> Answer {
    let mut answer =
        refusal(401, "TokenCreatedWithOutdatedPolicies", "Continuous access evaluation resulted in a challenge.");
    let claims = BASE64_STANDARD.encode(claims);
    let challenge = format!(r#"Bearer realm="", error="insufficient_claims", claims="{claims}""#);
    answer.headers.push(("www-authenticate".to_owned(), challenge));
    answer
}

/// An error of Microsoft Graph.
fn refusal(status: u16, code: &str, message: &str) -> Answer {
    Answer::json(status, &json!({"error": {"code": code, "message": message}}))
}

/// A member of an object, as text.
fn text(object: &Value, name: &str) -> String {
    object.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

impl Drop for Graph {
    fn drop(&mut self) {
        self.stop.take().map(|stop| stop.send(()));
        self.thread.take().map(JoinHandle::join);
    }
}
