//! Tokens in use are renewed before anybody has to wait; unused ones are left alone, or kept alive where that was asked for.

use std::time::Duration;

use token_broker_client::calls::{CacheEntryKind, Subject, TokenRequest, TokenSource};
use token_broker_tests::{
    authorization_server::{Endpoint, Fault, Gate, Options as Server},
    daemon::{application, name},
    within,
};

use super::{REFRESHES, Stage, ada, forced};

const SECOND: Duration = Duration::from_secs(1);
/// After the latest time at which a token of an hour is renewed ahead, and before anybody would wait.
const LATE: Duration = Duration::from_secs(2701);

/// Lets so much time pass at once. The task may just have looked at the clock and be about to sleep, or the last flight be about
/// to land: then it looks again within a minute.
async fn late(stage: &Stage) {
    stage.clock.advance(LATE);
    for _ in 0..2 {
        within(stage.clock.timers_set(2)).await;
        stage.clock.advance(60 * SECOND);
    }
}

/// Lets time pass in steps, each of which every standing task sees.
async fn pass(stage: &Stage, time: Duration) {
    let mut left = time;
    while !left.is_zero() {
        let step = left.min(300 * SECOND);
        stage.clock.advance(step);
        within(stage.clock.timers_set(2)).await;
        left -= step;
    }
}

#[tokio::test]
async fn a_token_in_use_is_renewed_ahead() {
    let stage = Stage::set(Server::default()).await;
    let mut token = stage.token().await;
    for round in 1..=3 {
        late(&stage).await;
        within(stage.server.requested(REFRESHES, round)).await;
        token = stage.successor_of(&token).await;
    }
    assert_eq!(stage.refreshes(), 3);
}

#[tokio::test]
async fn a_token_that_nobody_uses_is_left_alone() {
    let stage = Stage::set(Server::default()).await;
    pass(&stage, Duration::from_secs(5 * 86_400)).await;
    assert_eq!(stage.refreshes(), 0, "signed in and never used");
    assert_eq!(stage.token().await.source, TokenSource::IdentityProvider);
    late(&stage).await;
    within(stage.server.requested(REFRESHES, 2)).await;
    pass(&stage, Duration::from_secs(86_400)).await;
    assert_eq!(stage.refreshes(), 2, "the successor was never used");
}

#[tokio::test]
async fn the_provider_advises_and_nobody_waits() {
    let stage = Stage::set(Server::default()).await;
    let body = r#"{"access_token":"advised","token_type":"Bearer","expires_in":3600,"refresh_in":600}"#;
    stage.server.fail_next(Endpoint::Token, Fault::answer(200, "application/json", body));
    within(stage.client().token(&forced())).await.expect("a token");
    let advised = stage.token().await;
    assert_eq!(advised.refresh_on.map(|on| advised.expires_on.since(on)), Some(3000 * SECOND));
    let gate = Gate::closed();
    stage.server.fail_next(Endpoint::Token, Fault::HoldBefore(gate.clone()));
    stage.clock.advance(800 * SECOND);
    within(gate.reached(1)).await;
    for _ in 0..100 {
        assert_eq!(stage.token().await.access_token.expose(), "advised", "while the provider thinks");
    }
    gate.open();
    stage.successor_of(&advised).await;
}

/// After a restart the first use finds that the time has come.
#[tokio::test]
async fn a_renewal_that_is_overdue_begins_at_the_first_use() {
    let mut stage = Stage::set(Server::default()).await;
    let token = stage.token().await;
    stage.daemon.stop().await;
    stage.clock.advance(LATE);
    stage.daemon.start_again().await;
    assert_eq!(stage.refreshes(), 0);
    stage.successor_of(&token).await;
    assert_eq!(stage.refreshes(), 1);
}

#[tokio::test]
async fn a_renewal_that_fails_costs_nobody_anything() {
    let stage = Stage::set(Server::default()).await;
    let token = stage.token().await;
    stage.server.fail_next(Endpoint::Token, Fault::answer(500, "text/html", ""));
    late(&stage).await;
    within(stage.server.requested(REFRESHES, 1)).await;
    for _ in 0..20 {
        assert_eq!(stage.token().await.source, TokenSource::Cache, "nobody waits");
    }
    // `late` may let the pause after the failure pass, too.
    assert!(stage.refreshes() <= 2, "no hot loop");
    let tried_again = async {
        // On a busy machine the request needs more of the real time than the steps do.
        let patience = Duration::from_millis(100);
        while tokio::time::timeout(patience, stage.server.requested(REFRESHES, 2)).await.is_err() {
            stage.clock.advance(10 * SECOND);
            stage.clock.timers_set(2).await;
        }
    };
    within(tried_again).await;
    stage.successor_of(&token).await;
}

