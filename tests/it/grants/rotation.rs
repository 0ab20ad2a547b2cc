//! A refresh token is used once, its successor is never lost, and what is newer wins.

use std::time::Duration;

use token_broker_client::{
    Reason,
    calls::{SignOutRequest, TokenSource},
};
use token_broker_tests::{
    authorization_server::{Endpoint, Fault, Gate, Options as Server},
    daemon::{Options, TestDaemon, application, name, sign_in_by_browser},
    machine::disk::{Access, SmallDisk},
    peers::{
        OidcProvider,
        oidc_provider::{self, NATIVE_APP},
    },
    requirements::require,
    user::User,
    within,
};
use tokio::task::JoinSet;

use super::{LONG, Stage, ada, failure, forced, says};

/// Metadata is older than a day, so that the refresh fetches it before it looks whether its grant is the current one.
fn held_before_it_asks(stage: &Stage) -> Gate {
    stage.clock.advance(Duration::from_secs(25 * 3600));
    let gate = Gate::closed();
    stage.server.fail_next(Endpoint::Discovery, Fault::HoldBefore(gate.clone()));
    gate
}

#[tokio::test]
async fn a_grant_that_was_replaced_is_not_sent() {
    let stage = Stage::set(Server::default()).await;
    let gate = held_before_it_asks(&stage);
    let waiting = stage.ask(ada());
    within(gate.reached(1)).await;
    stage.sign_in().await;
    gate.open();
    let answer = within(waiting).await.expect("no panic").expect("the new sign-in's token");
    assert_eq!((answer.source, stage.refreshes()), (TokenSource::Cache, 0));
}

#[tokio::test]
async fn a_grant_that_was_removed_is_not_sent() {
    let stage = Stage::set(Server::default()).await;
    let gate = held_before_it_asks(&stage);
    let waiting = stage.ask(ada());
    within(gate.reached(1)).await;
    let request = SignOutRequest { application: name("mail"), account: None, revoke: false, correlation_id: None };
    within(stage.client().sign_out(&request)).await.expect("signed out");
    gate.open();
    let failure = failure(within(waiting).await.expect("no panic"));
    says(&failure, Reason::InteractionRequired, &["nobody is signed in"]);
    assert_eq!(stage.refreshes(), 0);
}

