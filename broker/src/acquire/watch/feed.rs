//! The one feed of what happens to applications, accounts and tokens, and its readers. It is bounded: a reader that lags loses the
//! oldest events and is told to resync. Whoever changes something publishes after the change is stored; without readers that
//! costs next to nothing. No event carries a secret.

use std::sync::Arc;

use token_broker_proto::{
    Account,
    calls::{Event, EventRecord, Renewal, RenewalFailure, TokenSource},
    oauth::{ApplicationName, CorrelationId},
};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::{
    access::Caller,
    acquire::{Desk, silent::Refreshed},
    model::{Client, DeskError, Interaction},
    ports::Clock,
};

/// Events that a reader may be behind.
const KEPT: usize = 256;

/// Where events are published.
pub(in crate::acquire) struct Feed(broadcast::Sender<Arc<Change>>);

/// An event, with whom it concerns.
pub(super) struct Change {
    /// The client; `None` if it may concern any.
    pub(super) client: Option<Client>,
    /// The account; `None` if it may concern any.
    pub(super) home_account_id: Option<String>,
    /// What readers are told.
    pub(super) record: EventRecord,
}

/// Many changes at once, such as an import.
pub struct Upheaval(Arc<Desk>);

impl Drop for Upheaval {
    fn drop(&mut self) {
        self.0.feed.publish(&*self.0.clock, None, Event::Resync { missed: 0 });
    }
}

/// What a request to a provider was made for.
pub(in crate::acquire) struct Asked {
    pub(in crate::acquire) client: Client,
    pub(in crate::acquire) application: ApplicationName,
    /// `None` for an app-only token.
    pub(in crate::acquire) account: Option<Account>,
    pub(in crate::acquire) correlation_id: CorrelationId,
}

impl Default for Feed {
    fn default() -> Self {
        Self(broadcast::Sender::new(KEPT))
    }
}

impl Feed {
    pub(super) fn subscribe(&self) -> broadcast::Receiver<Arc<Change>> {
        self.0.subscribe()
    }

    fn publish(&self, clock: &dyn Clock, client: Option<Client>, event: Event) {
        if self.0.receiver_count() == 0 {
            return;
        }
        let home_account_id = account(&event).map(|account| account.home_account_id.clone());
        let record = EventRecord { occurred_on: clock.now(), event };
        // An error: the last reader left just now.
        let _ = self.0.send(Arc::new(Change { client, home_account_id, record }));
    }
}

fn account(event: &Event) -> Option<&Account> {
    match event {
        Event::SignedIn(account) | Event::SignedOut(account) => Some(account),
        Event::TokenRenewed(renewal) => renewal.account.as_ref(),
        Event::RenewalFailed(failure) | Event::SignInNeeded(failure) => failure.account.as_ref(),
        Event::Resync { .. }
        | Event::ApplicationAdded(_)
        | Event::ApplicationReplaced(_)
        | Event::ApplicationRemoved(_)
        | Event::CacheEntryRemoved(_) => None,
    }
}

impl Desk {
    /// Tells readers what happened to this client.
    pub(in crate::acquire) fn publish(&self, client: Client, event: Event) {
        self.feed.publish(&*self.clock, Some(client), event);
    }

    /// Tells readers how a request to the provider ended, after its tokens are stored.
    pub(in crate::acquire) fn publish_outcome(&self, asked: Asked, outcome: &Refreshed) {
        let Asked { client, application, account, correlation_id } = asked;
        let application = application.to_string();
        let failure = |error: &DeskError, account| RenewalFailure {
            application: application.clone(),
            account,
            reason: error.reason(),
            message: error.to_string(),
            correlation_id,
        };
        let event = match outcome {
            Ok((token, TokenSource::IdentityProvider)) => Event::TokenRenewed(Renewal {
                application,
                account,
                scopes: token.scopes.clone(),
                expires_on: token.expires_on,
            }),
            // Nothing happened; or it is told already: the account signed out meanwhile, the application was replaced or removed, or
            // the daemon stops.
            Ok((_, TokenSource::Cache))
            | Err(
                DeskError::InteractionRequired { why: Interaction::NotSignedIn | Interaction::NoSession, .. }
                | DeskError::ApplicationNotFound(_)
                | DeskError::Cancelled,
            ) => return,
            Err(error @ DeskError::InteractionRequired { .. }) => Event::SignInNeeded(failure(error, account)),
            Err(error) => Event::RenewalFailed(failure(error, account)),
        };
        self.publish(client, event);
    }

