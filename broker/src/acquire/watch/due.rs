//! When a followed token is renewed: as it leaves the margin that `GetToken` keeps; after a failure later and later. Pure
//! functions of the time.

use std::time::Duration;

use token_broker_proto::oauth::UnixTime;

use crate::{
    acquire::found,
    model::{CachedToken, DeskError},
};

/// Not before something changes.
pub(super) const NEVER: UnixTime = UnixTime::from_seconds(i64::MAX);
/// The longest pause after failures.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What an error means for somebody who goes on waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bearing {
    /// Waiting does not mend it.
    Final,
    /// The user can mend it.
    AsksForUser,
    /// It may pass.
    Passing,
}

/// What an error means.
pub(super) fn bearing(error: &DeskError) -> Bearing {
    match error {
        DeskError::InteractionRequired { .. } | DeskError::AccountNotFound { .. } => Bearing::AsksForUser,
        DeskError::AuthorityRefused(_)
        | DeskError::AuthorityUnusable(_)
        | DeskError::WrongIssuer { .. }
        | DeskError::AuthorityUnavailable { .. }
        | DeskError::LimitExceeded(_)
        | DeskError::Locked(_)
        | DeskError::StoreUnavailable(_)
        | DeskError::StoreCorrupt(_)
        | DeskError::Expired
        | DeskError::Cancelled => Bearing::Passing,
        DeskError::InvalidRequest(_)
        | DeskError::ApplicationNotFound(_)
        | DeskError::AccountAmbiguous { .. }
        | DeskError::Declined(_)
        | DeskError::AlreadyExists(_)
        | DeskError::Unsupported(_)
        | DeskError::Internal(_) => Bearing::Final,
    }
}

/// How long before its end a token is renewed: as promised if it lives that long, else as `GetToken` does.
pub(super) fn margin(token: &CachedToken, min_validity: Option<Duration>) -> Duration {
    let lifetime = token.expires_on.since(token.issued_on);
    min_validity.filter(|promised| *promised < lifetime).unwrap_or_else(|| found::margin(token))
}

/// The first second in which a token is not fresh any more.
pub(super) fn due(token: &CachedToken, min_validity: Option<Duration>) -> UnixTime {
    let stale = token.expires_on.minus(margin(token, min_validity)).plus(Duration::from_secs(1));
    stale.min(token.expires_on)
}

/// When to try again after this many failures in a row.
pub(super) fn due_after(failures: u32, error: &DeskError, now: UnixTime) -> UnixTime {
    let asked = match error {
        DeskError::AuthorityUnavailable { retry_after, .. } => retry_after.unwrap_or_default(),
        _ => Duration::ZERO,
    };
    match bearing(error) {
        Bearing::AsksForUser | Bearing::Final => NEVER,
        Bearing::Passing => now.plus(pause(failures).max(asked)),
    }
}

/// Twice as long after each failure.
pub(super) fn pause(failures: u32) -> Duration {
    Duration::from_secs(1 << failures.saturating_sub(1).min(6)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use token_broker_proto::{
        Secret,
        oauth::{ScopeSet, UnixTime},
    };

    use super::{NEVER, due, due_after, pause};
    use crate::{
        acquire::found::is_fresh,
        model::{CachedToken, DeskError},
    };

    fn token(lifetime: i64) -> CachedToken {
        CachedToken {
            access_token: Secret::new("t"),
            token_type: "Bearer".into(),
            scopes: ScopeSet::default(),
            issued_on: UnixTime::from_seconds(1000),
            expires_on: UnixTime::from_seconds(1000 + lifetime),
            refresh_on: None,
            subject: None,
        }
    }

    #[test]
    fn a_token_is_due_in_the_second_in_which_it_is_not_fresh_any_more() {
        for (lifetime, promised) in [(3600, None), (86_400, None), (100, None), (1, None), (3600, Some(900))] {
            let (token, promised) = (token(lifetime), promised.map(Duration::from_secs));
            let at = due(&token, promised);
            assert!(!is_fresh(&token, promised, at), "{lifetime} {promised:?}");
            assert!(is_fresh(&token, promised, at.minus(Duration::from_secs(1))), "{lifetime} {promised:?}");
        }
        let short_lived = token(60);
        assert_eq!(due(&short_lived, Some(Duration::from_secs(900))), due(&short_lived, None));
    }

    #[test]
    fn failures_wait_longer_and_longer_and_as_long_as_they_are_told() {
        assert_eq!([1, 2, 3, 7, 90].map(|failures| pause(failures).as_secs()), [1, 2, 4, 60, 60]);
        let away = |seconds: Option<u64>| DeskError::AuthorityUnavailable {
            what: "away".into(),
            retry_after: seconds.map(Duration::from_secs),
            provider: None,
        };
        let now = UnixTime::from_seconds(0);
        assert_eq!(due_after(1, &away(Some(90)), now).seconds(), 90);
        assert_eq!(due_after(3, &away(None), now).seconds(), 4);
        let gone = DeskError::AccountNotFound { account: "a".into(), application: "b".into() };
        assert_eq!(due_after(1, &gone, now), NEVER);
    }
}