/// The refresh of an old grant is refused after the user has signed in again: that says nothing of the new grant.
#[tokio::test]
async fn a_losing_refusal_is_not_held_against_the_new_grant() {
    for request in [ada(), forced()] {
        let stage = Stage::set(Server::default()).await;
        stage.clock.advance(LONG);
        let gate = Gate::closed();
        stage.server.fail_next(Endpoint::Token, Fault::HoldBefore(gate.clone()));
        let waiting = stage.ask(request.clone());
        within(gate.reached(1)).await;
        stage.server.revoke_all();
        stage.sign_in().await;
        gate.open();
        within(waiting).await.expect("no panic").expect("a token by the new grant");
        let expected = if request.force_refresh { 2 } else { 1 };
        assert_eq!(stage.refreshes(), expected, "the old one was refused, the new one is used where it is needed");
        within(stage.client().token(&forced())).await.expect("the new grant was never marked");
        assert_eq!(stage.grant().await.last_failure, None);
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_is_asked_for_once_more() {
    let stage = Stage::set(Server::default()).await;
    let json = |body: &str| Fault::answer(200, "application/json", body);
    for lost in [Fault::DropBefore, json(r#"{"access_token":"a","token_type":"Bea"#), json("")] {
        stage.server.fail_next(Endpoint::Token, lost);
        let answer = within(stage.client().token(&forced())).await.expect("the second answer came");
        assert_eq!(answer.source, TokenSource::IdentityProvider);
        assert_eq!(stage.grant().await.last_failure, None);
    }
}

/// The retry meets an outage, and the pause after it the end of the daemon: that the answer was lost is still known when the
/// provider at last refuses.
#[tokio::test]
async fn a_lost_answer_is_remembered_and_explains_the_refusal() {
    let mut stage = Stage::set(Server::default()).await;
    stage.clock.advance(LONG);
    stage.server.fail_next(Endpoint::Token, Fault::DropAfter);
    stage.server.fail_next(Endpoint::Token, Fault::answer(503, "text/html", ""));
    says(&stage.failure(&ada()).await, Reason::AuthorityUnavailable, &["503"]);
    stage.daemon.restart().await;
    stage.clock.advance(Duration::from_secs(2));
    let words = ["lost on the way", "invalid_grant", "run: broker-cli login mail"];
    says(&stage.failure(&ada()).await, Reason::InteractionRequired, &words);
    assert_eq!(stage.refreshes(), 3);
}

/// Lets time pass if somebody waits for it besides the tasks that always stand.
async fn let_pass(stage: &Stage, span: Duration) {
    tokio::select! {
        () = stage.clock.timers_set(3) => stage.clock.advance(span),
        () = tokio::task::yield_now() => {}
    }
}

/// The disk fills while the provider rotates. Callers are told, no other refresh begins with the spent token, and as soon as there
/// is room the new one is saved.
#[tokio::test]
async fn a_new_token_is_held_until_there_is_room() {
    let mut stage = Stage::set(Server::default()).await;
    stage.daemon.stop().await;
    let Some(disk) = require(SmallDisk::over(&stage.daemon.data_dir(), Access::Write)) else { return };
    stage.daemon.try_start().await.expect("it starts on the small disk");
    stage.clock.advance(LONG);
    let gate = Gate::closed();
    stage.server.fail_next(Endpoint::Token, Fault::HoldAfter(gate.clone()));
    let waiting = stage.ask(ada());
    within(gate.reached(1)).await;
    disk.fill();
    gate.open();
    let told = async {
        while !waiting.is_finished() {
            let_pass(&stage, Duration::from_millis(500)).await;
        }
        waiting.await
    };
    let told = failure(within(told).await.expect("no panic"));
    says(&told, Reason::StoreUnavailable, &["full"]);
    for request in [ada(), forced()] {
        says(&stage.failure(&request).await, Reason::StoreUnavailable, &["full"]);
    }
    assert_eq!(stage.refreshes(), 1, "the spent token is not used again");
    disk.clear();
    let saved = async {
        loop {
            let_pass(&stage, Duration::from_secs(5)).await;
            if let Ok(answer) = stage.client().token(&ada()).await {
                return answer;
            }
        }
    };
    assert_eq!(within(saved).await.source, TokenSource::Cache);
    assert_eq!(stage.refreshes(), 1);
    within(stage.client().token(&forced())).await.expect("the chain goes on");
    stage.daemon.stop().await;
}

/// At a provider that revokes a grant whose refresh token comes a second time.
#[tokio::test]
async fn callers_by_the_dozen_never_use_a_token_twice() {
    let Some(()) = require(oidc_provider::present()) else { return };
    let provider = OidcProvider::start(oidc_provider::Options::default()).await;
    let mut daemon = TestDaemon::start(Options::default()).await;
    let mail = application("mail", provider.issuer(), (NATIVE_APP, None), "openid api:read");
    daemon.client().add_application(&mail).await.expect("registered");
    sign_in_by_browser(&daemon.client(), "mail", &User::named("ada")).await.expect("signed in");
    for round in 0..5 {
        let mut callers = JoinSet::new();
        for caller in 0..24 {
            let client = daemon.client();
            let request = if caller % 2 == 0 { forced() } else { ada() };
            callers.spawn(async move { client.token(&request).await });
        }
        while let Some(answer) = within(callers.join_next()).await {
            answer.expect("no panic").unwrap_or_else(|error| panic!("round {round}: {error}"));
        }
        daemon.restart().await;
    }
    assert!(provider.requests("token:refresh_token:200").await >= 5);
    assert_eq!(provider.requests("token:refresh_token:400").await, 0);
}
