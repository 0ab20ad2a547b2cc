//! Nonsense from the token endpoint, and none at all: the refresh fails in words, the cached token is served on, and the grant
//! works again as soon as the provider does.

use std::{io::Write, time::Duration};

use flate2::{Compression, write::GzEncoder};
use token_broker::ports::http::HttpLimits;
use token_broker_client::Reason;
use token_broker_tests::{
    authorization_server::{AuthorizationServer, Endpoint, Fault, Gate, Options as Server},
    daemon::Options,
    within,
};

use super::{Stage, says};

#[tokio::test]
async fn answers_that_are_none() {
    let mut stage = Stage::set().await;
    let json = |body: &str| Fault::answer(200, "application/json", body);
    let cases = [
        (Fault::answer(200, "text/html", "<h1>Welcome to the hotel</h1>"), "200 with text/html instead of JSON"),
        (Fault::answer(200, "application/json", vec![b' '; 10 << 20]), "more than 1048576 bytes"),
        (json("[1, 2]"), "200 with JSON that is not an object"),
        (Fault::answer(200, "application/json", [0xFF, 0xFE]), "bytes that are not text"),
        (json(r#"{"token_type":"Bearer"}"#), "access_token"),
    ];
    for (fault, words) in cases {
        stage.server.fail_next(Endpoint::Token, fault);
        says(&stage.failed_refresh().await, Reason::AuthorityRefused, &["the provider", words]);
        stage.still_serves().await;
    }
    stage.still_refreshes().await;
}

#[tokio::test]
async fn a_gzip_bomb_is_not_unpacked() {
    let mut stage = Stage::set().await;
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    let spaces = vec![b' '; 1 << 20];
    (0..256).for_each(|_| bomb.write_all(&spaces).unwrap());
    let bomb = bomb.finish().unwrap();
    assert!(bomb.len() < 1 << 20, "it is small on the wire: {}", bomb.len());
    let fault = Fault::answer(200, "application/json", bomb).with_header("content-encoding", "gzip");
    stage.server.fail_next(Endpoint::Token, fault);
    says(&stage.failed_refresh().await, Reason::AuthorityRefused, &["answered with more than 1048576 bytes"]);
    stage.still_serves().await;
    stage.still_refreshes().await;
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let mut stage = Stage::set().await;
    let thief = AuthorizationServer::start(Server::default());
    for status in [302, 307, 308] {
        let fault =
            Fault::answer(status, "text/plain", "").with_header("location", &format!("{}/token", thief.issuer()));
        stage.server.fail_next(Endpoint::Token, fault);
        let words = ["the provider answered", &status.to_string(), "with a redirect to 127.0.0.1"];
        says(&stage.failed_refresh().await, Reason::AuthorityRefused, &words);
        stage.still_serves().await;
    }
    assert_eq!(thief.requests("token"), 0, "the refresh token went nowhere else");
    stage.still_refreshes().await;
}

/// It is asked once more, since it may have acted.
#[tokio::test]
async fn a_slow_drip_is_cut_off() {
    let http = HttpLimits { total: Duration::from_secs(1), ..HttpLimits::default() };
    let mut stage = Stage::with(Server::default(), Options { http, ..Options::default() }).await;
    let gate = Gate::closed();
    for _ in 0..2 {
        stage.server.fail_next(Endpoint::Token, Fault::Stall(br#"{"access_token":"#.to_vec(), gate.clone()));
    }
    let failure = within(stage.failed_refresh()).await;
    let words = ["the provider 127.0.0.1", "did not answer within 1 s", "lost on the way"];
    says(&failure, Reason::AuthorityUnavailable, &words);
    gate.open();
    stage.still_serves().await;
    stage.clock.advance(Duration::from_secs(2));
    stage.still_refreshes().await;
}

#[tokio::test]
async fn an_overloaded_provider_says_when_to_come_back() {
    let mut stage = Stage::set().await;
    let fault = Fault::answer(503, "text/html", "<h1>Busy</h1>").with_header("retry-after", "7");
    stage.server.fail_next(Endpoint::Token, fault);
    let failure = stage.failed_refresh().await;
    says(&failure, Reason::AuthorityUnavailable, &["the provider answered 503"]);
    assert_eq!(failure.retry_after, Some(Duration::from_secs(7)));
    stage.still_serves().await;
    stage.clock.advance(Duration::from_secs(6));
    says(&stage.failed_refresh().await, Reason::AuthorityUnavailable, &["left alone for 1 s", "answered 503"]);
    stage.clock.advance(Duration::from_secs(1));
    stage.still_refreshes().await;
}

#[tokio::test]
async fn a_provider_that_hangs_up_before_it_acts() {
    let mut stage = Stage::set().await;
    for _ in 0..2 {
        stage.server.fail_next(Endpoint::Token, Fault::DropBefore);
    }
    says(
        &stage.failed_refresh().await,
        Reason::AuthorityUnavailable,
        &["the provider 127.0.0.1", "broke the connection off", "lost on the way"],
    );
    stage.still_serves().await;
    stage.clock.advance(Duration::from_secs(2));
    stage.still_refreshes().await;
}

/// The successor of the refresh token is lost on the way, and this provider takes the old one for stolen: that cannot be
/// mended, but it is said, and the cached token is good for as long as it lasts.
#[tokio::test]
async fn a_provider_that_hangs_up_after_it_acted() {
    let stage = Stage::set().await;
    stage.server.fail_next(Endpoint::Token, Fault::DropAfter);
    let words = ["lost on the way", "invalid_grant", "needs a new sign-in", "run: broker-cli login mail"];
    for _ in 0..2 {
        says(&stage.failed_refresh().await, Reason::InteractionRequired, &words);
        stage.still_serves().await;
        assert_eq!(stage.server.requests("token:refresh_token"), 2, "a dead grant is not hammered");
    }
}

#[tokio::test]
async fn a_provider_that_is_down() {
    let Stage { server, daemon, ada, clock: _clock } = Stage::set().await;
    drop(server);
    let failure = super::refused(super::refresh(&daemon.client()).await);
    says(&failure, Reason::AuthorityUnavailable, &["the provider 127.0.0.1", "cannot be reached", "refused"]);
    ada.is_served(&daemon.client()).await;
}
