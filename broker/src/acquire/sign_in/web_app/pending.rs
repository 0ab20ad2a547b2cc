//! The sign-ins that wait for their users to come back from the provider: in memory only, bounded, each taken out at most
//! once. One that was answered or is over is remembered a while longer, without its secrets, so that a latecomer is told so.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use token_broker_proto::oauth::{ApplicationName, UnixTime};

use super::LIFETIME;
use crate::flow::oauth::authorization_code::State;

/// Most sign-ins of one application that may wait at once.
pub(in crate::acquire) const MOST_PENDING: usize = 1000;
/// Most that are remembered in all, of all applications.
const MOST_REMEMBERED: usize = 16 * MOST_PENDING;

/// The list.
pub(in crate::acquire) struct PendingSignIns<T>(Mutex<VecDeque<Entry<T>>>);

struct Entry<T> {
    application: ApplicationName,
    state: State,
    expires_on: UnixTime,
    progress: Progress<T>,
}

/// How far it came.
enum Progress<T> {
    /// Its user is away.
    Waiting(Box<T>),
    /// It was taken out.
    Answered,
    /// Nobody came in time.
    Expired,
}

/// There are too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full;

/// Why there is nothing to take out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closed {
    /// No sign-in has this state, or none that is remembered.
    Unknown,
    /// Somebody took it out before.
    Answered,
    /// It is over.
    Expired,
    /// It belongs to another application, and stays there.
    OfAnother,
}

impl<T> Default for PendingSignIns<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> PendingSignIns<T> {
    /// Adds a sign-in that begins now.
    pub(super) fn add(
        &self,
        (application, state): (ApplicationName, State),
        sign_in: T,
        now: UnixTime,
    ) -> Result<(), Full> {
        let mut entries = self.swept(now);
        let waits = |entry: &&Entry<T>| entry.is_waiting() && entry.application == application;
        if entries.iter().filter(waits).count() >= MOST_PENDING || entries.len() >= MOST_REMEMBERED {
            return Err(Full);
        }
        let progress = Progress::Waiting(Box::new(sign_in));
        entries.push_back(Entry { application, state, expires_on: now.plus(LIFETIME), progress });
        Ok(())
    }

    /// Takes out the sign-in of this state.
    pub(super) fn take(&self, state: &State, application: &ApplicationName, now: UnixTime) -> Result<T, Closed> {
        let mut entries = self.swept(now);
        let entry = entries.iter_mut().find(|entry| entry.state.is(state)).ok_or(Closed::Unknown)?;
        if entry.application != *application {
            return Err(Closed::OfAnother);
        }
        match std::mem::replace(&mut entry.progress, Progress::Answered) {
            Progress::Waiting(sign_in) => Ok(*sign_in),
            Progress::Answered => Err(Closed::Answered),
            Progress::Expired => {
                entry.progress = Progress::Expired;
                Err(Closed::Expired)
            }
        }
    }

    /// The list as of now: who is over loses what it held, who has been over for long is forgotten, and so is the eldest that
    /// waits for nobody when the list is full.
    fn swept(&self, now: UnixTime) -> MutexGuard<'_, VecDeque<Entry<T>>> {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|entry| entry.expires_on.plus(LIFETIME) > now);
        for entry in entries.iter_mut().filter(|entry| entry.is_waiting() && entry.expires_on <= now) {
            entry.progress = Progress::Expired;
        }
        if entries.len() >= MOST_REMEMBERED
            && let Some(eldest) = entries.iter().position(|entry| !entry.is_waiting())
        {
            entries.remove(eldest);
        }
        entries
    }
}

impl<T> Entry<T> {
    fn is_waiting(&self) -> bool {
        matches!(self.progress, Progress::Waiting(_))
    }
}

#[cfg(test)]
mod tests {
    use token_broker_proto::oauth::{ApplicationName, UnixTime};

    use super::{Closed, Full, MOST_PENDING, PendingSignIns, State};

    fn app(name: &str) -> ApplicationName {
        ApplicationName::parse("application", name).unwrap()
    }

    fn state(text: &str) -> State {
        State::of(&format!("state={text}")).unwrap()
    }

    fn at(seconds: i64) -> UnixTime {
        UnixTime::from_seconds(seconds)
    }

    #[test]
    fn each_is_taken_out_once_by_its_own_application() {
        let list = PendingSignIns::default();
        list.add((app("a"), state("one")), 1, at(0)).unwrap();
        list.add((app("a"), state("two")), 2, at(0)).unwrap();
        assert_eq!(list.take(&state("one"), &app("b"), at(1)), Err(Closed::OfAnother));
        assert_eq!(list.take(&state("three"), &app("a"), at(1)), Err(Closed::Unknown));
        assert_eq!(list.take(&state("one"), &app("a"), at(1)), Ok(1));
        assert_eq!(list.take(&state("one"), &app("a"), at(1)), Err(Closed::Answered));
        assert_eq!(list.take(&state("two"), &app("a"), at(599)), Ok(2));
    }

    #[test]
    fn who_comes_late_is_told_so_and_who_comes_very_late_is_unknown() {
        let list = PendingSignIns::default();
        list.add((app("a"), state("one")), 1, at(0)).unwrap();
        list.add((app("a"), state("two")), 2, at(0)).unwrap();
        for _ in 0..2 {
            assert_eq!(list.take(&state("one"), &app("a"), at(600)), Err(Closed::Expired));
        }
        assert_eq!(list.take(&state("two"), &app("a"), at(1200)), Err(Closed::Unknown));
    }

    #[test]
    fn an_application_that_floods_the_list_shuts_out_itself_alone() {
        let list = PendingSignIns::default();
        for number in 0..MOST_PENDING {
            list.add((app("a"), state(&number.to_string())), number, at(0)).unwrap();
        }
        assert_eq!(list.add((app("a"), state("more")), 0, at(1)), Err(Full));
        assert_eq!(list.add((app("b"), state("other")), 0, at(1)), Ok(()));
        assert_eq!(list.take(&state("7"), &app("a"), at(1)), Ok(7));
        assert_eq!(list.add((app("a"), state("more")), 0, at(1)), Ok(()));
        assert_eq!(list.add((app("a"), state("again")), 0, at(601)), Ok(()), "the others are over");
    }
}
