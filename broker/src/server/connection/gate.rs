//! Who may connect: the owner's own processes, so many at once and of one process. A few connections over the limit are kept for a
//! moment to be told so in words; the others are closed at once. The log has a line a burst, not a line a connection.

use std::sync::Arc;

use tokio::net::UnixStream;

use crate::{
    access::{Caller, Full, Limits, Peer, Place, Tally},
    metrics::Metrics,
};

/// Connections over the limit that are told so at once.
const TOLD: usize = 32;

/// Lets connections in.
#[derive(Debug)]
pub(super) struct Gate {
    owner: u32,
    places: Tally<i32>,
    told: Tally<()>,
    metrics: Arc<Metrics>,
    /// Connections that were refused since the limit was met; 0 when it is not met.
    refused: u64,
}

/// A connection that may go on.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) caller: Caller,
    pub(super) standing: Standing,
}

/// What a connection may do.
#[derive(Debug)]
pub(super) enum Standing {
    /// Everything, while it has its place.
    Served { _place: Place<i32> },
    /// Be told which limit was met.
    Refused { limit: Arc<str>, _place: Place<()> },
}

impl Gate {
    pub(super) fn new(owner: u32, limits: &Limits, metrics: Arc<Metrics>) -> Self {
        let places = Tally::new(limits.connections, limits.connections_per_process);
        Self { owner, places, told: Tally::new(TOLD, TOLD), metrics, refused: 0 }
    }

    /// Looks at whose process is at the other end, and whether there is a place for it.
    pub(super) fn admit(&mut self, stream: &UnixStream) -> Option<Entry> {
        let peer = match stream.peer_cred() {
            // Process 0 is one that this system cannot name.
            Ok(peer) => Peer::Unix { uid: peer.uid(), pid: peer.pid().filter(|pid| *pid > 0) },
            Err(error) => {
                tracing::warn!(%error, "a caller without credentials was turned away");
                return None;
            }
        };
        match Caller::at_owner_door(peer, self.owner) {
            Ok(caller) => self.place(caller),
            Err(stranger) => {
                tracing::warn!(%stranger, "turned away");
                None
            }
        }
    }

    fn place(&mut self, caller: Caller) -> Option<Entry> {
        let Peer::Unix { pid, .. } = caller.peer();
        match self.places.enter(*pid) {
            Ok(place) => {
                self.calm();
                Some(Entry { caller, standing: Standing::Served { _place: place } })
            }
            Err(full) => {
                let limit = self.refuse(full, &caller);
                let place = self.told.enter(None).ok()?;
                Some(Entry { caller, standing: Standing::Refused { limit, _place: place } })
            }
        }
    }

    /// Counts a refusal; the first of a burst is logged.
    fn refuse(&mut self, full: Full, caller: &Caller) -> Arc<str> {
        let (name, words, most) = match full {
            Full::ForAll => ("connections", "connections at once", self.places.most()),
            Full::ForOne => {
                ("connections_per_process", "connections of one process at once", self.places.most_of_one())
            }
        };
        self.metrics.limits.met(name);
        if self.refused == 0 {
            tracing::warn!(limit = name, most, %caller, "more connections than the limit: the others are refused");
        }
        self.refused += 1;
        format!("{words}: {most} ([limits] {name})").into()
    }

    /// The burst is over once an eighth of the places is free again.
    fn calm(&mut self) {
        if self.refused > 0 && self.places.len() <= self.places.most() - self.places.most() / 8 {
            tracing::warn!(refused = self.refused, "connections are let in again");
            self.refused = 0;
        }
    }
}
