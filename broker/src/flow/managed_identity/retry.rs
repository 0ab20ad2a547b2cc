//! How often a source is asked again, and after how long: MSAL.NET's table. The Instance Metadata Service says 404 and 410 while it
//! is being updated, which takes up to 70 s; the others have one rule.

use std::time::Duration;

use http::StatusCode;
use token_broker_proto::oauth::ManagedIdentitySource;

use crate::{flow::oauth::endpoint::retry_after, model::HttpResponse};

/// Most times a source is asked again.
const MOST: u32 = 3;
/// The same while the Instance Metadata Service is being updated (410).
const MOST_WHILE_GONE: u32 = 7;
/// How long to wait then.
const WHILE_GONE: Duration = Duration::from_secs(10);
/// The first wait of all others.
const FIRST: Duration = Duration::from_secs(1);
/// What a source may ask for with `Retry-After` and still be waited for.
const LONGEST: Duration = Duration::from_secs(10);

/// The tries that are left.
#[derive(Debug, Clone)]
pub struct Retries {
    is_imds: bool,
    made: u32,
    most: Option<u32>,
}

impl Retries {
    /// All of them.
    #[must_use]
    pub fn of(source: ManagedIdentitySource) -> Self {
        Self { is_imds: source == ManagedIdentitySource::Imds, made: 0, most: None }
    }

    /// None: whoever asks has a token that is good for a while.
    #[must_use]
    pub fn none() -> Self {
        Self { is_imds: false, made: 0, most: Some(0) }
    }

    /// How long to wait before the source is asked again; `None` to take this answer for its last.
    pub fn after(&mut self, response: &HttpResponse) -> Option<Duration> {
        let status = response.status();
        let is_gone = status == StatusCode::GONE;
        // The first failure decides how many tries there are.
        let most = *self.most.get_or_insert(if is_gone && self.is_imds { MOST_WHILE_GONE } else { MOST });
        if self.made >= most {
            return None;
        }
        let wait = match (self.is_imds, status.as_u16()) {
            (true, 410) => WHILE_GONE,
            (true, 404 | 408 | 429 | 500..600) => FIRST * 2_u32.pow(self.made.min(2)),
            (false, 404 | 408 | 429 | 500 | 503 | 504) => retry_after(response.headers()).unwrap_or(FIRST).max(FIRST),
            _ => return None,
        };
        self.made += 1;
        (wait <= LONGEST).then_some(wait)
    }
}

#[cfg(test)]
mod tests {
    use token_broker_proto::{Secret, oauth::ManagedIdentitySource};

    use super::Retries;

    /// The waits after the same answer again and again.
    fn waits(mut retries: Retries, status: u16, retry_after: &str) -> Vec<u64> {
        let response = http::Response::builder().status(status).header("retry-after", retry_after);
        let response = response.body(Secret::new("")).expect("an answer");
        std::iter::from_fn(|| retries.after(&response)).map(|wait| wait.as_secs()).take(20).collect()
    }

    #[test]
    fn the_table_of_msal_net() {
        let imds = || Retries::of(ManagedIdentitySource::Imds);
        for status in [404, 408, 429, 500, 502, 503, 504, 599] {
            assert_eq!(waits(imds(), status, ""), [1, 2, 4], "{status}");
        }
        assert_eq!(waits(imds(), 410, ""), [10; 7]);
        let other = || Retries::of(ManagedIdentitySource::AppService);
        for status in [404, 408, 429, 500, 503, 504] {
            assert_eq!(waits(other(), status, ""), [1, 1, 1], "{status}");
            assert_eq!(waits(other(), status, "3"), [3, 3, 3], "{status}");
            assert_eq!(waits(other(), status, "3600"), [0_u64; 0], "{status}: that long nobody waits for an answer");
        }
        for status in [200, 302, 400, 401, 403] {
            assert!(waits(imds(), status, "").is_empty() && waits(other(), status, "").is_empty(), "{status}");
        }
        for status in [410, 501, 502] {
            assert!(waits(other(), status, "").is_empty(), "{status}");
        }
        assert!(waits(Retries::none(), 503, "").is_empty());
    }
}
