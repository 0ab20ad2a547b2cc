//! Following: a token (`WatchToken`, here), what happens (`events`), and a token that is always at hand (`token_source`).

mod events;
mod slow;
mod token_source;

use std::{sync::Arc, time::Duration};

use token_broker_client::{
    Client, ClientError, Reason, TokenWatch,
    calls::{SignInNeeded, SignOutRequest, TokenAnswer, TokenEvent, TokenExpired, TokenRequest},
    oauth::Claims,
};
use token_broker_tests::{
    authorization_server::{AuthorizationServer, Endpoint, Fault, Options as Server},
    clock::ManualClock,
    daemon::{Options, TestDaemon, application, name, refresh, sign_in_by_browser},
    user::User,
    within,
};

/// When a token of an hour is renewed: its margin is 300 s.
const DUE: Duration = Duration::from_secs(3301);

/// A server and a daemon on one clock, with `ada` signed in to `mail`.
async fn stage() -> (AuthorizationServer, TestDaemon, ManualClock) {
    let clock = ManualClock::now_and_still();
    let server = AuthorizationServer::start(Server { clock: Arc::new(clock.clone()), ..Server::default() });
    let daemon = TestDaemon::start(Options { clock: Arc::new(clock.clone()), ..Options::default() }).await;
    let client = daemon.client();
    let new = application("mail", server.issuer(), ("native-app", None), "openid api:read");
    client.add_application(&new).await.expect("registered");
    sign_in(&client).await;
    (server, daemon, clock)
}

async fn sign_in(client: &Client) {
    sign_in_by_browser(client, "mail", &User::named("ada")).await.expect("signed in");
}

async fn sign_out(client: &Client) {
    let request = SignOutRequest { application: name("mail"), account: None, revoke: false, correlation_id: None };
    client.sign_out(&request).await.expect("signed out");
}

fn mail() -> TokenRequest {
    TokenRequest::new(name("mail"))
}

async fn next(watch: &mut TokenWatch) -> TokenEvent {
    within(watch.next()).await.expect("an event").expect("the stream goes on")
}

async fn token(watch: &mut TokenWatch) -> TokenAnswer {
    match next(watch).await {
        TokenEvent::Token(answer) => *answer,
        other => panic!("{other:?}"),
    }
}

