//! `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date that is measured against the answer's own `Date`, so that no
//! clock of ours takes part. Never longer than an hour.

use std::time::Duration;

use http::{
    HeaderMap,
    header::{DATE, HeaderName, RETRY_AFTER},
};

const LONGEST: Duration = Duration::from_secs(3600);
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// How long to wait, if the answer says so.
pub(in crate::flow) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = text(headers, RETRY_AFTER)?;
    let seconds = if text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().ok()?
    } else {
        let span = http_date(text)? - http_date(self::text(headers, DATE)?)?;
        u64::try_from(span).unwrap_or(0)
    };
    Some(Duration::from_secs(seconds).min(LONGEST))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// Seconds of an `IMF-fixdate` such as `Sun, 06 Nov 1994 08:49:37 GMT`, the only form that is sent today.
fn http_date(text: &str) -> Option<i64> {
    let mut parts = text.split_once(", ")?.1.split(' ');
    let day: i64 = number(parts.next()?, 1..=31)?;
    let month_name = parts.next()?;
    let month = i64::try_from(MONTHS.iter().position(|name| *name == month_name)?).ok()? + 1;
    let year = number(parts.next()?, 1970..=9999)?;
    let mut clock = parts.next()?.split(':');
    let hour = number(clock.next()?, 0..=23)?;
    let minute = number(clock.next()?, 0..=59)?;
    let second = number(clock.next()?, 0..=60)?;
    Some(((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second)
}

fn number(text: &str, allowed: std::ops::RangeInclusive<i64>) -> Option<i64> {
    text.parse().ok().filter(|number| allowed.contains(number))
}

/// Days of the proleptic Gregorian calendar since a fixed day; the year starts in March so that a leap day comes last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::{HeaderMap, HeaderValue};
    use proptest::prelude::*;

    use super::retry_after;

    fn wait(text: &'static str, date: &'static str) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", HeaderValue::from_static(text));
        headers.insert("date", HeaderValue::from_static(date));
        retry_after(&headers).as_ref().map(Duration::as_secs)
    }

    #[test]
    fn seconds_or_a_date() {
        assert_eq!(wait("7", ""), Some(7));
        assert_eq!(wait("99999999", ""), Some(3600));
        assert_eq!(wait("Fri, 01 Mar 2024 00:00:05 GMT", "Thu, 29 Feb 2024 23:59:55 GMT"), Some(10));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:38 GMT"), Some(0));
    }

    #[test]
    fn anything_else_is_nothing() {
        for bad in ["", "-1", "soon", "Sun, 99 Nov 1994 08:49:37 GMT", ", ", "1.5"] {
            assert_eq!(wait(bad, "Sun, 06 Nov 1994 08:49:37 GMT"), None, "{bad}");
        }
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:37 GMT", "today"), None);
    }

    /// A date of the first days of a year, which has as many days as it should.
    fn date(day: u64, second: u64) -> String {
        format!("Mon, {:02} Jan 2024 {:02}:{:02}:{:02} GMT", day + 1, second / 3600, second / 60 % 60, second % 60)
    }

    proptest! {
        #[test]
        fn any_text_is_a_wait_of_an_hour_at_most(text in "[ -~]{0,40}", sent in "[ -~]{0,40}") {
            let mut headers = HeaderMap::new();
            headers.insert("retry-after", HeaderValue::from_str(&text).unwrap());
            headers.insert("date", HeaderValue::from_str(&sent).unwrap());
            prop_assert!(retry_after(&headers).is_none_or(|wait| wait <= Duration::from_secs(3600)));
        }

        #[test]
        fn a_date_is_as_far_away_as_the_calendar_says(days in (0..28_u64, 0..28_u64), seconds in (0..86_400_u64, 0..86_400_u64)) {
            let mut headers = HeaderMap::new();
            headers.insert("date", HeaderValue::from_str(&date(days.0, seconds.0)).unwrap());
            headers.insert("retry-after", HeaderValue::from_str(&date(days.1, seconds.1)).unwrap());
            let apart = (days.1 * 86_400 + seconds.1).saturating_sub(days.0 * 86_400 + seconds.0);
            prop_assert_eq!(retry_after(&headers), Some(Duration::from_secs(apart.min(3600))));
        }
    }
}
