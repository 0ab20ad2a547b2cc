//! A program in another language: Python with grpcio, from the .proto files alone (tests/peers/grpcio/client.py), over the Unix
//! socket. Health, reflection, tokens, the sign-in stream, sign-out, and errors with their details read from the trailers.

use std::{path::PathBuf, process::Stdio};

use serde_json::{Value, json};
use token_broker_tests::{
    authorization_server::{AuthorizationServer, Endpoint, Fault, Options as Server},
    daemon::{Options, TestDaemon, application, sign_in_by_browser},
    folder,
    requirements::{Missing, require},
    user::User,
    within,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

/// The script under way.
struct Script {
    child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

/// The interpreter with the pinned packages.
fn python() -> Result<PathBuf, Missing> {
    let python = folder("peers/.venv/bin/python");
    let installed = folder("peers/.venv/.installed").is_file();
    let why = "tests/peers/.venv is not set up: tests/run does it, with python3 and its venv module";
    (installed && python.is_file()).then_some(python).ok_or_else(|| Missing::new(why))
}

impl Script {
    fn start(python: PathBuf, daemon: &TestDaemon) -> Self {
        let mut command = Command::new(python);
        command.arg(folder("peers/grpcio/client.py")).arg(daemon.socket()).arg(folder("../proto"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("python starts");
        let stdin = child.stdin.take().expect("it is piped");
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        Self { child, stdin, lines }
    }

    /// The next event, which must have this name.
    async fn event(&mut self, name: &str) -> Value {
        let line = within(self.lines.next_line()).await.expect("text").expect("the script goes on");
        let event: Value = serde_json::from_str(&line).expect("an event");
        assert_eq!(event["event"], name, "{event}");
        event
    }

    /// A failed call: its code and reason; returns the rest.
    async fn failure(&mut self, name: &str, code: &str, reason: &str) -> Value {
        let event = self.event(name).await;
        let known = (&event["code"], &event["reason"], &event["domain"], &event["same"]);
        assert_eq!(known, (&json!(code), &json!(reason), &json!("token-broker"), &json!(true)), "{event}");
        assert_eq!(event["correlation_id"].as_str().map(str::len), Some(36), "{event}");
        event
    }

    async fn go_on(&mut self) {
        self.stdin.write_all(b"\n").await.expect("the script listens");
    }
}

#[tokio::test]
async fn python_needs_the_proto_files_only() {
    let Some(python) = require(python()) else { return };
    let server = AuthorizationServer::start(Server::default());
    let daemon = TestDaemon::start(Options::default()).await;
    let mail = application("mail", server.issuer(), ("native-app", None), "profile api:read");
    daemon.client().add_application(&mail).await.expect("registered");
    let mut script = Script::start(python, &daemon);

    let health = script.event("health").await;
    let serving = ["", "token_broker.v1.TokenBroker", "token_broker.v1.BrokerAdmin"].map(|name| health[name].clone());
    assert_eq!(serving, ["SERVING", "SERVING", "SERVING"].map(Value::from));
    let reflection = script.event("reflection").await;
    let services = reflection["services"].as_array().expect("a list");
    assert!(
        services.contains(&json!("token_broker.v1.TokenBroker")) && services.contains(&json!("grpc.health.v1.Health"))
    );
    assert!(reflection["methods"].as_array().expect("a list").contains(&json!("GetToken")));

    let failure = script.failure("not_signed_in", "FAILED_PRECONDITION", "INTERACTION_REQUIRED").await;
    assert_eq!(failure["advice"], "broker-cli login mail");
    script.failure("unknown", "NOT_FOUND", "APPLICATION_NOT_FOUND").await;
    let failure = script.failure("invalid", "INVALID_ARGUMENT", "INVALID_REQUEST").await;
    assert_eq!(failure["field"], "scopes");

    let url = script.event("open_url").await;
    User::named("ada").sign_in(url["url"].as_str().expect("a URL")).await;
    assert_eq!(script.event("signed_in").await["username"], "ada");
    let token = script.event("token").await;
    assert!(server.is_active(token["token"].as_str().expect("a token")));
    assert_eq!((&token["type"], &token["source"]), (&json!("Bearer"), &json!("TOKEN_SOURCE_CACHE")));
    assert!(token["username"] == "ada" && token["scopes"].as_array().expect("a list").contains(&json!("api:read")));
    assert!(token["id_token"].as_str().expect("an ID token").starts_with("eyJ"));
    failures_of_the_provider(&mut script, &server, &daemon).await;
    assert_eq!(script.event("signed_out").await["revocation"], "REVOCATION_ACCEPTED");
    script.failure("signed_out_again", "FAILED_PRECONDITION", "INTERACTION_REQUIRED").await;
    assert!(within(script.child.wait()).await.expect("its end").success());
}

async fn failures_of_the_provider(script: &mut Script, server: &AuthorizationServer, daemon: &TestDaemon) {
    script.event("before_outage").await;
    let outage = Fault::answer(503, "text/html", "").with_header("retry-after", "30");
    server.fail_next(Endpoint::Token, outage);
    script.go_on().await;
    let failure = script.failure("outage", "UNAVAILABLE", "AUTHORITY_UNAVAILABLE").await;
    assert_eq!(failure["retry_after_seconds"], 30);
    script.event("before_refusal").await;
    // A new sign-in ends the pause that the provider asked for.
    sign_in_by_browser(&daemon.client(), "mail", &User::named("ada")).await.expect("signed in");
    server.fail_next(Endpoint::Token, Fault::oauth_error(401, "invalid_client"));
    script.go_on().await;
    let failure = script.failure("refusal", "FAILED_PRECONDITION", "AUTHORITY_REFUSED").await;
    assert_eq!(failure["provider"], json!({"error": "invalid_client", "description": "planned by a test"}));
}
