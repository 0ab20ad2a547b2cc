//! What goes wrong, planned by a test: the next requests at a place get a wrong answer, none, half of one, or wait at a gate
//! until the test opens it. Nothing here depends on time.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
};

use tokio::sync::watch;

use super::Endpoint;

/// What happens to one request.
#[derive(Debug, Clone)]
pub enum Fault {
    /// It is answered with this, and not acted on.
    Answer {
        /// HTTP status.
        status: u16,
        /// Headers, such as `content-type`, `location`, `retry-after`, `content-encoding`.
        headers: Vec<(String, String)>,
        /// The body, whatever it is.
        body: Vec<u8>,
    },
    /// The connection closes before it is acted on.
    DropBefore,
    /// It is acted on, then the connection closes without an answer: a rotated token is lost on the way.
    DropAfter,
    /// It waits at the gate, and is acted on when that opens.
    HoldBefore(Gate),
    /// It is acted on, and the answer waits at the gate.
    HoldAfter(Gate),
    /// It is answered with these bytes of a longer JSON body, then nothing comes until the gate opens and the connection breaks.
    Stall(Vec<u8>, Gate),
}

impl Fault {
    /// An answer with this status, content type and body.
    #[must_use]
    pub fn answer(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self::Answer { status, headers, body: body.into() }
    }

    /// An OAuth error (RFC 6749 section 5.2).
    #[must_use]
    pub fn oauth_error(status: u16, error: &str) -> Self {
        Self::answer(
            status,
            "application/json",
            format!(r#"{{"error":"{error}","error_description":"planned by a test"}}"#),
        )
    }

    /// A redirect to this address.
    #[must_use]
    pub fn redirect(to: &str) -> Self {
        Self::answer(302, "text/plain", "").with_header("location", to)
    }

    /// The same with one more header; other faults have none.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }
}

/// Holds requests until it is opened; clones are the same gate.
#[derive(Debug, Clone)]
pub struct Gate {
    open: Arc<watch::Sender<bool>>,
    arrived: Arc<watch::Sender<usize>>,
}

impl Gate {
    /// A closed gate.
    #[must_use]
    pub fn closed() -> Self {
        Self { open: Arc::new(watch::Sender::new(false)), arrived: Arc::new(watch::Sender::new(0)) }
    }

    /// Opens it for all who wait and all who come.
    pub fn open(&self) {
        self.open.send_replace(true);
    }

    /// Resolves once this many requests have come to the gate.
    pub async fn reached(&self, requests: usize) {
        self.arrived.subscribe().wait_for(|arrived| *arrived >= requests).await.expect("the gate holds its own sender");
    }

    /// Waits until it is open.
    pub(crate) async fn pass(&self) {
        self.arrived.send_modify(|arrived| *arrived += 1);
        self.open.subscribe().wait_for(|open| *open).await.expect("the gate holds its own sender");
    }
}

/// The queue of each place.
#[derive(Debug, Default)]
pub(super) struct Faults(Mutex<HashMap<Endpoint, VecDeque<Fault>>>);

impl Faults {
    pub(super) fn plan(&self, endpoint: Endpoint, fault: Fault) {
        self.0.lock().unwrap().entry(endpoint).or_default().push_back(fault);
    }

    pub(super) fn clear(&self) {
        self.0.lock().unwrap().clear();
    }

    pub(super) fn next(&self, endpoint: Endpoint) -> Option<Fault> {
        self.0.lock().unwrap().get_mut(&endpoint)?.pop_front()
    }
}
