//! The grant: a refresh token with its rotation, its state and how often refreshing it failed (RFC 6749, sections 1.5 and 6).

use std::time::Duration;

use token_broker_proto::{
    Reason, Secret,
    oauth::{ClientId, ScopeSet, UnixTime},
};

use super::User;

/// A refresh token. Exists only inside the broker.
#[derive(Debug, Clone)]
pub struct RefreshToken(Secret);

impl RefreshToken {
    /// Takes the token over.
    #[must_use]
    pub fn new(token: Secret) -> Self {
        Self(token)
    }

    /// The secret text, for the wire and for sealing.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.0
    }
}

/// Names a grant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GrantKey {
    /// `Authority::environment`.
    pub environment: String,
    /// Who may use it.
    pub holder: GrantHolder,
    /// Whose it is; of a session, the session's name.
    pub home_account_id: String,
}

impl GrantKey {
    /// Whether it is of a session: then no account stands for it.
    #[must_use]
    pub fn is_session(&self) -> bool {
        matches!(self.holder, GrantHolder::Session(_))
    }
}

/// The one family of clients that Microsoft Entra ID has.
pub const FAMILY: &str = "1";

/// What is known of a client's family; a client that has none of this was never seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppMetadata {
    /// Its family; `None` for one that is known to be in none.
    pub family: Option<String>,
}

/// Who may use a grant: one client, or a family of clients of Microsoft Entra ID.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum GrantHolder {
    /// One client.
    Client(ClientId),
    /// Every client of this family.
    Family(String),
    /// An on-behalf-of session of this client.
    Session(ClientId),
}

impl GrantHolder {
    /// The family, if it is one.
    #[must_use]
    pub fn family(&self) -> Option<&str> {
        match self {
            Self::Client(_) | Self::Session(_) => None,
            Self::Family(family) => Some(family),
        }
    }
}

/// One rotation of one grant. Signing in again makes another row, so a stamp never fits a later grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct GrantStamp {
    /// Row of the store; never used again.
    pub row: i64,
    /// Number of the rotation, from 1.
    pub generation: i64,
}

/// A refresh token and what is known of it.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The token.
    pub refresh_token: RefreshToken,
    /// Granted scopes.
    pub scopes: ScopeSet,
    /// When the provider issued this rotation.
    pub obtained_on: UnixTime,
    /// When it was last used.
    pub last_used_on: UnixTime,
    /// Whether it still works.
    pub state: GrantState,
    /// The last refresh that failed since the sign-in; successes do not clear it.
    pub last_failure: Option<RefreshFailure>,
    /// Whose it is, of a session.
    pub user: Option<User>,
}

impl Grant {
    /// A refresh token as the provider has just issued it.
    #[must_use]
    pub fn issued(refresh_token: RefreshToken, scopes: ScopeSet, now: UnixTime) -> Self {
        let state = GrantState::Live;
        Self { refresh_token, scopes, obtained_on: now, last_used_on: now, state, last_failure: None, user: None }
    }
}

/// Whether a grant still works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GrantState {
    /// As far as is known, yes.
    Live,
    /// The last refreshes failed for a reason that may pass.
    BackingOff(Backoff),
    /// The provider refused it for good: the user has to sign in.
    Refused {
        /// When.
        since: UnixTime,
        /// The provider's `error` code.
        error: String,
        /// Whether an answer was lost on the way before, which explains the refusal.
        answer_lost: bool,
    },
}

impl GrantState {
    /// After one more failure that may pass.
    #[must_use]
    pub fn failed(self, now: UnixTime, wait: Wait) -> Self {
        let before = match self {
            Self::BackingOff(backoff) => Some(backoff),
            Self::Live | Self::Refused { .. } => None,
        };
        Self::BackingOff(Backoff::after(before, now, wait))
    }

    /// The pause, if it backs off now.
    #[must_use]
    pub fn backoff(&self, now: UnixTime) -> Option<Backoff> {
        match self {
            Self::BackingOff(backoff) => Some(*backoff).filter(|backoff| backoff.left(now).is_some()),
            Self::Live | Self::Refused { .. } => None,
        }
    }

    /// How long no refresh may be tried.
    #[must_use]
    pub fn pause(&self, now: UnixTime) -> Option<Duration> {
        self.backoff(now)?.left(now)
    }

    /// Whether an answer was lost since the last success.
    #[must_use]
    pub fn answer_lost(&self) -> bool {
        match self {
            Self::Live => false,
            Self::BackingOff(backoff) => backoff.answer_lost,
            Self::Refused { answer_lost, .. } => *answer_lost,
        }
    }
}

