//! `SignHttpRequest`: what is signed holds for a resource that uses another library, and the key behind it comes and goes.

use std::{process::Stdio, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use token_broker_client::{
    Secret,
    calls::{HttpRequestToSign, SignHttpRequest, SignedHttpRequest, TokenSource},
};
use token_broker_tests::{folder, process::Home, requirements::require, within};
use tokio::{io::AsyncWriteExt as _, process::Command};

use super::{Stage, job, work};
use crate::msal::interpreter;

/// What `PyJWT` makes of the value of an `Authorization` header.
async fn verified(python: &std::path::Path, authorization: &Secret) -> Value {
    let mut command = Command::new(python);
    command.env("PYTHONDONTWRITEBYTECODE", "1").arg(folder("peers/msal/verify_signed_request.py"));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("python starts");
    let line = format!("{}\n", json!(authorization.expose()));
    child.stdin.take().unwrap().write_all(line.as_bytes()).await.unwrap();
    let output = within(child.wait_with_output()).await.unwrap();
    assert!(output.status.success(), "it does not verify");
    serde_json::from_slice(&output.stdout).expect("a line of JSON")
}

fn hash(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
}

#[tokio::test]
async fn another_library_verifies_what_is_signed() {
    let Some(python) = require(interpreter()) else { return };
    let stage = Stage::set().await;
    let url = "https://api.example:8443/v1.0/users/a%20b?$top=1&$skip=2";
    let http = HttpRequestToSign::parse("post", url).unwrap().with_nonce("eyJ0cyI6MX0.server").unwrap();
    let http = http.with_client_claims("{\"device\": \"laptop\"}").unwrap();
    let signed = stage.try_sign(SignHttpRequest { token: work(), http }).await.expect("signed");
    let seen = verified(&python, &signed.authorization).await;
    let claims = &seen["claims"];
    assert_eq!(seen["scheme"], "PoP");
    assert_eq!(seen["header"], json!({ "alg": "ES256", "kid": signed.key_id, "typ": "pop" }));
    assert_eq!(seen["thumbprint"], signed.key_id.as_str(), "the key is the one that is named");
    assert_eq!(seen["access_token"]["cnf"]["kid"], signed.key_id.as_str(), "and the one that the token is bound to");
    for (name, value) in [
        ("ts", json!(1_800_000_000)),
        ("m", json!("POST")),
        ("u", json!("api.example:8443")),
        ("p", json!("/v1.0/users/a%20b")),
        ("q", json!([["$top", "$skip"], hash("$top=1&$skip=2")])),
        ("nonce", json!("eyJ0cyI6MX0.server")),
        ("client_claims", json!("{\"device\": \"laptop\"}")),
    ] {
        assert_eq!(claims[name], value, "{name}");
    }
    assert_eq!(claims.as_object().unwrap().len(), 9, "and at and cnf: {claims}");
    assert!(claims["cnf"]["jwk"].get("d").is_none());
    assert_eq!(signed.account.map(|account| account.username).as_deref(), Some("ada@contoso.example"));
}

#[tokio::test]
async fn the_platform_is_told_the_name_of_the_key_alone() {
    let stage = Stage::set().await;
    let signed = stage.sign("https://api.example/").await;
    let [refresh] = &stage.refreshes()[..] else { panic!("one refresh") };
    let parameter = |name: &str| refresh.parameters.get(name).map(String::as_str).unwrap_or_default();
    assert_eq!(parameter("token_type"), "pop");
    let named = URL_SAFE_NO_PAD.decode(parameter("req_cnf")).expect("base64url");
    assert_eq!(String::from_utf8(named).unwrap(), format!("{{\"kid\":\"{}\"}}", signed.key_id));
    assert!(!refresh.parameters.contains_key("key_id"));
}

#[tokio::test]
async fn each_request_is_signed_anew_around_one_token() {
    let stage = Stage::set().await;
    let first = stage.sign("https://api.example/").await;
    stage.clock.advance(Duration::from_secs(1));
    let second = stage.sign("https://api.example/").await;
    assert_eq!((first.source, second.source), (TokenSource::IdentityProvider, TokenSource::Cache));
    let [one, two] = [&first, &second].map(claims);
    assert_eq!((&one["at"], &one["cnf"]), (&two["at"], &two["cnf"]));
    assert!(
        one["nonce"] != two["nonce"]
            && one["ts"] != two["ts"]
            && first.authorization.expose() != second.authorization.expose()
    );
}

#[tokio::test]
async fn an_application_signs_for_itself_too() {
    let stage = Stage::set().await;
    let http = || HttpRequestToSign::parse("GET", "https://api.example/").unwrap();
    let signed = stage.try_sign(SignHttpRequest { token: job(), http: http() }).await.expect("signed");
    assert!(signed.account.is_none() && signed.source == TokenSource::IdentityProvider);
    let again = stage.try_sign(SignHttpRequest { token: job(), http: http() }).await.expect("signed");
    assert_eq!(again.source, TokenSource::Cache);
}

/// Eight hours; the next key has its own token, and the daemon asks for none for a key that is gone.
#[tokio::test]
async fn the_key_changes_after_eight_hours() {
    let stage = Stage::set().await;
    let first = stage.sign("https://api.example/").await;
    stage.clock.advance(Duration::from_secs(8 * 3600 - 1));
    let same = stage.sign("https://api.example/").await;
    assert_eq!(first.key_id, same.key_id);
    stage.clock.advance(Duration::from_secs(1));
    let next = stage.sign("https://api.example/").await;
    assert_ne!(first.key_id, next.key_id);
    assert_eq!(next.source, TokenSource::IdentityProvider, "the token of the old key was good for an hour");
    assert_eq!(claims(&next)["cnf"]["jwk"]["kty"], "EC");
}

/// The key was in memory only: what was bound to it is of no use, and is not found.
#[tokio::test]
async fn a_restart_makes_another_key() {
    let mut stage = Stage::set().await;
    let before = stage.sign("https://api.example/").await;
    stage.daemon.restart().await;
    let after = stage.sign("https://api.example/").await;
    assert_ne!(before.key_id, after.key_id);
    assert_eq!(after.source, TokenSource::IdentityProvider);
    assert_ne!(claims(&before)["at"], claims(&after)["at"]);
}

#[tokio::test]
async fn the_command_line_prints_a_header() {
    let (stage, home) = (Stage::set().await, Home::new());
    let socket = stage.daemon.socket();
    let cli = async |more: &[&str]| {
        let start =
            ["--socket", socket.to_str().unwrap(), "token", "work", "--pop", "GET", "https://api.example/v1/me"];
        home.cli(start.iter().chain(more)).run().await
    };
    let header = cli(&["--format", "header"]).await;
    assert!(header.code == 0 && header.stdout.starts_with("Authorization: PoP eyJ"), "{header:?}");
    let raw = cli(&["--nonce", "n-1"]).await;
    assert!(raw.stdout.starts_with("PoP eyJ") && claims_of(raw.stdout.trim_end())["nonce"] == "n-1", "{raw:?}");
    let json: Value = serde_json::from_str(&cli(&["--json"]).await.stdout).unwrap();
    assert_eq!((&json["token_type"], &json["token_source"]), (&json!("pop"), &json!("cache")));
    assert_eq!(claims_of(json["authorization"].as_str().unwrap())["u"], "api.example");
    for (wrong, word) in [
        (&["--format", "env"][..], "forms raw, json and header"),
        (&["--nonce", "a b"], "nonce"),
        (&["--client-claims", "[]"], "client_claims"),
    ] {
        let output = cli(wrong).await;
        assert!(output.code == 2 && output.stderr.contains(word), "{output:?}");
    }
}

fn claims(signed: &SignedHttpRequest) -> Value {
    claims_of(signed.authorization.expose())
}

pub(super) fn claims_of(authorization: &str) -> Value {
    let payload = authorization.split('.').nth(1).expect("three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64url")).expect("claims")
}
