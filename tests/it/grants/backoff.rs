//! A provider that fails is left alone for a while: callers are answered at once, from the cache or with the time to come back,
//! and the pause outlasts the daemon.

use std::time::Duration;

use token_broker_client::{
    Reason,
    calls::{GrantHealth, Subject, TokenRequest, TokenSource},
};
use token_broker_tests::{
    authorization_server::{AuthorizationServer, Endpoint, Fault, Options as Server},
    daemon::{application, name},
    within,
};

use super::{LONG, Stage, ada, forced, says};

const SECOND: Duration = Duration::from_secs(1);

fn busy(seconds: &str) -> Fault {
    Fault::oauth_error(503, "temporarily_unavailable").with_header("retry-after", seconds)
}

#[tokio::test]
async fn a_pause_answers_at_once_and_outlasts_the_daemon() {
    let mut stage = Stage::set(Server::default()).await;
    stage.clock.advance(LONG);
    stage.server.fail_next(Endpoint::Token, busy("100"));
    let first = stage.failure(&ada()).await;
    assert_eq!((first.reason, first.retry_after), (Reason::AuthorityUnavailable, Some(100 * SECOND)));
    stage.clock.advance(40 * SECOND);
    for request in [ada(), forced(), TokenRequest { min_validity: Some(SECOND), ..ada() }] {
        let failure = stage.failure(&request).await;
        says(&failure, Reason::AuthorityUnavailable, &["left alone for 60 s", "answered 503"]);
        assert_eq!(failure.retry_after, Some(60 * SECOND));
    }
    stage.daemon.restart().await;
    assert_eq!(stage.failure(&ada()).await.retry_after, Some(60 * SECOND));
    assert_eq!(stage.refreshes(), 1, "nothing was asked for meanwhile");
    stage.clock.advance(60 * SECOND);
    assert_eq!(stage.token().await.source, TokenSource::IdentityProvider);
    assert_eq!(stage.grant().await.health, GrantHealth::Live);
}

#[tokio::test]
async fn a_valid_token_is_served_without_a_request() {
    let stage = Stage::set(Server::default()).await;
    let old = stage.token().await;
    // In its last five minutes: a new one would be fetched.
    stage.clock.advance(3400 * SECOND);
    stage.server.fail_next(Endpoint::Token, busy("60"));
    for _ in 0..3 {
        let hit = stage.token().await;
        assert_eq!((hit.source, hit.access_token.expose()), (TokenSource::Cache, old.access_token.expose()));
    }
    assert_eq!(stage.refreshes(), 1);
}