/// A pause between requests that keep failing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// When the last one failed.
    pub since: UnixTime,
    /// None before this.
    pub until: UnixTime,
    /// Failures in a row.
    pub failures: u32,
    /// Whether an answer was lost on the way: the provider may have acted.
    pub answer_lost: bool,
    /// Whether nothing reached the provider: then whoever insists need not wait.
    pub unsent: bool,
}

/// What the length of a pause depends on.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wait {
    /// What the provider asked for (HTTP `Retry-After`).
    pub retry_after: Option<Duration>,
    /// See [`Backoff::answer_lost`].
    pub answer_lost: bool,
    /// See [`Backoff::unsent`].
    pub unsent: bool,
    /// A random number: whoever failed together need not come back together.
    pub random: u8,
}

/// The pause after the first failure; it doubles with each one that follows.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// The longest pause of our own: who comes back from a day without network waits no longer than this.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// The longest that a provider may ask for.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);

impl Backoff {
    /// After one more failure: twice the pause before, less a random part of up to a half; never shorter than the provider
    /// asked for.
    #[must_use]
    pub fn after(before: Option<Self>, now: UnixTime, wait: Wait) -> Self {
        let failures = before.map_or(0, |before| before.failures).saturating_add(1);
        let doubled = FIRST_PAUSE.saturating_mul(1 << (failures - 1).min(16)).min(LONGEST_PAUSE);
        let ours = doubled.saturating_sub(doubled / 2 * u32::from(wait.random) / 256);
        // Instants are whole seconds.
        let ours = Duration::from_secs(ours.as_secs() + u64::from(ours.subsec_nanos() > 0));
        let asked = wait.retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER);
        let Wait { answer_lost, unsent, .. } = wait;
        Self { since: now, until: now.plus(ours.max(asked)), failures, answer_lost, unsent }
    }

    /// What is left of the pause. A clock that was set back ends it: nobody knows how long it would last.
    #[must_use]
    pub fn left(&self, now: UnixTime) -> Option<Duration> {
        Some(self.until.since(now)).filter(|left| !left.is_zero() && now >= self.since)
    }
}

/// A refresh that failed, as `status` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshFailure {
    /// When.
    pub on: UnixTime,
    /// The stable word for it.
    pub reason: Reason,
    /// A sentence for people.
    pub message: String,
    /// The provider's `error` code, if it answered with one.
    pub error: Option<String>,
    /// Names the call in our log and in the provider's.
    pub correlation_id: String,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use token_broker_proto::oauth::UnixTime;

    use super::{Backoff, GrantState, Wait};

    fn at(seconds: i64) -> UnixTime {
        UnixTime::from_seconds(seconds)
    }

    fn pause(failures: u32, wait: Wait) -> u64 {
        let mut backoff = None;
        for _ in 0..failures {
            backoff = Some(Backoff::after(backoff, at(1000), wait));
        }
        backoff.and_then(|backoff| backoff.left(at(1000))).unwrap_or_default().as_secs()
    }

    #[test]
    fn pauses_double_up_to_a_minute_and_differ() {
        let wait = Wait::default();
        let pauses = [1, 2, 3, 4, 5, 6, 7, 40].map(|failures| pause(failures, wait));
        assert_eq!(pauses, [2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!([1, 2, 3].map(|failures| pause(failures, Wait { random: 255, ..wait })), [2, 3, 5]);
        assert_eq!(pause(40, Wait { random: 255, ..wait }), 31);
        assert_eq!(pause(u32::from(u16::MAX), Wait { random: 128, ..wait }), 45);
    }

    #[test]
    fn the_provider_is_obeyed_for_an_hour_at_most() {
        let asked =
            |seconds, random| Wait { retry_after: Some(Duration::from_secs(seconds)), random, ..Wait::default() };
        assert_eq!(pause(1, asked(120, 0)), 120);
        assert_eq!(pause(1, asked(120, 255)), 120);
        assert_eq!(pause(1, asked(1_000_000, 0)), 3600);
        assert_eq!(pause(9, asked(1, 0)), 60);
    }

    #[test]
    fn a_pause_ends_by_the_wall_and_when_the_clock_is_set_back() {
        let wait = Wait { retry_after: Some(Duration::from_secs(100)), ..Wait::default() };
        let backoff = Backoff::after(None, at(1000), wait);
        let left = |now| backoff.left(at(now)).map(|left| left.as_secs());
        assert_eq!((left(1000), left(1099), left(1100), left(999)), (Some(100), Some(1), None, None));
    }

    #[test]
    fn a_state_counts_its_failures() {
        let GrantState::BackingOff(twice) = GrantState::Live
            .failed(at(1), Wait::default())
            .failed(at(9), Wait { answer_lost: true, ..Wait::default() })
        else {
            panic!("it backs off")
        };
        assert_eq!((twice.failures, twice.until, twice.answer_lost), (2, at(13), true));
    }
}
