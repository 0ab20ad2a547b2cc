//! The tokens in use: somebody was answered with them since they were issued. A mark in memory for each, made at the first use
//! and found again, without a copy of anything, at all later ones. Due times are of the wall, but a clock that is set back does
//! not delay them: the time that has passed counts as well.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use token_broker_proto::oauth::{ScopeSet, UnixTime};
use tokio::sync::Notify;

use super::due::due_on;
use crate::model::{CachedToken, Client, TokenPartition};

/// Most tokens that are renewed ahead; those of one more are renewed when they are asked for.
const MOST: usize = 4096;
/// The pause after a renewal that failed; it doubles with each one that follows.
const PAUSE: Duration = Duration::from_secs(30);

/// Both times of a moment.
#[derive(Debug, Clone, Copy)]
pub(in crate::acquire) struct Moment {
    pub wall: UnixTime,
    pub monotonic: Instant,
}

/// The marks, each with what it takes to renew the token.
pub(in crate::acquire) struct InUse<R> {
    marks: Mutex<Marks<R>>,
    hasher: RandomState,
    changed: Notify,
}

/// The marks, and what spares a look at all of them at every use of another token.
struct Marks<R> {
    by_token: HashMap<u64, Mark<R>>,
    /// When the task looks again by itself, as far as a mark made it: only an earlier one wakes it.
    next: Option<Due>,
    /// While there are too many, none of them goes before this.
    full_until: UnixTime,
}

impl<R> Default for InUse<R> {
    fn default() -> Self {
        let marks = Marks { by_token: HashMap::new(), next: None, full_until: UnixTime::from_seconds(0) };
        Self { marks: Mutex::new(marks), hasher: RandomState::new(), changed: Notify::new() }
    }
}

impl<R> Marks<R> {
    /// Whether there is room for one more; forgets what has expired, as soon as something has.
    fn make_room(&mut self, now: UnixTime) -> bool {
        if self.by_token.len() >= MOST && now >= self.full_until {
            self.by_token.retain(|_, mark| mark.expires_on > now);
            let first = self.by_token.values().map(|mark| mark.expires_on).min();
            self.full_until = first.unwrap_or(now);
        }
        self.by_token.len() < MOST
    }
}

struct Mark<R> {
    partition: TokenPartition,
    scopes: ScopeSet,
    issued_on: UnixTime,
    expires_on: UnixTime,
    renewal: R,
    /// `None` while it is being renewed, and when there is no use in trying.
    due: Option<Due>,
    failures: u32,
}

#[derive(Clone, Copy)]
struct Due {
    on: UnixTime,
    at: Instant,
}

impl Due {
    fn left(self, now: Moment) -> Duration {
        self.on.since(now.wall).min(self.at.saturating_duration_since(now.monotonic))
    }

    fn after(now: Moment, wait: Duration) -> Self {
        Self { on: now.wall.plus(wait), at: now.monotonic + wait }
    }
}

/// A token whose time has come.
pub(super) struct Taken<R> {
    pub renewal: R,
    pub partition: TokenPartition,
    pub scopes: ScopeSet,
    pub issued_on: UnixTime,
    key: u64,
}

/// What came of a renewal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The token has a successor, which counts as unused.
    Renewed,
    /// It may go better later, not before this long.
    Later(Duration),
    /// Another request for the same grant was under way.
    Occupied,
    /// Nothing helps but a sign-in or a change of the registration.
    GivenUp,
}

impl<R: Clone> InUse<R> {
    /// No token of this key is of any use any more.
    pub(in crate::acquire) fn forget_key(&self, key_id: &str) {
        self.lock().by_token.retain(|_, mark| mark.partition.key_id != key_id);
    }

    /// Nobody of this client has this account, or the session of this name, any more.
    pub(in crate::acquire) fn forget_account(&self, client: &Client, home_account_id: &str) {
        let is_theirs = |of: &TokenPartition| {
            of.client_id == client.client_id
                && of.environment == client.environment
                && of.home_account_id.as_deref() == Some(home_account_id)
        };
        self.lock().by_token.retain(|_, mark| !is_theirs(&mark.partition));
    }

    /// Somebody was answered with this token. `now`, `random` and `renewal` are asked for at its first use only.
    pub(in crate::acquire) fn mark(
        &self,
        partition: &TokenPartition,
        token: &CachedToken,
        now: impl FnOnce() -> (Moment, u8),
        renewal: impl FnOnce() -> R,
    ) {
        let key = self.key(partition, &token.scopes);
        let mut marks = self.lock();
        if marks.by_token.get(&key).is_some_and(|mark| mark.is_of(partition, token)) {
            return;
        }
        let (now, random) = now();
        let Some(on) = due_on(token, random) else { return };
        if !marks.by_token.contains_key(&key) && !marks.make_room(now.wall) {
            return;
        }
        let due = Due { on, at: now.monotonic + on.since(now.wall) };
        let mark = Mark {
            partition: partition.clone(),
            scopes: token.scopes.clone(),
            issued_on: token.issued_on,
            expires_on: token.expires_on,
            renewal: renewal(),
            due: Some(due),
            failures: 0,
        };
        marks.by_token.insert(key, mark);
        let is_earlier = marks.next.is_none_or(|next| due.left(now) < next.left(now));
        drop(marks);
        if is_earlier {
            self.changed.notify_one();
        }
    }