    /// Runs a change of the other desk to its end, even when its caller hangs up, and tells readers of it.
    pub async fn see_through<T: Send + 'static>(
        self: &Arc<Self>,
        change: impl Future<Output = Result<(T, Option<Event>), DeskError>> + Send + 'static,
    ) -> Result<T, DeskError> {
        let desk = Arc::clone(self);
        let task = async move {
            let (done, event) = change.await?;
            if let Some(event) = event {
                if let Event::ApplicationRemoved(name) = &event {
                    desk.in_use.forget(|renewal| renewal.application() == name);
                }
                desk.feed.publish(&*desk.clock, None, event);
            }
            Ok(done)
        };
        let done = self.tasks.tracker.spawn(task.in_current_span()).await;
        done.unwrap_or_else(|_| Err(DeskError::Internal("a change died".into())))
    }

    /// While it lives many things change; when it is dropped, readers are told to look at everything again.
    #[must_use]
    pub fn upheaval(self: &Arc<Self>) -> Upheaval {
        Upheaval(Arc::clone(self))
    }

    /// Follows what happens from now on, of one application or of all.
    #[must_use]
    pub fn watch_events(&self, caller: &Caller, application: Option<ApplicationName>) -> EventWatch {
        tracing::debug!(%caller, "watch events");
        EventWatch {
            changes: self.feed.subscribe(),
            clock: Arc::clone(&self.clock),
            stop: self.tasks.stop.clone(),
            application,
            is_first: true,
        }
    }
}

/// A reader of the feed. The first event is `Resync`.
pub struct EventWatch {
    changes: broadcast::Receiver<Arc<Change>>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
    application: Option<ApplicationName>,
    is_first: bool,
}

impl EventWatch {
    /// Waits for the next event; `None` when the daemon stops.
    pub async fn next(&mut self) -> Option<EventRecord> {
        if std::mem::take(&mut self.is_first) {
            return Some(self.resync(0));
        }
        loop {
            let received = tokio::select! {
                biased;
                () = self.stop.cancelled() => return None,
                received = self.changes.recv() => received,
            };
            match received {
                Ok(change) if self.is_wanted(&change.record.event) => return Some(change.record.clone()),
                Ok(_) => {}
                Err(RecvError::Lagged(missed)) => return Some(self.resync(missed)),
                Err(RecvError::Closed) => return None,
            }
        }
    }

    fn resync(&self, missed: u64) -> EventRecord {
        EventRecord { occurred_on: self.clock.now(), event: Event::Resync { missed } }
    }

    fn is_wanted(&self, event: &Event) -> bool {
        self.application.as_ref().is_none_or(|wanted| event.application().is_none_or(|name| name == wanted.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use token_broker_proto::{calls::Event, oauth::ApplicationName};
    use tokio_util::sync::CancellationToken;

    use super::{EventWatch, Feed, KEPT};
    use crate::ports::clock::SystemClock;

    fn watch(feed: &Feed, application: Option<&str>) -> EventWatch {
        EventWatch {
            changes: feed.subscribe(),
            clock: Arc::new(SystemClock),
            stop: CancellationToken::new(),
            application: application.map(|name| ApplicationName::parse("application", name).unwrap()),
            is_first: true,
        }
    }

    async fn next(watch: &mut EventWatch) -> Option<Event> {
        watch.next().await.map(|record| record.event)
    }

    fn added(name: &str) -> Event {
        Event::ApplicationAdded(name.to_owned())
    }

    #[tokio::test]
    async fn a_reader_that_lags_is_told_how_much_it_missed() {
        let feed = Feed::default();
        let mut slow = watch(&feed, None);
        assert_eq!(next(&mut slow).await, Some(Event::Resync { missed: 0 }));
        for number in 0..KEPT + 3 {
            feed.publish(&SystemClock, None, added(&number.to_string()));
        }
        assert_eq!(next(&mut slow).await, Some(Event::Resync { missed: 3 }));
        assert_eq!(next(&mut slow).await, Some(added("3")));
    }

    #[tokio::test]
    async fn a_reader_of_one_application_hears_of_it_alone_and_of_the_end() {
        let feed = Feed::default();
        let mut narrow = watch(&feed, Some("mail"));
        next(&mut narrow).await;
        for name in ["notes", "mail"] {
            feed.publish(&SystemClock, None, added(name));
        }
        assert_eq!(next(&mut narrow).await, Some(added("mail")));
        narrow.stop.cancel();
        assert_eq!(next(&mut narrow).await, None);
    }
}
