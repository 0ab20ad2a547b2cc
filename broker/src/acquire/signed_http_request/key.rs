//! The key for signed HTTP requests: made when it is first needed, in memory only, and another after eight hours, as MSAL.NET does it.
//! A token is bound to its key and kept apart by it, so one of an earlier key, or of before a restart, is never found again.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crate::{
    acquire::renewal::Moment,
    flow::oauth::proof_of_possession::{PopKey, SigningError},
    ports::entropy,
};

/// How long a key is used.
const LIFETIME: Duration = Duration::from_secs(8 * 3600);

/// The one key that is in use, if one is.
#[derive(Default)]
pub(in crate::acquire) struct PopKeys(Mutex<Option<Made>>);

struct Made {
    key: Arc<PopKey>,
    at: Moment,
}

/// The key to sign with now.
pub(super) struct Current {
    pub(super) key: Arc<PopKey>,
    /// The key id of the one whose place it has just taken.
    pub(super) retired: Option<String>,
}

impl PopKeys {
    /// The key to sign with now.
    pub(super) fn current(&self, now: Moment) -> Result<Current, SigningError> {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = made.as_ref().filter(|made| made.is_in_use(now)) {
            return Ok(Current { key: Arc::clone(&made.key), retired: None });
        }
        let key = Arc::new(PopKey::generate(&entropy::for_signing())?);
        let before = made.replace(Made { key: Arc::clone(&key), at: now });
        Ok(Current { key, retired: before.map(|before| before.key.key_id().to_owned()) })
    }
}

impl Made {
    /// Both clocks count: one stands still in suspend, the other can be set.
    fn is_in_use(&self, now: Moment) -> bool {
        let awake = now.monotonic.saturating_duration_since(self.at.monotonic);
        now.wall >= self.at.wall && now.wall.since(self.at.wall) < LIFETIME && awake < LIFETIME
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use token_broker_proto::oauth::UnixTime;

    use super::{LIFETIME, Moment, PopKeys};

    #[test]
    #[expect(clippy::disallowed_methods, reason = "some instant to count from")]
    fn a_key_is_used_for_eight_hours_of_either_clock() {
        let begin = Instant::now();
        let at = |wall: i64, awake: Duration| Moment {
            wall: UnixTime::from_seconds(1_700_000_000 + wall),
            monotonic: begin + awake,
        };
        let keys = PopKeys::default();
        let id = |moment| keys.current(moment).unwrap().key.key_id().to_owned();
        let first = id(at(0, Duration::ZERO));
        assert_eq!(first, id(at(8 * 3600 - 1, Duration::from_secs(60))));
        let slept = keys.current(at(8 * 3600, Duration::from_secs(60))).unwrap();
        assert_eq!(slept.retired.as_ref(), Some(&first));
        let second = slept.key.key_id().to_owned();
        assert_ne!(first, second);
        let set_back = id(at(0, Duration::from_secs(61)));
        assert_ne!(second, set_back);
        assert_ne!(set_back, id(at(1, Duration::from_secs(61) + LIFETIME)));
    }
}
