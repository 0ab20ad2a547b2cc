//! One refresh per grant, whoever asks, and nobody waits for another's.

use std::{sync::Arc, time::Duration};

use token_broker_client::calls::{
    NewApplication, NewCredential, SignInEvent, SignInRequest, SignOutRequest, Subject, TokenRequest, TokenSource,
};
use token_broker_tests::{
    authorization_server::{AuthorizationServer, Client, Endpoint, Fault, Gate, Options as Server},
    clock::ManualClock,
    daemon::{Options, TestDaemon, application, name, refresh, sign_in_by_browser},
    user::User,
    within,
};
use tokio::task::JoinSet;

const CALLERS: usize = 64;

/// A server and a daemon on one clock, with `ada` signed in to `mail`, and `grace` to `notes` if asked for.
async fn stage(apps: &[(&str, &str)]) -> (AuthorizationServer, TestDaemon, ManualClock) {
    let clock = ManualClock::now_and_still();
    let server = AuthorizationServer::start(Server { clock: Arc::new(clock.clone()), ..Server::default() });
    let daemon = TestDaemon::start(Options { clock: Arc::new(clock.clone()), ..Options::default() }).await;
    let client = daemon.client();
    for (app, user) in apps {
        let new = application(app, server.issuer(), ("native-app", None), "openid api:read");
        client.add_application(&new).await.expect("registered");
        sign_in_by_browser(&client, app, &User::named(user)).await.expect("signed in");
    }
    (server, daemon, clock)
}

fn of(user: &str) -> TokenRequest {
    TokenRequest { subject: Subject::User(Some(user.to_owned())), ..TokenRequest::new(name("mail")) }
}

#[tokio::test]
async fn many_callers_of_an_expired_token_cause_one_refresh() {
    let (server, daemon, clock) = stage(&[("mail", "ada")]).await;
    clock.advance(Duration::from_secs(7200));
    let gate = Gate::closed();
    server.fail_next(Endpoint::Token, Fault::HoldAfter(gate.clone()));
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        // A connection each, as processes would have.
        let client = daemon.client();
        callers.spawn(async move { client.token(&of("ada")).await.expect("an answer") });
    }
    within(gate.reached(1)).await;
    gate.open();
    let mut tokens = std::collections::HashSet::new();
    while let Some(answer) = within(callers.join_next()).await {
        tokens.insert(answer.expect("no panic").access_token.expose().to_owned());
    }
    assert_eq!((tokens.len(), server.requests("token:refresh_token")), (1, 1));
}

#[tokio::test]
async fn a_slow_refresh_delays_nobody_else() {
    let (server, daemon, clock) = stage(&[("mail", "ada"), ("notes", "grace")]).await;
    let client = daemon.client();
    clock.advance(Duration::from_secs(7200));
    client.token(&of("grace")).await.expect("grace's token is fresh again");
    let gate = Gate::closed();
    server.fail_next(Endpoint::Token, Fault::HoldBefore(gate.clone()));
    let slow = tokio::spawn({
        let client = daemon.client();
        async move { client.token(&of("ada")).await }
    });
    within(gate.reached(1)).await;
    for _ in 0..100 {
        let hit = within(client.token(&of("grace"))).await.expect("a hit while ada waits");
        assert_eq!(hit.source, TokenSource::Cache);
    }
    assert!(!slow.is_finished());
    gate.open();
    within(slow).await.expect("no panic").expect("ada's token");
}

#[tokio::test]
async fn a_caller_that_leaves_cancels_only_its_own_wait() {
    let (server, daemon, clock) = stage(&[("mail", "ada")]).await;
    clock.advance(Duration::from_secs(7200));
    let gate = Gate::closed();
    server.fail_next(Endpoint::Token, Fault::HoldAfter(gate.clone()));
    let leaver = tokio::spawn({
        let client = daemon.client();
        async move { client.token(&of("ada")).await }
    });
    within(gate.reached(1)).await;
    leaver.abort();
    let stayer = tokio::spawn({
        let client = daemon.client();
        async move { client.token(&of("ada")).await }
    });
    gate.open();
    within(stayer).await.expect("no panic").expect("the flight went on");
    assert_eq!(server.requests("token:refresh_token"), 1);
}

#[tokio::test]
async fn a_refresh_that_ends_after_sign_out_is_thrown_away() {
    let (server, daemon, clock) = stage(&[("mail", "ada")]).await;
    clock.advance(Duration::from_secs(7200));
    let gate = Gate::closed();
    server.fail_next(Endpoint::Token, Fault::HoldAfter(gate.clone()));
    let waiting = tokio::spawn({
        let client = daemon.client();
        async move { client.token(&of("ada")).await }
    });
    within(gate.reached(1)).await;
    let client = daemon.client();
    let request = SignOutRequest { application: name("mail"), account: None, revoke: false, correlation_id: None };
    client.sign_out(&request).await.expect("signed out");
    gate.open();
    within(waiting).await.expect("no panic").expect_err("the account is gone");
    let counts = client.status().await.expect("status").counts;
    assert_eq!((counts.accounts, counts.access_tokens, counts.refresh_tokens), (0, 0, 0));
}

