//! Device sign-ins that come to nothing: the code runs out, the user declines, the provider has no such endpoint or speaks
//! nonsense there.

use std::{pin::pin, time::Duration};

use serde_json::Value;
use token_broker_client::{
    Failure, Reason, SignIn,
    calls::{SignInEvent, SignInMethod, SignInRequest, UserCode},
};
use token_broker_tests::{
    authorization_server::{Endpoint, Fault, Options as Server},
    daemon::{Options, name},
    within,
};

use super::{Stage, refused, says};

async fn begin(stage: &Stage) -> (SignIn, UserCode) {
    let request = SignInRequest { method: SignInMethod::DeviceCode, ..SignInRequest::new(name("mail")) };
    let mut events = stage.daemon.client().sign_in(&request).await.expect("begun");
    match events.next().await {
        Ok(Some(SignInEvent::UserCode(code))) => (events, code),
        other => panic!("the code comes first: {other:?}"),
    }
}

/// A device sign-in that fails before there is a code.
async fn cannot_begin(stage: &Stage) -> Failure {
    let request = SignInRequest { method: SignInMethod::DeviceCode, ..SignInRequest::new(name("mail")) };
    let mut events = stage.daemon.client().sign_in(&request).await.expect("begun");
    refused(within(events.next()).await)
}

/// Lets the clock run from timer to timer until the sign-in ends.
async fn ended(stage: &Stage, events: &mut SignIn) -> Failure {
    let mut end = pin!(events.next());
    within(async {
        loop {
            tokio::select! {
                biased;
                end = &mut end => return refused(end),
                _ = stage.clock.advance_to_next_timer() => tokio::task::yield_now().await,
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_code_that_runs_out() {
    let server = Server { device_code_lifetime: Duration::from_secs(30), ..Server::default() };
    let stage = Stage::with(server, Options::default()).await;
    let (mut events, _) = begin(&stage).await;
    says(&ended(&stage, &mut events).await, Reason::Expired, &["the time for the sign-in is over", "start it again"]);
    let accounts = stage.daemon.client().accounts(None).await.expect("a list");
    assert_eq!(accounts, std::slice::from_ref(&stage.ada.account));
}

#[tokio::test]
async fn a_user_who_declines() {
    let mut stage = Stage::set().await;
    let (mut events, code) = begin(&stage).await;
    stage.server.decline_device(code.user_code.expose());
    // Its timer, and those of the purge and of the renewals.
    within(stage.clock.timers_set(3)).await;
    stage.clock.advance(Duration::from_secs(5));
    says(&refused(within(events.next()).await), Reason::Declined, &["the sign-in was declined"]);
    stage.still_serves().await;
    stage.still_refreshes().await;
}

#[tokio::test]
async fn no_such_endpoint() {
    let mut server = Server::default();
    server.metadata.insert("device_authorization_endpoint".into(), Value::Null);
    let stage = Stage::with(server, Options::default()).await;
    let words = ["device_authorization_endpoint", "RFC 8628", "sign in by browser"];
    says(&cannot_begin(&stage).await, Reason::Unsupported, &words);
    stage.still_serves().await;
}

#[tokio::test]
async fn nonsense_instead_of_a_code() {
    let stage = Stage::set().await;
    let cases = [
        (Fault::answer(200, "text/html", "<p>"), Reason::AuthorityRefused, "200 with text/html instead of JSON"),
        (Fault::answer(200, "application/json", vec![b' '; 10 << 20]), Reason::AuthorityRefused, "more than 1048576"),
        (Fault::answer(200, "application/json", "{}"), Reason::AuthorityRefused, "without a usable verification_uri"),
        (Fault::oauth_error(400, "unauthorized_client"), Reason::AuthorityRefused, "unauthorized_client"),
        (Fault::DropBefore, Reason::AuthorityUnavailable, "broke the connection off"),
    ];
    for (fault, reason, words) in cases {
        stage.server.fail_next(Endpoint::DeviceAuthorization, fault);
        says(&cannot_begin(&stage).await, reason, &["the provider", words]);
        stage.still_serves().await;
    }
}

/// Nonsense while polling: what is no answer is asked for again, what is a wrong answer ends the sign-in.
#[tokio::test]
async fn nonsense_instead_of_tokens() {
    let stage = Stage::set().await;
    let (mut events, code) = begin(&stage).await;
    stage.server.approve_device(code.user_code.expose(), "grace");
    stage.server.fail_next(Endpoint::Token, Fault::answer(200, "text/html", "<p>"));
    within(stage.clock.timers_set(3)).await;
    stage.clock.advance(Duration::from_secs(5));
    let failure = refused(within(events.next()).await);
    says(&failure, Reason::AuthorityRefused, &["the provider", "200 with text/html instead of JSON"]);
    stage.still_serves().await;
}
