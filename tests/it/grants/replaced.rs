//! A registration that is replaced while a request for its own token is under way: what comes is of the old one and is thrown away,
//! and nobody is told that the application is gone, because it is not.

use token_broker_client::{
    Reason,
    calls::{Event, ExistingApplication, NewApplication, Subject, TokenEvent, TokenRequest, TokenSource},
};
use token_broker_tests::{
    authorization_server::{Endpoint, Fault, Gate, Options as Server},
    daemon::{application, name},
    within,
};

use super::{Stage, failure};

const APP_TOKENS: &str = "token:client_credentials";

fn job(stage: &Stage) -> NewApplication {
    let secret = Some("service secret: +/%&=?~");
    let new = application("job", stage.server.issuer(), ("service-app", secret), "api:read");
    NewApplication { existing: ExistingApplication::Replace, ..new }
}

/// The same with something that no request shows.
fn other(stage: &Stage) -> NewApplication {
    NewApplication { keep_alive: Some(std::time::Duration::from_secs(86_400)), ..job(stage) }
}

fn own() -> TokenRequest {
    TokenRequest { subject: Subject::Application, ..TokenRequest::new(name("job")) }
}

/// The next token request has been acted on and waits for its answer.
fn hold(stage: &Stage) -> Gate {
    let gate = Gate::closed();
    stage.server.fail_next(Endpoint::Token, Fault::HoldAfter(gate.clone()));
    gate
}

#[tokio::test]
async fn its_callers_get_a_token_for_the_new_one() {
    let stage = Stage::set(Server::default()).await;
    stage.client().add_application(&job(&stage)).await.expect("registered");
    let mut events = stage.client().watch_events(Some(&name("job"))).await.expect("a stream");
    within(events.next()).await.expect("its beginning");
    let gate = hold(&stage);
    let callers = [stage.ask(own()), stage.ask(own())];
    within(gate.reached(1)).await;
    stage.client().add_application(&other(&stage)).await.expect("replaced");
    gate.open();
    for caller in callers {
        within(caller).await.expect("no panic").expect("a token");
    }
    assert_eq!(stage.server.requests(APP_TOKENS), 2);
    assert_eq!(within(stage.client().token(&own())).await.expect("a hit").source, TokenSource::Cache);
    let mut next = async || within(events.next()).await.expect("an event").expect("the stream goes on").event;
    assert_eq!(next().await, Event::ApplicationReplaced("job".into()));
    assert!(matches!(next().await, Event::TokenRenewed(_)), "and no failure before it");
}

#[tokio::test]
async fn who_follows_its_token_goes_on() {
    let stage = Stage::set(Server::default()).await;
    stage.client().add_application(&job(&stage)).await.expect("registered");
    let gate = hold(&stage);
    let mut watch = stage.client().watch_token(&own()).await.expect("a stream");
    within(gate.reached(1)).await;
    stage.client().add_application(&other(&stage)).await.expect("replaced");
    gate.open();
    let event = within(watch.next()).await.expect("an event").expect("the stream goes on");
    assert!(matches!(event, TokenEvent::Token(_)), "{event:?}");
}

#[tokio::test]
async fn one_that_is_removed_is_gone() {
    let stage = Stage::set(Server::default()).await;
    stage.client().add_application(&job(&stage)).await.expect("registered");
    let gate = hold(&stage);
    let caller = stage.ask(own());
    within(gate.reached(1)).await;
    stage.client().remove_application(&name("job")).await.expect("removed");
    gate.open();
    assert_eq!(failure(within(caller).await.expect("no panic")).reason, Reason::ApplicationNotFound);
    assert_eq!(stage.server.requests(APP_TOKENS), 1);
}