#[tokio::test]
async fn pauses_grow_and_a_sign_in_ends_them() {
    let stage = Stage::set(Server::default()).await;
    stage.clock.advance(LONG);
    let mut pauses = Vec::new();
    for _ in 0..8 {
        stage.server.fail_next(Endpoint::Token, Fault::answer(500, "text/html", ""));
        let pause = stage.failure(&ada()).await.retry_after.expect("a time to come back").as_secs();
        stage.clock.advance(Duration::from_secs(pause));
        pauses.push(pause);
    }
    let bounds = [2..=2, 3..=4, 5..=8, 9..=16, 17..=32, 31..=60, 31..=60, 31..=60];
    assert!(pauses.iter().zip(&bounds).all(|(pause, bounds)| bounds.contains(pause)), "{pauses:?}");
    stage.server.fail_next(Endpoint::Token, busy("3600"));
    stage.failure(&ada()).await;
    stage.sign_in().await;
    within(stage.client().token(&forced())).await.expect("the new grant has no pause");
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_make_a_pause_longer() {
    let stage = Stage::set(Server::default()).await;
    stage.clock.advance(LONG);
    stage.server.fail_next(Endpoint::Token, busy("3600"));
    stage.failure(&ada()).await;
    let now = u64::try_from(token_broker::ports::Clock::now(&stage.clock).seconds()).expect("after 1970");
    stage.clock.set(now - 86_400);
    within(stage.client().token(&forced())).await.expect("nobody knows how long the pause would last");
}

#[tokio::test]
async fn who_insists_need_not_wait_for_a_network_that_was_away() {
    let Stage { server, daemon, clock } = Stage::set(Server::default()).await;
    clock.advance(LONG);
    let port = server.issuer().rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    drop(server);
    let client = daemon.client();
    let ask = async |request: TokenRequest| super::failure(within(client.token(&request)).await);
    says(&ask(ada()).await, Reason::AuthorityUnavailable, &["cannot be reached"]);
    says(&ask(ada()).await, Reason::AuthorityUnavailable, &["left alone", "cannot be reached"]);
    let _server = AuthorizationServer::start(Server { port, ..Server::default() });
    // It has forgotten everything, so it refuses; but it is asked.
    says(&ask(forced()).await, Reason::InteractionRequired, &["invalid_grant"]);
}

/// What no waiting cures is said each time, and does not touch the grant.
#[tokio::test]
async fn a_refused_client_is_no_pause_and_no_end() {
    let stage = Stage::set(Server::default()).await;
    stage.clock.advance(LONG);
    for (status, error) in [(401, "invalid_client"), (400, "unauthorized_client"), (400, "invalid_scope")] {
        stage.server.fail_next(Endpoint::Token, Fault::oauth_error(status, error));
        says(&stage.failure(&ada()).await, Reason::AuthorityRefused, &[error]);
        let grant = stage.grant().await;
        let failure = grant.last_failure.expect("it is told");
        assert_eq!((grant.health, failure.error.as_deref()), (GrantHealth::Live, Some(error)));
    }
    assert_eq!(stage.token().await.source, TokenSource::IdentityProvider);
}

#[tokio::test]
async fn an_application_of_its_own_pauses_too() {
    let stage = Stage::set(Server::default()).await;
    let secret = Some("service secret: +/%&=?~");
    let job = application("job", stage.server.issuer(), ("service-app", secret), "api:read");
    let client = stage.client();
    client.add_application(&job).await.expect("registered");
    let request = TokenRequest { subject: Subject::Application, ..TokenRequest::new(name("job")) };
    stage.server.fail_next(Endpoint::Token, busy("30"));
    for _ in 0..3 {
        assert_eq!(stage.failure(&request).await.retry_after, Some(30 * SECOND));
    }
    assert_eq!(stage.server.requests("token:client_credentials"), 1);
    stage.clock.advance(30 * SECOND);
    within(client.token(&request)).await.expect("a token");
}

#[tokio::test]
async fn status_tells_how_a_grant_does() {
    let stage = Stage::set(Server::default()).await;
    let token = stage.token().await;
    let grant = stage.grant().await;
    assert_eq!((grant.account.username.as_str(), grant.account.application.as_str()), ("ada", "mail"));
    assert_eq!((grant.client_id.as_str(), grant.health), ("native-app", GrantHealth::Live));
    assert_eq!(grant.valid_until, Some(token.expires_on));
    let renewal = grant.next_renewal.expect("it is in use");
    assert!((2520..=2700).contains(&(3600 - token.expires_on.since(renewal).as_secs())), "{renewal:?}");
    assert_eq!((grant.backoff_until, grant.last_failure), (None, None));

    stage.server.fail_next(Endpoint::Token, busy("50"));
    let now = token_broker::ports::Clock::now(&stage.clock);
    let failure = stage.failure(&forced()).await;
    let grant = stage.grant().await;
    assert_eq!((grant.health, grant.backoff_until), (GrantHealth::BackingOff, Some(now.plus(50 * SECOND))));
    let noted = grant.last_failure.expect("it failed");
    assert_eq!((noted.on, noted.reason, &noted.message), (now, failure.reason, &failure.message));
    assert_eq!(noted.error.as_deref(), Some("temporarily_unavailable"));
    assert_eq!(Some(noted.correlation_id), failure.correlation_id);

    stage.clock.advance(50 * SECOND);
    stage.server.revoke_all();
    stage.failure(&forced()).await;
    let grant = stage.grant().await;
    assert_eq!((grant.health, grant.next_renewal), (GrantHealth::SignInNeeded, None));
}
