//! Durations on the command line: `90`, `90s`, `15m`, `8h`, `2d`.

use std::time::Duration;

/// Reads a duration; a number without a unit is seconds.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is not a duration: write a number of seconds, or 90s, 15m, 8h, 2d");
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text.strip_prefix(digits).unwrap_or_default();
    let seconds_each = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return Err(wrong()),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let seconds = digits.parse::<u64>().ok().and_then(|count| count.checked_mul(seconds_each));
    match seconds.filter(|seconds| i64::try_from(*seconds).is_ok()) {
        Some(0) => Err("must be longer than nothing".to_owned()),
        Some(seconds) => Ok(Duration::from_secs(seconds)),
        None => Err(format!("{text:?} is too long")),
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn the_forms_of_the_contract_are_read() {
        for (text, seconds) in [("90", 90), ("90s", 90), ("15m", 900), ("8h", 28_800), ("2d", 172_800), ("007", 7)] {
            assert_eq!(parse(text).map(|span| span.as_secs()), Ok(seconds), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "s",
            "0",
            "0m",
            "-5",
            "+5",
            "1.5h",
            "1h30m",
            "5 m",
            "5M",
            "5w",
            "5ms",
            "99999999999999999999",
            "300000000000000d",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