    /// Those whose time has come, each handed out once. Those that have expired are forgotten: the next call asks for them.
    pub(super) fn take_due(&self, now: Moment) -> Vec<Taken<R>> {
        let mut marks = self.lock();
        marks.by_token.retain(|_, mark| mark.expires_on > now.wall);
        let due = marks.by_token.iter_mut().filter(|(_, mark)| mark.due.is_some_and(|due| due.left(now).is_zero()));
        let take = |(key, mark): (&u64, &mut Mark<R>)| {
            mark.due = None;
            let Mark { partition, scopes, issued_on, renewal, .. } = &*mark;
            let (renewal, partition, scopes) = (renewal.clone(), partition.clone(), scopes.clone());
            Taken { renewal, partition, scopes, issued_on: *issued_on, key: *key }
        };
        due.map(take).collect()
    }

    /// What came of it.
    pub(super) fn done(&self, taken: &Taken<R>, now: Moment, outcome: Outcome) {
        let mut marks = self.lock();
        // A successor that is in use already has a mark of its own.
        let Some(mark) = marks.by_token.get_mut(&taken.key).filter(|mark| mark.issued_on == taken.issued_on) else {
            return;
        };
        match outcome {
            Outcome::Renewed => drop(marks.by_token.remove(&taken.key)),
            Outcome::GivenUp => {}
            Outcome::Occupied => mark.due = Some(Due::after(now, PAUSE)),
            Outcome::Later(wait) => {
                let pause = PAUSE.saturating_mul(1 << mark.failures.min(6));
                mark.failures += 1;
                mark.due = Some(Due::after(now, pause.max(wait)));
            }
        }
        drop(marks);
        self.changed.notify_one();
    }

    /// Forgets the marks of which this holds, with all that they hold.
    pub(in crate::acquire) fn forget(&self, which: impl Fn(&R) -> bool) {
        self.lock().by_token.retain(|_, mark| !which(&mark.renewal));
    }

    /// How long until the next one is due; `None` if none will be.
    pub(super) fn next(&self, now: Moment) -> Option<Duration> {
        let mut marks = self.lock();
        marks.next = marks.by_token.values().filter_map(|mark| mark.due).min_by_key(|due| due.left(now));
        marks.next.map(|due| due.left(now))
    }

    /// When this token will be renewed, if it is in use.
    pub(super) fn due_of(&self, partition: &TokenPartition, token: &CachedToken) -> Option<UnixTime> {
        let key = self.key(partition, &token.scopes);
        self.lock().by_token.get(&key).filter(|mark| mark.is_of(partition, token)).and_then(|mark| Some(mark.due?.on))
    }

    /// Resolves when there is something new to look at.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    fn key(&self, partition: &TokenPartition, scopes: &ScopeSet) -> u64 {
        self.hasher.hash_one((partition, scopes))
    }

    /// The map is never left half changed, so a poisoned lock is still good.
    fn lock(&self) -> MutexGuard<'_, Marks<R>> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R> Mark<R> {
    fn is_of(&self, partition: &TokenPartition, token: &CachedToken) -> bool {
        self.issued_on == token.issued_on && self.scopes == token.scopes && self.partition == *partition
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Instant};

    use token_broker_proto::{
        Secret,
        oauth::{ClientId, ScopeSet, UnixTime},
    };

    use super::{InUse, Moment};
    use crate::model::{CachedToken, Client, TokenPartition};

    fn partition(home_account_id: Option<&str>) -> TokenPartition {
        TokenPartition {
            environment: "id.example".into(),
            client_id: ClientId::parse("c").unwrap(),
            home_account_id: home_account_id.map(str::to_owned),
            tenant: String::new(),
            token_type: "bearer".into(),
            key_id: String::new(),
            extra: String::new(),
        }
    }

    fn token() -> CachedToken {
        CachedToken {
            access_token: Secret::new("t"),
            token_type: "Bearer".into(),
            scopes: ScopeSet::openid(),
            issued_on: UnixTime::from_seconds(0),
            expires_on: UnixTime::from_seconds(3600),
            refresh_on: None,
            subject: None,
        }
    }

    #[expect(clippy::disallowed_methods, reason = "a moment like any other")]
    fn now() -> Moment {
        Moment { wall: UnixTime::from_seconds(0), monotonic: Instant::now() }
    }

    #[test]
    fn a_registration_that_was_removed_is_held_by_no_mark() {
        let (marks, registration, now) = (InUse::<Arc<str>>::default(), Arc::<str>::from("mail"), now());
        marks.mark(&partition(None), &token(), || (now, 0), || Arc::clone(&registration));
        assert_eq!((Arc::strong_count(&registration), marks.next(now).is_some()), (2, true));
        marks.forget(|held| **held == *"notes");
        assert_eq!(Arc::strong_count(&registration), 2, "it is another application's");
        marks.forget(|held| **held == *"mail");
        assert_eq!((Arc::strong_count(&registration), marks.next(now).is_some()), (1, false));
    }

    #[test]
    fn who_signed_out_has_no_marks_and_others_keep_theirs() {
        let (marks, now) = (InUse::<Option<&str>>::default(), now());
        let all = [Some("ada"), Some("bob"), None];
        for of in all {
            marks.mark(&partition(of), &token(), || (now, 0), || of);
        }
        let client = |id| Client { environment: "id.example".into(), client_id: ClientId::parse(id).unwrap() };
        marks.forget_account(&client("d"), "ada");
        let is_marked = |of| marks.due_of(&partition(of), &token()).is_some();
        assert_eq!(all.map(is_marked), [true, true, true]);
        marks.forget_account(&client("c"), "ada");
        assert_eq!(all.map(is_marked), [false, true, true]);
    }
}