/// What needs a person is left for the next call to say.
#[tokio::test]
async fn a_dead_grant_is_not_hammered() {
    let stage = Stage::set(Server::default()).await;
    let token = stage.token().await;
    stage.server.revoke_all();
    late(&stage).await;
    within(stage.server.requested(REFRESHES, 1)).await;
    pass(&stage, 500 * SECOND).await;
    assert_eq!(stage.token().await.access_token.expose(), token.access_token.expose(), "good while it lasts");
    pass(&stage, 3600 * SECOND).await;
    stage.failure(&ada()).await;
    assert_eq!(stage.refreshes(), 1);
}

#[tokio::test]
async fn tokens_that_live_seconds_are_no_hot_loop() {
    let stage = Stage::set(Server { access_token_lifetime: 5 * SECOND, ..Server::default() }).await;
    stage.token().await;
    for _ in 0..20 {
        stage.clock.advance(SECOND);
        within(stage.clock.timers_set(2)).await;
    }
    assert_eq!(stage.refreshes(), 0, "nobody asked");
    for _ in 0..20 {
        stage.clock.advance(SECOND);
        stage.token().await;
    }
    assert!((4..=7).contains(&stage.refreshes()), "one for each token: {}", stage.refreshes());
}

#[tokio::test]
async fn a_suspend_is_noticed_within_a_minute() {
    let stage = Stage::set(Server::default()).await;
    let token = stage.token().await;
    within(stage.clock.timers_set(2)).await;
    stage.clock.suspend(LATE);
    stage.clock.advance(60 * SECOND);
    within(stage.server.requested(REFRESHES, 1)).await;
    stage.successor_of(&token).await;
}

#[tokio::test]
async fn a_clock_that_is_set_back_delays_no_renewal() {
    let stage = Stage::set(Server::default()).await;
    let token = stage.token().await;
    within(stage.clock.timers_set(2)).await;
    let now = u64::try_from(token_broker::ports::Clock::now(&stage.clock).seconds()).expect("after 1970");
    stage.clock.set(now - 200);
    late(&stage).await;
    within(stage.server.requested(REFRESHES, 1)).await;
    stage.successor_of(&token).await;
    // Further back than a token's own beginning: it ends earlier than it seems, so it is not trusted.
    stage.clock.set(now - 86_400);
    assert_eq!(stage.token().await.source, TokenSource::IdentityProvider);
}

/// A service's own token in use; the request for it.
async fn with_job(stage: &Stage) -> TokenRequest {
    let secret = Some("service secret: +/%&=?~");
    let job = application("job", stage.server.issuer(), ("service-app", secret), "api:read");
    stage.client().add_application(&job).await.expect("registered");
    let request = TokenRequest { subject: Subject::Application, ..TokenRequest::new(name("job")) };
    within(stage.client().token(&request)).await.expect("a token");
    request
}

#[tokio::test]
async fn an_applications_own_token_is_renewed_ahead() {
    let stage = Stage::set(Server::default()).await;
    let request = with_job(&stage).await;
    late(&stage).await;
    within(stage.server.requested("token:client_credentials", 2)).await;
    assert_eq!(within(stage.client().token(&request)).await.expect("a token").source, TokenSource::Cache);
}

#[tokio::test]
async fn what_was_removed_from_the_cache_is_not_fetched_again() {
    let stage = Stage::set(Server::default()).await;
    stage.token().await;
    with_job(&stage).await;
    let entries = stage.client().cache_entries(Some(&name("mail"))).await.expect("a list");
    for entry in entries.iter().filter(|entry| entry.id.kind == CacheEntryKind::AccessToken) {
        stage.client().remove_cache_entry(entry.id).await.expect("removed");
    }
    late(&stage).await;
    within(stage.server.requested("token:client_credentials", 2)).await;
    pass(&stage, 600 * SECOND).await;
    assert_eq!(stage.refreshes(), 0, "nobody asked");
    assert_eq!(stage.token().await.source, TokenSource::IdentityProvider);
}

#[tokio::test]
async fn an_unused_grant_is_kept_alive_where_that_was_asked_for() {
    let two_days = Duration::from_secs(2 * 86_400);
    let stage = Stage::with(Server::default(), |mail| mail.keep_alive = Some(two_days)).await;
    let kept = within(stage.client().applications()).await.expect("a list");
    assert_eq!(kept.first().and_then(|mail| mail.keep_alive), Some(two_days));
    pass(&stage, two_days.saturating_sub(1200 * SECOND)).await;
    assert_eq!(stage.refreshes(), 0);
    for round in 1..=8 {
        pass(&stage, two_days + 1200 * SECOND).await;
        within(stage.server.requested(REFRESHES, round)).await;
        assert_eq!(stage.refreshes(), round);
    }
    stage.clock.advance(SECOND);
    within(stage.client().token(&forced())).await.expect("after more than its provider's 14 days");
}
