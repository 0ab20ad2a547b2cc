//! When a token is renewed ahead of time: as the provider advises, else at a share of its life, somewhat apart from others;
//! always before callers would have to wait for a new one, and never in a hot loop.

use std::time::Duration;

use token_broker_proto::oauth::UnixTime;

use crate::{acquire::found::margin, model::CachedToken};

/// Tokens that live shorter are renewed when they are asked for, not ahead.
const SHORTEST_LIFE: Duration = Duration::from_secs(60);
/// A token is this old at least, whatever the provider advises.
const FLOOR: Duration = Duration::from_secs(30);

/// When to renew it; `None` where that is left to whoever needs the next one.
pub(super) fn due_on(token: &CachedToken, random: u8) -> Option<UnixTime> {
    let life = token.expires_on.since(token.issued_on);
    let fresh = life.saturating_sub(margin(token));
    let advised = token.refresh_on.map(|on| on.since(token.issued_on));
    let age = advised.unwrap_or(life * 7 / 10).max(FLOOR);
    if life < SHORTEST_LIFE || age >= fresh {
        return None;
    }
    let apart = fresh.saturating_sub(age).min(life / 20) * u32::from(random) / 255;
    Some(token.issued_on.plus(age + apart))
}

#[cfg(test)]
mod tests {
    use token_broker_proto::{
        Secret,
        oauth::{ScopeSet, UnixTime},
    };

    use super::due_on;
    use crate::model::CachedToken;

    /// Seconds after its issue at which a token is renewed, at the earliest and at the latest.
    fn due(life: i64, refresh_in: Option<i64>) -> Option<(i64, i64)> {
        let token = CachedToken {
            access_token: Secret::new("at"),
            token_type: "Bearer".into(),
            scopes: ScopeSet::openid(),
            issued_on: UnixTime::from_seconds(1000),
            expires_on: UnixTime::from_seconds(1000 + life),
            refresh_on: refresh_in.map(|span| UnixTime::from_seconds(1000 + span)),
            subject: None,
        };
        Some((due_on(&token, 0)?.seconds() - 1000, due_on(&token, 255)?.seconds() - 1000))
    }

    #[test]
    fn a_share_of_the_life_and_before_the_margin() {
        assert_eq!(due(3600, None), Some((2520, 2700)));
        assert_eq!(due(300, None), Some((210, 225)));
        assert_eq!(due(60, None), Some((42, 45)));
        assert_eq!(due(86_400, None), Some((60_480, 64_800)));
    }

    #[test]
    fn the_provider_knows_better() {
        assert_eq!(due(86_400, Some(43_200)), Some((43_200, 47_520)));
        assert_eq!(due(3600, Some(3200)), Some((3200, 3300)), "and still before anybody waits");
    }

    #[test]
    fn never_in_a_hot_loop() {
        for life in [0, 1, 5, 30, 59] {
            assert_eq!((due(life, None), due(life, Some(0))), (None, None), "{life}");
        }
        assert_eq!(due(3600, Some(0)), Some((30, 210)));
        assert_eq!(due(3600, Some(3600)), None, "too late to be ahead");
    }
}