#[tokio::test]
async fn a_new_token_waits_for_no_keys_unless_the_id_token_is_wanted() {
    let (server, daemon, clock) = stage(&[("mail", "ada")]).await;
    // So long that keys are fetched again, which the check of an ID token needs.
    clock.advance(Duration::from_secs(25 * 3600));
    let gate = Gate::closed();
    server.fail_next(Endpoint::Jwks, Fault::HoldBefore(gate.clone()));
    let fresh = within(daemon.client().token(&of("ada"))).await.expect("a token, while the keys are on their way");
    assert_eq!(fresh.source, TokenSource::IdentityProvider);
    within(gate.reached(1)).await;
    // Who insists on another one waits until the place is free, and gets one of its own.
    let forced = tokio::spawn({
        let client = daemon.client();
        async move { client.token(&TokenRequest { force_refresh: true, include_id_token: true, ..of("ada") }).await }
    });
    let hit = within(daemon.client().token(&of("ada"))).await.expect("a hit");
    assert_eq!((hit.source, hit.access_token.expose()), (TokenSource::Cache, fresh.access_token.expose()));
    assert!(!forced.is_finished());
    gate.open();
    let forced = within(forced).await.expect("no panic").expect("a token");
    assert_ne!(forced.access_token.expose(), fresh.access_token.expose());
    assert!(forced.id_token.is_some());
    assert_eq!(server.requests("token:refresh_token"), 2);
}

#[tokio::test]
async fn who_signs_out_before_the_request_is_sent_is_not_asked_for() {
    let (helper, daemon, clock) = stage(&[]).await;
    let client = daemon.client();
    let mut options = Server { clock: Arc::new(clock.clone()), ..Server::default() };
    let id = "assertion-app";
    options.clients.push(Client { assertion: true, ..Client::confidential(id, "a secret that nobody has") });
    let server = AuthorizationServer::start(options);
    let service = ("service-app", Some("service secret: +/%&=?~"));
    client.add_application(&application("job", helper.issuer(), service, "api:write")).await.expect("registered");
    let credential = NewCredential::AssertionFrom(name("job"));
    let mail = NewApplication { credential, ..application("mail", server.issuer(), (id, None), "openid api:read") };
    client.add_application(&mail).await.expect("registered");
    sign_in_by_browser(&client, "mail", &User::named("ada")).await.expect("signed in");
    clock.advance(Duration::from_secs(7200));
    // The refresh waits for its client assertion, which is the other application's token.
    let gate = Gate::closed();
    helper.fail_next(Endpoint::Token, Fault::HoldBefore(gate.clone()));
    let waiting = tokio::spawn({
        let client = daemon.client();
        async move { client.token(&of("ada")).await }
    });
    within(gate.reached(1)).await;
    let request = SignOutRequest { application: name("mail"), account: None, revoke: false, correlation_id: None };
    client.sign_out(&request).await.expect("signed out");
    gate.open();
    within(waiting).await.expect("no panic").expect_err("the account is gone");
    assert_eq!(server.requests("token:refresh_token"), 0, "nothing was sent");
}

#[tokio::test]
async fn a_stop_waits_for_the_rotated_token() {
    let (server, mut daemon, clock) = stage(&[("mail", "ada")]).await;
    clock.advance(Duration::from_secs(7200));
    let gate = Gate::closed();
    server.fail_next(Endpoint::Token, Fault::HoldAfter(gate.clone()));
    // A program that keeps an idle connection open must not delay the stop either.
    let idle = daemon.client();
    idle.status().await.expect("status");
    let waiting = tokio::spawn({
        let client = daemon.client();
        async move { client.token(&of("ada")).await }
    });
    within(gate.reached(1)).await;
    let ((), ()) = tokio::join!(within(daemon.stop()), async { gate.open() });
    within(waiting).await.expect("no panic").expect("its caller is answered, too");
    daemon.start_again().await;
    refresh(&daemon.client(), "mail").await.expect("the rotated token was saved, so it is not used twice");
    assert_eq!(server.requests("token:refresh_token"), 2);
}

#[tokio::test]
async fn a_sign_in_whose_code_is_being_redeemed_goes_through_without_its_caller() {
    let (server, daemon, _clock) = stage(&[]).await;
    let client = daemon.client();
    let new = application("mail", server.issuer(), ("native-app", None), "openid api:read");
    client.add_application(&new).await.expect("registered");
    let gate = Gate::closed();
    server.fail_next(Endpoint::Token, Fault::HoldAfter(gate.clone()));
    let mut events = client.sign_in(&SignInRequest::new(name("mail"))).await.expect("begun");
    let Ok(Some(SignInEvent::OpenUrl(url))) = events.next().await else { panic!("the URL comes first") };
    let user = User::named("ada");
    let leave = async {
        within(gate.reached(1)).await;
        drop(events);
        // The daemon has heard of it once it answers another call of the same connection.
        client.status().await.expect("status");
        gate.open();
    };
    let (page, ()) = tokio::join!(within(user.sign_in(url.expose())), leave);
    assert!(page.body.contains("You are signed in"), "{}", page.body);
    assert_eq!(client.accounts(None).await.expect("a list").len(), 1);
}
