//! Calls that wait for a provider: too many for one answer are told so, and those who wait get theirs.

use std::time::Duration;

use token_broker::access::Limits;
use token_broker_client::calls::{TokenRequest, TokenSource};
use token_broker_tests::{
    authorization_server::{Endpoint, Fault, Gate},
    daemon::name,
    within,
};
use tokio::task::JoinSet;

use super::{Stage, limit, metric, until_metric};

#[tokio::test]
async fn too_many_waiting_calls_are_told_and_the_first_ones_are_answered() {
    let stage = Stage::set(Limits { waiting_calls: 12, ..Limits::default() }).await;
    let watching = stage.daemon.client();
    stage.clock.advance(Duration::from_secs(7200));
    let gate = Gate::closed();
    stage.server.fail_next(Endpoint::Token, Fault::HoldAfter(gate.clone()));
    let mut callers = JoinSet::new();
    for _ in 0..3 {
        let client = stage.daemon.client();
        callers.spawn(async move { client.token(&TokenRequest::new(name("mail"))).await });
    }
    within(gate.reached(1)).await;
    until_metric(&watching, "token_broker_waiting_calls", 3.0).await;
    let refused = within(stage.daemon.client().token(&TokenRequest::new(name("mail")))).await;
    assert_eq!(limit(refused), "calls that wait for one answer: 3 ([limits] waiting_calls)");
    let hits = metric(&watching, "token_broker_limit_hits_total{limit=\"waiting_calls_per_answer\"}").await;
    assert!((hits - 1.0).abs() < 0.5, "{hits}");
    assert!((metric(&watching, "token_broker_provider_exchanges").await - 1.0).abs() < 0.5);
    gate.open();
    while let Some(answer) = within(callers.join_next()).await {
        assert_eq!(answer.expect("no panic").expect("a token").source, TokenSource::IdentityProvider);
    }
    until_metric(&watching, "token_broker_waiting_calls", 0.0).await;
}
