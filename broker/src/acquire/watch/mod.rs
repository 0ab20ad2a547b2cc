//! `WatchToken`: the current token, and each newer one as soon as it is stored, whoever caused it. Following counts as use: the
//! token is renewed as it leaves its margin, by the same single flight as `GetToken`. Nothing runs while nobody reads, and nothing
//! is kept for a slow reader: it gets the latest.

mod due;
mod feed;
mod found;
mod tell;

use std::{sync::Arc, time::Duration};

use token_broker_proto::{
    Secret,
    calls::{Event, TokenAnswer, TokenRequest, WatchRequest},
    oauth::{CorrelationId, UnixTime},
};
use tokio::sync::broadcast::{
    Receiver,
    error::{RecvError, TryRecvError},
};

use self::{
    due::{Bearing, NEVER, bearing},
    feed::Change,
};
use super::Desk;
use crate::{
    access::Caller,
    model::{Client, DeskError, Interaction},
};

pub(super) use feed::{Asked, Feed};

pub use feed::EventWatch;

/// The longest wait without a look at the clock: a laptop sleeps, and people set clocks.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// The state of a followed token.
#[derive(Debug)]
pub enum Followed {
    /// The current token: first, and each newer one.
    Token(Box<TokenAnswer>),
    /// It cannot be renewed without the user.
    SignInNeeded {
        /// Why.
        error: DeskError,
        /// When the token that was told last ends; `None`: there is none any more.
        token_expires_on: Option<UnixTime>,
    },
    /// It ran out, and there is no newer one for now.
    Expired {
        /// When it ended.
        expires_on: UnixTime,
        /// Why there is no newer one.
        error: DeskError,
    },
}

/// A followed token.
pub struct TokenWatch {
    desk: Arc<Desk>,
    caller: Caller,
    request: TokenRequest,
    changes: Receiver<Arc<Change>>,
    /// Whose token it is, once that is known.
    client: Option<Client>,
    home_account_id: Option<String>,
    told: Told,
    /// The token that was told last, while it is good.
    held: Option<Held>,
    /// Why the last renewal failed, if it did.
    trouble: Option<DeskError>,
    failures: u32,
    due: UnixTime,
}

/// What the reader was told last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Nothing,
    Token,
    SignInNeeded { has_token: bool },
    Expired,
    End,
}

struct Held {
    access_token: Secret,
    expires_on: UnixTime,
}

impl Desk {
    /// Follows a token.
    #[must_use]
    pub fn watch_token(
        self: &Arc<Self>,
        caller: &Caller,
        request: &WatchRequest,
        correlation_id: CorrelationId,
    ) -> TokenWatch {
        tracing::debug!(%caller, "watch token");
        TokenWatch {
            changes: self.feed.subscribe(),
            desk: Arc::clone(self),
            caller: caller.clone(),
            request: TokenRequest { correlation_id: Some(correlation_id), ..request.token().clone() },
            client: None,
            home_account_id: None,
            told: Told::Nothing,
            held: None,
            trouble: None,
            failures: 0,
            due: UnixTime::from_seconds(0),
        }
    }
}

impl TokenWatch {
    /// Waits for the next state; `None` when the daemon stops, and after an error.
    pub async fn next(&mut self) -> Option<Result<Followed, DeskError>> {
        if self.told == Told::End {
            return None;
        }
        let stop = self.desk.tasks.stop.clone();
        let next = tokio::select! {
            biased;
            () = stop.cancelled() => return None,
            next = self.news() => next,
        };
        Some(next.inspect_err(|_| self.told = Told::End))
    }

    async fn news(&mut self) -> Result<Followed, DeskError> {
        loop {
            if let Some(news) = self.look().await? {
                return Ok(news);
            }
            self.rest().await;
        }
    }

    /// Looks at what there is, renews it if that is due, and says what the reader has not been told.
    async fn look(&mut self) -> Result<Option<Followed>, DeskError> {
        self.hear();
        let mut found = self.found().await;
        let mut renewed = None;
        if let Ok(current) = &found
            && self.due <= self.desk.clock.now()
        {
            renewed = self.renew(current.as_ref().map(|found| &found.token)).await?;
            found = self.found().await;
        }
        match found {
            Ok(Some(found)) => Ok(self.tell_token(found, renewed)),
            Ok(None) => self.tell_missing(renewed),
            Err(error) => match bearing(&error) {
                // A name that was never there is a mistake; one that is gone may come back.
                Bearing::AsksForUser if self.told != Told::Nothing || is_nobody_signed_in(&error) => {
                    self.due = NEVER;
                    Ok(self.tell_sign_in(error, None))
                }
                Bearing::Passing if self.told != Told::Nothing => Ok(self.tell_unreadable(error)),
                Bearing::AsksForUser | Bearing::Passing | Bearing::Final => Err(error),
            },
        }
    }

    /// Waits until the token is due or ends, or something changes that concerns it; a minute at most.
    async fn rest(&mut self) {
        let desk = Arc::clone(&self.desk);
        loop {
            let now = desk.clock.now();
            let next = self.held.as_ref().map_or(self.due, |held| self.due.min(held.expires_on));
            if next <= now {
                return;
            }
            tokio::select! {
                biased;
                change = self.changes.recv() => match change {
                    Ok(change) if self.concerns(&change) => return self.weigh(&change),
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => return,
                    Err(RecvError::Closed) => desk.tasks.stop.cancelled().await,
                },
                () = desk.clock.sleep(next.since(now).min(LONGEST_WAIT)) => return,
            }
        }
    }

    /// Takes in what has changed meanwhile.
    fn hear(&mut self) {
        loop {
            match self.changes.try_recv() {
                Ok(change) if self.concerns(&change) => self.weigh(&change),
                Ok(_) | Err(TryRecvError::Lagged(_)) => {}
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }

    fn concerns(&self, change: &Change) -> bool {
        fn may_be<T: PartialEq>(one: Option<&T>, other: Option<&T>) -> bool {
            one.is_none() || other.is_none() || one == other
        }
        may_be(change.client.as_ref(), self.client.as_ref())
            && may_be(change.home_account_id.as_ref(), self.home_account_id.as_ref())
    }

    fn weigh(&mut self, change: &Change) {
        let now = self.desk.clock.now();
        match &change.record.event {
            // Somebody else has just asked in vain: that counts for this one, too.
            Event::RenewalFailed(_) | Event::SignInNeeded(_) if self.held.is_some() && self.due <= now => {
                self.postpone();
            }
            // What could not be had may be there now.
            Event::SignedIn(_) | Event::ApplicationAdded(_) | Event::ApplicationReplaced(_) if self.held.is_none() => {
                self.due = now;
            }
            _ => {}
        }
    }
}

fn is_nobody_signed_in(error: &DeskError) -> bool {
    matches!(error, DeskError::InteractionRequired { why: Interaction::NotSignedIn, .. })
}
