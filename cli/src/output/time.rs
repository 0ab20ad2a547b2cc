//! Instants and lengths of time as people say them.

use std::time::{Duration, SystemTime};

use token_broker_client::oauth::UnixTime;

/// The wall clock, once a command.
pub(crate) fn now() -> UnixTime {
    #[expect(
        clippy::disallowed_methods,
        reason = "the command line has no Clock port; only what it prints depends on this"
    )]
    SystemTime::now().into()
}

/// `in 42 min`, `expired 3 min ago`.
pub(crate) fn expiry(at: UnixTime, now: UnixTime) -> String {
    if at > now { format!("in {}", span(at.since(now))) } else { format!("expired {} ago", span(now.since(at))) }
}

/// The length in its largest fitting unit.
pub(crate) fn span(length: Duration) -> String {
    let seconds = length.as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use token_broker_client::oauth::UnixTime;

    use super::expiry;

    #[test]
    fn the_unit_fits_the_distance() {
        let said =
            |seconds: i64| expiry(UnixTime::from_seconds(1_000_000 + seconds), UnixTime::from_seconds(1_000_000));
        assert_eq!(said(30), "in 30 s");
        assert_eq!(said(42 * 60 + 59), "in 42 min");
        assert_eq!(said(5 * 3600), "in 5 h");
        assert_eq!(said(90 * 86_400), "in 90 days");
        assert_eq!(said(0), "expired 0 s ago");
        assert_eq!(said(-200), "expired 3 min ago");
    }
}
