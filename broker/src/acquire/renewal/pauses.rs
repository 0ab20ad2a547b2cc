//! Pauses in memory, for requests that have no grant to note them at: a provider that is down is not asked again and again for
//! an application's own token either.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
};

use token_broker_proto::oauth::UnixTime;

use crate::{
    acquire::{Desk, FlightKey, silent::Refreshed},
    model::{ApplicationStamp, Backoff, DeskError, Wait},
    ports::entropy,
};

/// Most pauses that are kept; one more takes the place of the one that ends first.
const MOST: usize = 1024;

/// What is left alone, and for how long.
pub(in crate::acquire) struct Pauses<K>(Mutex<HashMap<K, Pause>>);

struct Pause {
    backoff: Backoff,
    why: String,
}

impl<K> Default for Pauses<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash + Clone> Pauses<K> {
    /// An error while the pause lasts; who insists need not wait for a network that was away.
    pub(in crate::acquire) fn check(&self, key: &K, now: UnixTime, insists: bool) -> Result<(), DeskError> {
        let pauses = self.lock();
        let Some((pause, left)) = pauses.get(key).and_then(|pause| Some((pause, pause.backoff.left(now)?))) else {
            return Ok(());
        };
        if insists && pause.backoff.unsent {
            return Ok(());
        }
        Err(DeskError::AuthorityUnavailable {
            what: format!(
                "the provider is left alone for {} s (the last request failed: {})",
                left.as_secs(),
                pause.why
            ),
            retry_after: Some(left),
            provider: None,
        })
    }

    /// Begins a pause, or a longer one; the failure with its length.
    pub(in crate::acquire) fn add(&self, key: K, now: UnixTime, wait: Wait, error: &DeskError) -> DeskError {
        let mut pauses = self.lock();
        if pauses.len() >= MOST && !pauses.contains_key(&key) {
            let first = pauses.iter().min_by_key(|(_, pause)| pause.backoff.until).map(|(key, _)| key.clone());
            first.map(|first| pauses.remove(&first));
        }
        let backoff = Backoff::after(pauses.get(&key).map(|pause| pause.backoff), now, wait);
        pauses.insert(key, Pause { backoff, why: error.to_string() });
        match error.clone() {
            DeskError::AuthorityUnavailable { what, provider, .. } => {
                DeskError::AuthorityUnavailable { what, retry_after: backoff.left(now), provider }
            }
            other => other,
        }
    }

    /// It went well, or failed for good.
    pub(in crate::acquire) fn clear(&self, key: &K) {
        self.lock().remove(key);
    }

    /// The map is never left half changed, so a poisoned lock is still good.
    fn lock(&self) -> MutexGuard<'_, HashMap<K, Pause>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Desk {
    /// The outcome of a request, after the pause that it begins or ends. `unsent`: nothing reached the provider.
    pub(in crate::acquire) fn note_outcome(
        &self,
        key: (ApplicationStamp, FlightKey),
        outcome: Refreshed,
        unsent: bool,
    ) -> Refreshed {
        match &outcome {
            Err(error @ DeskError::AuthorityUnavailable { retry_after, .. }) => {
                let random = entropy::byte(&*self.entropy);
                let wait = Wait { retry_after: *retry_after, unsent, random, answer_lost: false };
                return Err(self.pauses.add(key, self.clock.now(), wait, error));
            }
            Err(DeskError::Cancelled) => {}
            _ => self.pauses.clear(&key),
        }
        outcome
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use token_broker_proto::oauth::UnixTime;

    use super::{MOST, Pauses};
    use crate::model::{DeskError, Wait};

    fn at(seconds: i64) -> UnixTime {
        UnixTime::from_seconds(seconds)
    }

    fn down() -> DeskError {
        DeskError::AuthorityUnavailable { what: "it is down".into(), retry_after: None, provider: None }
    }

    fn left(pauses: &Pauses<usize>, key: usize, now: i64) -> Option<u64> {
        match pauses.check(&key, at(now), false) {
            Err(DeskError::AuthorityUnavailable { retry_after: Some(left), .. }) => Some(left.as_secs()),
            other => other.map_or_else(|error| panic!("{error:?}"), |()| None),
        }
    }

    #[test]
    fn each_key_pauses_alone_and_longer_each_time() {
        let pauses = Pauses::default();
        let told = pauses.add(1, at(0), Wait::default(), &down());
        assert!(matches!(told, DeskError::AuthorityUnavailable { retry_after: Some(wait), .. } if wait.as_secs() == 2));
        assert_eq!((left(&pauses, 1, 0), left(&pauses, 2, 0), left(&pauses, 1, 2)), (Some(2), None, None));
        pauses.add(1, at(2), Wait::default(), &down());
        assert_eq!(left(&pauses, 1, 2), Some(4));
        pauses.clear(&1);
        assert_eq!(left(&pauses, 1, 2), None);
    }

    #[test]
    fn they_are_bounded() {
        let pauses = Pauses::default();
        let wait = |seconds| Wait { retry_after: Some(Duration::from_secs(seconds)), ..Wait::default() };
        pauses.add(0, at(0), wait(10), &down());
        for key in 1..=MOST {
            pauses.add(key, at(0), wait(100), &down());
        }
        assert_eq!((left(&pauses, 0, 0), left(&pauses, 1, 0), left(&pauses, MOST, 0)), (None, Some(100), Some(100)));
    }
}
