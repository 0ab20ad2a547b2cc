//! `WatchToken`: the current token, and each newer one as soon as it is stored, whoever caused it. Following counts as use: the
//! token is renewed as it leaves its margin, by the same single flight as `GetToken`. Nothing runs while nobody reads, and nothing
//! is kept for a slow reader: it gets the latest.

mod due;
mod feed;

use std::{sync::Arc, time::Duration};

use token_broker_proto::{
    Secret,
    calls::{Event, Subject, TokenAnswer, TokenRequest, TokenSource, WatchRequest},
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
use super::{
    Desk,
    found::{bearer_partition, is_fresh, is_valid},
};
use crate::{
    access::Caller,
    model::{CachedToken, Client, DeskError, Interaction, User},
};

pub(super) use feed::{Asked, Feed};

pub use feed::EventWatch;

/// The longest wait without a look at the clock: a laptop sleeps, and people set clocks.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// The state of a followed token.
#[derive(Debug)]
pub enum Followed {
    /// The current token: first, and each newer one.
    Token(TokenAnswer),
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

/// The token that the cache has now.
struct Found {
    answer: TokenAnswer,
    token: CachedToken,
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
        let stop = self.desk.tasks.stop.clone();
        tokio::select! {
            biased;
            () = stop.cancelled() => None,
            next = self.news(), if self.told != Told::End => Some(next.inspect_err(|_| self.told = Told::End)),
            else => None,
        }
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
        let mut found = self.found();
        let mut renewed = None;
        if let Ok(current) = &found
            && self.due <= self.desk.clock.now()
        {
            renewed = self.renew(current.as_ref().map(|found| &found.token)).await?;
            found = self.found();
        }
        match found {
            Ok(Some(found)) => Ok(self.tell_token(found, renewed)),
            Ok(None) => self.tell_missing(renewed),
            Err(error) => match bearing(&error) {
                // A name that was never there is a mistake; one that is gone may come back.
                Bearing::AsksForUser if self.told != Told::Nothing || is_interaction(&error) => {
                    self.due = NEVER;
                    Ok(self.tell_sign_in(error, None))
                }
                Bearing::Passing if self.told != Told::Nothing => {
                    self.fail(error);
                    Ok(None)
                }
                Bearing::AsksForUser | Bearing::Passing | Bearing::Final => Err(error),
            },
        }
    }

    /// Asks as `GetToken` does. With a valid token at hand it does not take that one for an answer, so that it learns of a failure.
    async fn renew(&mut self, current: Option<&CachedToken>) -> Result<Option<TokenSource>, DeskError> {
        let min_validity = match current {
            Some(token) if self.told != Told::Nothing => Some(due::margin(token, self.request.min_validity)),
            _ => self.request.min_validity,
        };
        let request = TokenRequest { min_validity, subject: self.subject(), ..self.request.clone() };
        match self.desk.acquire_token(&self.caller, &request).await {
            Ok(answer) => {
                self.trouble = None;
                Ok(Some(answer.source))
            }
            Err(error) => match (bearing(&error), self.told) {
                (Bearing::Final, _) | (Bearing::Passing, Told::Nothing) => Err(error),
                (Bearing::AsksForUser | Bearing::Passing, _) => {
                    self.fail(error);
                    Ok(None)
                }
            },
        }
    }

    fn fail(&mut self, error: DeskError) {
        self.failures = self.failures.saturating_add(1);
        self.due = due::due_after(self.failures, &error, self.desk.clock.now());
        self.trouble = Some(error);
    }

    /// The newest token of the cache that `GetToken` would answer with; else the newest that is valid.
    fn found(&mut self) -> Result<Option<Found>, DeskError> {
        let desk = Arc::clone(&self.desk);
        let wanted = desk.wanted(&self.request)?;
        let application = &wanted.stored.application;
        self.client = Some(application.client());
        let user = match self.request.subject.clone() {
            Subject::User(selector) => {
                let user = self.user(|selector| desk.signed_in_user(application, selector), selector.as_deref())?;
                self.home_account_id = Some(user.home_account_id.clone());
                Some(user)
            }
            Subject::Application | Subject::OnBehalfOf(_) => None,
        };
        let partition = bearer_partition(application, user.as_ref());
        let now = desk.clock.now();
        let find = |accept: &dyn Fn(&CachedToken) -> bool| desk.vault.find_token(&partition, &wanted.scopes, accept);
        let fresh = find(&|token| is_fresh(token, wanted.min_validity, now))?;
        let token = match fresh {
            Some(token) => Some(token),
            None => find(&|token| is_valid(token, now))?,
        };
        let Some(token) = token else { return Ok(None) };
        let answer = desk.answer(&wanted, user.as_ref(), token.clone(), TokenSource::Cache)?;
        Ok(Some(Found { answer, token }))
    }

    /// The user that is followed: the one that was named, else the one that was found at first for as long as that is signed in.
    fn user(
        &mut self,
        find: impl Fn(Option<&str>) -> Result<User, DeskError>,
        named: Option<&str>,
    ) -> Result<User, DeskError> {
        let known = self.home_account_id.clone();
        match (named, known) {
            (None, Some(known)) => find(Some(&known)).or_else(|_| {
                self.home_account_id = None;
                find(None)
            }),
            (named, _) => find(named),
        }
    }

    fn subject(&self) -> Subject {
        match &self.request.subject {
            Subject::User(None) => Subject::User(self.home_account_id.clone()),
            subject => subject.clone(),
        }
    }

    fn tell_token(&mut self, found: Found, renewed: Option<TokenSource>) -> Option<Followed> {
        let Found { answer, token } = found;
        let is_told = self.held.as_ref().is_some_and(|held| held.access_token.expose() == token.access_token.expose());
        if renewed.is_some() || !is_told {
            self.trouble = None;
            self.due = due::due(&token, self.request.min_validity);
            if self.due > self.desk.clock.now() {
                self.failures = 0;
            } else if renewed.is_some() {
                // It was renewed and is not fresh: the provider is away, or its tokens live too short.
                self.postpone();
            }
        }
        if !is_told {
            self.told = Told::Token;
            self.held = Some(Held { access_token: token.access_token, expires_on: token.expires_on });
            return Some(Followed::Token(TokenAnswer { source: renewed.unwrap_or(TokenSource::Cache), ..answer }));
        }
        match &self.trouble {
            Some(error) if bearing(error) == Bearing::AsksForUser => {
                self.tell_sign_in(error.clone(), Some(token.expires_on))
            }
            _ => None,
        }
    }

    fn tell_missing(&mut self, renewed: Option<TokenSource>) -> Result<Option<Followed>, DeskError> {
        if renewed.is_some() {
            let error = DeskError::AuthorityUnusable("the provider's token had run out when it came".to_owned());
            if self.told == Told::Nothing {
                return Err(error);
            }
            self.fail(error);
        }
        let Some(error) = self.trouble.clone() else {
            self.due = self.desk.clock.now();
            return Ok(None);
        };
        if bearing(&error) == Bearing::AsksForUser {
            return Ok(self.tell_sign_in(error, None));
        }
        Ok(self.held.take().map(|held| {
            self.told = Told::Expired;
            Followed::Expired { expires_on: held.expires_on, error }
        }))
    }

    fn tell_sign_in(&mut self, error: DeskError, token_expires_on: Option<UnixTime>) -> Option<Followed> {
        let told = Told::SignInNeeded { has_token: token_expires_on.is_some() };
        if token_expires_on.is_none() {
            self.held = None;
        }
        let is_news = std::mem::replace(&mut self.told, told) != told;
        is_news.then_some(Followed::SignInNeeded { error, token_expires_on })
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
                self.postpone()
            }
            // What could not be had may be there now.
            Event::SignedIn(_) | Event::ApplicationAdded(_) | Event::ApplicationReplaced(_) if self.held.is_none() => {
                self.due = now;
            }
            _ => {}
        }
    }

    fn postpone(&mut self) {
        self.failures = self.failures.saturating_add(1);
        self.due = self.desk.clock.now().plus(due::pause(self.failures));
    }
}

fn is_interaction(error: &DeskError) -> bool {
    matches!(error, DeskError::InteractionRequired { why: Interaction::NotSignedIn, .. })
}