async fn sign_in_needed(watch: &mut TokenWatch) -> SignInNeeded {
    match next(watch).await {
        TokenEvent::SignInNeeded(needed) => needed,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_current_token_comes_first_and_each_newer_one_whoever_caused_it() {
    let (_server, daemon, _clock) = stage().await;
    let (client, other) = (daemon.client(), daemon.client());
    let mut watch = client.watch_token(&mail()).await.expect("a stream");
    let current = other.token(&mail()).await.expect("cached");
    assert_eq!(token(&mut watch).await.access_token.expose(), current.access_token.expose());
    for _ in 0..3 {
        let newer = refresh(&other, "mail").await.expect("refreshed");
        assert_eq!(token(&mut watch).await.access_token.expose(), newer.access_token.expose());
    }
}

#[tokio::test]
async fn a_followed_token_is_renewed_once_for_all_who_follow_it_and_nobody_has_to_ask() {
    let (server, daemon, clock) = stage().await;
    let client = daemon.client();
    let mut watches = Vec::new();
    for _ in 0..16 {
        let mut watch = client.watch_token(&mail()).await.expect("a stream");
        token(&mut watch).await;
        watches.push(watch);
    }
    for round in 1..=3 {
        clock.advance(DUE);
        let mut texts = std::collections::HashSet::new();
        for watch in &mut watches {
            texts.insert(token(watch).await.access_token.expose().to_owned());
        }
        assert_eq!((texts.len(), server.requests("token:refresh_token")), (1, round));
    }
}

#[tokio::test]
async fn a_token_is_renewed_after_the_machine_slept_or_its_clock_was_set() {
    let (server, daemon, clock) = stage().await;
    let mut watch = daemon.client().watch_token(&mail()).await.expect("a stream");
    token(&mut watch).await;
    // Timers stand still meanwhile; the next look is a minute away at most.
    clock.suspend(Duration::from_secs(7 * 86_400));
    clock.advance(Duration::from_secs(60));
    token(&mut watch).await;
    assert_eq!(server.requests("token:refresh_token"), 1);
}

#[tokio::test]
async fn a_grant_that_died_is_told_while_the_token_is_good_and_again_at_its_end() {
    let (server, daemon, clock) = stage().await;
    let client = daemon.client();
    let mut watch = client.watch_token(&mail()).await.expect("a stream");
    let first = token(&mut watch).await;
    server.revoke_all();
    clock.advance(DUE);
    let needed = sign_in_needed(&mut watch).await;
    assert_eq!(needed.token_expires_on, Some(first.expires_on));
    assert!(needed.message.contains("broker-cli login mail"), "{needed:?}");
    clock.advance(Duration::from_secs(300));
    assert_eq!(sign_in_needed(&mut watch).await.token_expires_on, None);
    assert_eq!(server.requests("token:refresh_token"), 1, "a dead grant is not tried again");
    sign_in(&client).await;
    assert_ne!(token(&mut watch).await.access_token.expose(), first.access_token.expose());
}

#[tokio::test]
async fn a_sign_out_is_told_at_once_and_the_next_sign_in_goes_on() {
    let (_server, daemon, _clock) = stage().await;
    let client = daemon.client();
    let mut watch = client.watch_token(&mail()).await.expect("a stream");
    for _ in 0..2 {
        token(&mut watch).await;
        sign_out(&client).await;
        let needed = sign_in_needed(&mut watch).await;
        assert_eq!(needed.token_expires_on, None);
        assert!(needed.message.contains("nobody is signed in"), "{needed:?}");
        sign_in(&client).await;
    }
    token(&mut watch).await;
}

#[tokio::test]
async fn a_second_account_does_not_disturb_who_follows_the_first() {
    let (_server, daemon, _clock) = stage().await;
    let client = daemon.client();
    let mut watch = client.watch_token(&mail()).await.expect("a stream");
    token(&mut watch).await;
    sign_in_by_browser(&client, "mail", &User::named("grace")).await.expect("signed in");
    let of_ada = TokenRequest {
        subject: token_broker_client::calls::Subject::User(Some("ada".to_owned())),
        force_refresh: true,
        ..mail()
    };
    let newer = client.token(&of_ada).await.expect("refreshed");
    assert_eq!(token(&mut watch).await.access_token.expose(), newer.access_token.expose());
}

#[tokio::test]
async fn while_the_provider_is_away_the_token_stays_and_its_end_is_told() {
    let (server, daemon, clock) = stage().await;
    let mut watch = daemon.client().watch_token(&mail()).await.expect("a stream");
    let first = token(&mut watch).await;
    for _ in 0..2 {
        server.fail_next(Endpoint::Token, Fault::answer(503, "text/html", "<h1>503</h1>"));
    }
    clock.advance(DUE);
    within(server.requested("token:refresh_token", 1)).await;
    clock.advance(Duration::from_secs(299));
    match next(&mut watch).await {
        TokenEvent::Expired(TokenExpired { expires_on, reason, message }) => {
            assert_eq!((expires_on, reason), (first.expires_on, Reason::AuthorityUnavailable));
            assert!(!message.is_empty());
        }
        other => panic!("{other:?}"),
    }
    // It is tried until the provider is back. Time passes no faster than the daemon answers.
    let client = daemon.client();
    let time_passes = async {
        loop {
            clock.advance(Duration::from_secs(60));
            client.status().await.expect("an answer");
        }
    };
    let newer = tokio::select! {
        newer = token(&mut watch) => newer,
        () = time_passes => unreachable!("it passes for ever"),
    };
    assert!(newer.expires_on > first.expires_on);
}

#[tokio::test]
async fn what_is_made_for_one_answer_cannot_be_followed() {
    let (_server, daemon, _clock) = stage().await;
    let client = daemon.client();
    let claims = Claims::parse("{}").expect("valid");
    for (field, request) in [
        ("force_refresh", TokenRequest { force_refresh: true, ..mail() }),
        ("claims", TokenRequest { claims, ..mail() }),
        (
            "account",
            TokenRequest { subject: token_broker_client::calls::Subject::User(Some("nobody".into())), ..mail() },
        ),
    ] {
        let refused = match client.watch_token(&request).await {
            Ok(mut watch) => watch.next().await.expect_err(field),
            Err(refused) => refused,
        };
        let ClientError::Broker(failure) = refused else { panic!("{refused:?}") };
        match failure.reason {
            Reason::InvalidRequest => assert_eq!(failure.field.as_deref(), Some(field)),
            // A name that was never there is a mistake, not something to wait for.
            reason => assert_eq!((reason, field), (Reason::AccountNotFound, "account")),
        }
    }
}

#[tokio::test]
async fn an_application_that_is_removed_ends_the_stream() {
    let (_server, daemon, _clock) = stage().await;
    let client = daemon.client();
    let mut watch = client.watch_token(&mail()).await.expect("a stream");
    token(&mut watch).await;
    client.remove_application(&name("mail")).await.expect("removed");
    let Err(ClientError::Broker(failure)) = within(watch.next()).await else { panic!("it ends") };
    assert_eq!(failure.reason, Reason::ApplicationNotFound);
    assert!(within(watch.next()).await.expect("no second error").is_none());
}

#[tokio::test]
async fn a_stop_ends_the_streams_without_an_error() {
    let (_server, mut daemon, _clock) = stage().await;
    let client = daemon.client();
    let mut watch = client.watch_token(&mail()).await.expect("a stream");
    token(&mut watch).await;
    let mut events = client.watch_events(None).await.expect("a stream");
    within(events.next()).await.expect("an event");
    within(daemon.stop()).await;
    assert!(within(watch.next()).await.expect("no error").is_none());
    assert!(within(events.next()).await.expect("no error").is_none());
}
