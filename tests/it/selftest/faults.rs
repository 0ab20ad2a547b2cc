//! Planned faults happen once, in order, and the rest of the server goes on; a gate holds a request until it is opened.

use token_broker_tests::{
    authorization_server::{AuthorizationServer, Endpoint, Fault, Gate, Options},
    http, within,
};

const APP_ONLY: [(&str, &str); 2] = [("grant_type", "client_credentials"), ("scope", "api:read")];
const SERVICE: (&str, &str) = ("service-app", "service secret: +/%&=?~");

fn token_url(server: &AuthorizationServer) -> String {
    format!("{}/token", server.issuer())
}

/// An answer, or `None` when the connection broke.
async fn try_token(server: &AuthorizationServer) -> Option<String> {
    let request = http::form(http::client().post(token_url(server)), &APP_ONLY);
    let request = request.basic_auth(SERVICE.0, Some("service+secret%3A+%2B%2F%25%26%3D%3F~"));
    request.send().await.ok()?.text().await.ok()
}

#[tokio::test]
async fn wrong_answers_come_in_order_and_end() {
    let server = AuthorizationServer::start(Options::default());
    let large = vec![b' '; 10 << 20];
    server.fail_next(Endpoint::Token, Fault::answer(200, "text/html", "<html>"));
    server.fail_next(Endpoint::Token, Fault::redirect("http://127.0.0.1:9/"));
    server
        .fail_next(Endpoint::Token, Fault::oauth_error(503, "temporarily_unavailable").with_header("retry-after", "7"));
    server.fail_next(Endpoint::Token, Fault::answer(200, "application/json", large.clone()));
    let url = token_url(&server);
    let ask = || http::post_as(&url, &APP_ONLY, SERVICE);
    assert_eq!(ask().await.body, "<html>");
    let redirect = ask().await;
    assert_eq!((redirect.status, redirect.location().unwrap().as_str()), (302, "http://127.0.0.1:9/"));
    let unavailable = ask().await;
    assert_eq!((unavailable.status, unavailable.headers["retry-after"].to_str().unwrap()), (503, "7"));
    assert_eq!(ask().await.body.len(), large.len());
    assert_eq!(ask().await.status, 200, "the plan is over");
    assert_eq!(server.requests("token:client_credentials"), 5);
}

#[tokio::test]
async fn connections_break_before_and_after() {
    let server = AuthorizationServer::start(Options::default());
    let gate = Gate::closed();
    server.fail_next(Endpoint::Token, Fault::DropBefore);
    server.fail_next(Endpoint::Token, Fault::DropAfter);
    server.fail_next(Endpoint::Token, Fault::Stall(br#"{"access_"#.to_vec(), gate.clone()));
    assert_eq!(try_token(&server).await, None);
    assert_eq!(try_token(&server).await, None);
    let opener = async {
        gate.reached(1).await;
        gate.open();
    };
    assert_eq!(within(async { tokio::join!(try_token(&server), opener) }).await.0, None);
    assert!(try_token(&server).await.unwrap().contains("access_token"));
}

#[tokio::test]
async fn a_gate_holds_requests_until_it_opens() {
    let server = AuthorizationServer::start(Options::default());
    for hold in [Fault::HoldBefore, Fault::HoldAfter] {
        let gate = Gate::closed();
        server.fail_next(Endpoint::Token, hold(gate.clone()));
        let held = try_token(&server);
        let others = async {
            gate.reached(1).await;
            assert!(try_token(&server).await.is_some(), "another request passes meanwhile");
            gate.open();
        };
        let (answer, ()) = within(async { tokio::join!(held, others) }).await;
        assert!(answer.unwrap().contains("access_token"));
    }
    within(server.requested("token", 4)).await;
}
