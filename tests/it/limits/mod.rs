//! What one caller takes costs the others nothing: connections, half requests, waiting calls; and what the daemon says of it, in
//! the failure, in its metrics and in its diagnosis. Owns the stage: `ada` signed in to `mail` with a cached token.

mod connections;
mod doctor;
mod metrics;
mod waiting;

use std::sync::Arc;

use token_broker::access::Limits;
use token_broker_client::{
    Client, ClientError, Failure, Reason,
    calls::{TokenRequest, TokenSource},
};
use token_broker_tests::{
    authorization_server::{AuthorizationServer, Options as Server},
    clock::ManualClock,
    daemon::{Options, TestDaemon, application, name, sign_in_by_browser},
    user::User,
    within,
};

/// A provider and a daemon with these limits.
struct Stage {
    server: AuthorizationServer,
    daemon: TestDaemon,
    clock: ManualClock,
}

impl Stage {
    async fn set(limits: Limits) -> Self {
        let clock = ManualClock::now_and_still();
        let server = AuthorizationServer::start(Server { clock: Arc::new(clock.clone()), ..Server::default() });
        let daemon = TestDaemon::start(Options { clock: Arc::new(clock.clone()), limits, ..Options::default() }).await;
        let client = daemon.client();
        let mail = application("mail", server.issuer(), ("native-app", None), "openid api:read");
        client.add_application(&mail).await.expect("registered");
        sign_in_by_browser(&client, "mail", &User::named("ada")).await.expect("signed in");
        Self { server, daemon, clock }
    }
}

/// A program that was connected before is served from the cache.
async fn is_served(client: &Client) {
    let hit = within(client.token(&TokenRequest::new(name("mail")))).await.expect("the cached token");
    assert_eq!(hit.source, TokenSource::Cache);
}

/// The limit that the call met.
#[track_caller]
fn limit<T: std::fmt::Debug>(outcome: Result<T, ClientError>) -> String {
    match outcome {
        Err(ClientError::Broker(failure)) => {
            let Failure { reason: Reason::LimitExceeded, limit: Some(limit), message, .. } = *failure else {
                panic!("{failure:?}")
            };
            assert!(message.contains(&limit), "{message}");
            limit
        }
        other => panic!("{other:?}"),
    }
}

/// The value of a series in the metrics.
async fn metric(client: &Client, series: &str) -> f64 {
    let text = within(client.metrics()).await.expect("the metrics");
    let value = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("{series} is not in\n{text}")).parse().expect("a number")
}

/// Waits until a series has this value.
async fn until_metric(client: &Client, series: &str, value: f64) {
    within(async {
        while (metric(client, series).await - value).abs() > 0.5 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
