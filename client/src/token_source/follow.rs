//! The task behind a source: follows the token, writes what it hears, and connects again when the daemon is gone; soon at first,
//! since most restarts take no time at all.

use std::{sync::Arc, time::Duration};

use token_broker_proto::calls::TokenRequest;

use super::slot::Slot;
use crate::{Client, ClientError};

/// The pause after the first failure to reach the daemon; each next one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// The longest pause while the daemon is not there.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// The pause after a refusal, which is no sooner over.
const REFUSED_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause after refusals.
const LONGEST_REFUSED_PAUSE: Duration = Duration::from_secs(60);

/// Follows for ever.
pub(super) async fn follow(client: Client, request: TokenRequest, slot: Arc<Slot>) {
    let mut failures = 0;
    loop {
        let error = until_lost(&client, &request, &slot, &mut failures).await;
        let pause = pause(&error, failures);
        failures += 1;
        slot.lose(error);
        tokio::time::sleep(pause).await;
    }
}

/// Follows as long as the daemon is there.
async fn until_lost(client: &Client, request: &TokenRequest, slot: &Slot, failures: &mut u32) -> ClientError {
    let mut watch = match client.watch_token(request).await {
        Ok(watch) => watch,
        Err(error) => return error,
    };
    loop {
        match watch.next().await {
            Ok(Some(event)) => {
                *failures = 0;
                slot.take(event, super::now());
            }
            // The daemon stops.
            Ok(None) => return ClientError::Interrupted,
            Err(error) => return error,
        }
    }
}

fn pause(error: &ClientError, failures: u32) -> Duration {
    let (first, longest, asked) = match error {
        ClientError::Broker(failure) => (REFUSED_PAUSE, LONGEST_REFUSED_PAUSE, failure.retry_after.unwrap_or_default()),
        _ => (FIRST_PAUSE, LONGEST_PAUSE, Duration::ZERO),
    };
    first.saturating_mul(1 << failures.min(16)).min(longest).max(asked)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use token_broker_proto::{Failure, Reason};

    use super::pause;
    use crate::ClientError;

    #[test]
    fn a_restart_is_met_at_once_and_a_refusal_is_not_hammered() {
        assert_eq!([0, 1, 30].map(|n| pause(&ClientError::Interrupted, n).as_millis()), [10, 20, 5000]);
        let refused = |retry_after| {
            let failure = Failure { retry_after, ..Failure::new(Reason::AuthorityUnavailable, "away") };
            ClientError::Broker(Box::new(failure))
        };
        assert_eq!([0, 1, 30].map(|n| pause(&refused(None), n).as_secs()), [1, 2, 60]);
        assert_eq!(pause(&refused(Some(Duration::from_secs(90))), 0).as_secs(), 90);
    }
}
