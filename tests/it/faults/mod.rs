//! The fault table: every misbehaviour of a provider at every moment of its use, and of the store, each run for real over the
//! socket. What came of it is the page broker/docs/faults.md, which must be as it was committed;
//! `TOKEN_BROKER_REWRITE_FAULTS=1` writes it anew: read what changed before it is committed. Some rules hold for every row.

mod connection;
mod moment;
mod page;
mod provider;
mod store;

use std::time::Duration;

use token_broker_client::{Client, ClientError, Reason, calls::TokenSource};
use token_broker_tests::within;

use crate::bad_input::{Stage, of};

/// A fault, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    fault: String,
    moment: &'static str,
    outcome: Outcome,
    /// What the fault cost; `None` where there is nothing to look at, since the daemon did not start.
    left: Option<Left>,
    /// What the same call says once the fault has ended.
    afterwards: Outcome,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    /// It did what it was to do.
    Works,
    /// It was refused.
    Refused { reason: Reason, retry_after: Option<Duration> },
    /// Something else, in a few words, and how its program ends.
    Other { what: &'static str, exit_code: Option<u8> },
}

/// What is left of everything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Left {
    account: bool,
    token: bool,
    daemon: bool,
}

impl Outcome {
    /// Of a call that did not do what it was to do, for a reason of its own.
    fn of<T>(ended: &Result<T, ClientError>) -> Self {
        match ended {
            Ok(_) => Self::Works,
            Err(ClientError::Broker(failure)) => {
                Self::Refused { reason: failure.reason, retry_after: failure.retry_after }
            }
            Err(other) => panic!("not the daemon's own words: {other:?}"),
        }
    }
}

impl Left {
    /// Looks at what `ada` has: her account, her cached token, and a daemon that serves with a store in order.
    async fn of(stage: &Stage, token: &str) -> Self {
        let client = stage.daemon.client();
        let accounts = within(client.accounts(None)).await.unwrap_or_default();
        let hit = within(client.token(&of("ada"))).await;
        let is_same = |hit: &token_broker_client::calls::TokenAnswer| hit.access_token.expose() == token;
        Self {
            account: accounts.contains(&stage.ada.account),
            token: hit.is_ok_and(|hit| hit.source == TokenSource::Cache && is_same(&hit)),
            daemon: within(client.status()).await.is_ok_and(|status| status.lock_reason.is_none()),
        }
    }

    const EVERYTHING: Self = Self { account: true, token: true, daemon: true };
}

/// The token that is cached for `ada`.
async fn cached(client: &Client) -> String {
    client.token(&of("ada")).await.expect("the cached token").access_token.expose().to_owned()
}

#[tokio::test]
async fn every_fault_ends_as_the_page_says() {
    let mut rows = provider::rows().await;
    rows.extend(connection::rows().await);
    let Some(of_the_store) = store::rows().await else { return };
    for row in &rows {
        assert_eq!(row.left, Some(Left::EVERYTHING), "{row:?}");
        let is_lost = row.moment == "refresh" && row.fault.contains("after it acted");
        assert_eq!(row.afterwards == Outcome::Works, !is_lost, "{row:?}");
    }
    page::compare(&rows, &of_the_store);
}
