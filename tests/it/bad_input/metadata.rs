//! Metadata that is missing, another's, or nonsense: a registration with it is refused and changes nothing; of a provider that
//! goes wrong later, what is cached is served on.

use std::time::Duration;

use serde_json::{Value, json};
use token_broker_client::Reason;
use token_broker_tests::{
    authorization_server::{AuthorizationServer, Endpoint, Fault, Options as Server},
    daemon::{Options, application},
};

use super::{Stage, refused, says};

/// Registers `notes` at this issuer, which must fail and leave nothing behind. What the user is told to type.
async fn cannot_be_added(stage: &Stage, issuer: &str, reason: Reason, words: &[&str]) -> Option<String> {
    let client = stage.daemon.client();
    let notes = application("notes", issuer, ("native-app", None), "openid");
    let failure = refused(client.add_application(&notes).await);
    says(&failure, reason, words);
    let names: Vec<_> = client.applications().await.expect("a list").into_iter().map(|known| known.name).collect();
    assert_eq!(names, ["mail"]);
    stage.still_serves().await;
    failure.advice
}

#[tokio::test]
async fn a_wrong_issuer() {
    let stage = Stage::set().await;
    let issuer = stage.server.issuer().to_owned();
    let nowhere = format!("{issuer}/realms/typo");
    let words = ["no provider publishes its metadata at", &nowhere, "404", "check the issuer"];
    cannot_be_added(&stage, &nowhere, Reason::AuthorityRefused, &words).await;

    let slash = format!("{issuer}/");
    let words = ["publishes the issuer", &issuer, &slash, "is configured", "slash"];
    let advice = cannot_be_added(&stage, &slash, Reason::AuthorityRefused, &words).await;
    assert_eq!(advice, Some(format!("the same with --issuer {issuer}")));

    // The other way round, and somebody else's altogether: what the provider says of itself decides.
    for published in [slash.as_str(), "https://accounts.example.com"] {
        stage.server.change(|options| drop(options.metadata.insert("issuer".into(), json!(published))));
        let words = ["publishes the issuer", published, "is configured"];
        let advice = cannot_be_added(&stage, &issuer, Reason::AuthorityRefused, &words).await;
        // Another host is nobody's advice.
        let same_host = published == slash;
        assert_eq!(advice, same_host.then(|| format!("the same with --issuer {slash}")));
    }
}

#[tokio::test]
async fn documents_that_are_none() {
    let stage = Stage::set().await;
    let issuer = stage.server.issuer().to_owned();
    let cases = [
        (Fault::answer(200, "text/html", "<h1>Log in to the hotel</h1>"), "200 with text/html instead of JSON"),
        (Fault::answer(200, "application/json", vec![b' '; 10 << 20]), "more than 1048576 bytes"),
        (Fault::answer(200, "application/json", r#"{"issuer":"http"#), "200 with JSON that ends early"),
        (Fault::redirect("https://elsewhere.example/x"), "302 with a redirect to elsewhere.example"),
        (Fault::answer(403, "text/plain", "no"), "answered 403"),
    ];
    for (fault, words) in cases {
        stage.server.fail_next(Endpoint::Discovery, fault);
        cannot_be_added(&stage, &issuer, Reason::AuthorityRefused, &["provider", words]).await;
    }
    let cases =
        [(Fault::answer(503, "text/plain", ""), "answered 503"), (Fault::DropBefore, "broke the connection off")];
    for (fault, words) in cases {
        stage.server.fail_next(Endpoint::Discovery, fault);
        cannot_be_added(&stage, &issuer, Reason::AuthorityUnavailable, &["provider", words]).await;
    }
}

#[tokio::test]
async fn members_that_cannot_be_used() {
    let stage = Stage::set().await;
    let issuer = stage.server.issuer().to_owned();
    let cases = [
        ("token_endpoint", Value::Null, ["names no token_endpoint", ""]),
        ("token_endpoint", json!("http://id.example.com/token"), ["unusable token_endpoint", "https"]),
        ("jwks_uri", json!("javascript:alert(1)"), ["unusable jwks_uri", ""]),
    ];
    for (member, value, words) in cases {
        stage.server.change(|options| {
            options.metadata.clear();
            options.metadata.insert(member.into(), value);
        });
        cannot_be_added(&stage, &issuer, Reason::AuthorityRefused, &words).await;
    }
}

#[tokio::test]
async fn a_provider_that_is_not_there() {
    let stage = Stage::set().await;
    let gone = AuthorizationServer::start(Server::default());
    let issuer = gone.issuer().to_owned();
    drop(gone);
    let words = ["the provider 127.0.0.1", "cannot be reached", "refused"];
    cannot_be_added(&stage, &issuer, Reason::AuthorityUnavailable, &words).await;
}

/// A day later the metadata are fetched again, and are another's now.
#[tokio::test]
async fn a_provider_that_changes_its_name() {
    let server = Server { access_token_lifetime: Duration::from_secs(7 * 86_400), ..Server::default() };
    let mut stage = Stage::with(server, Options::default()).await;
    stage.server.change(|options| drop(options.metadata.insert("issuer".into(), json!("https://evil.example"))));
    stage.clock.advance(Duration::from_secs(25 * 3600));
    let words = ["publishes the issuer", "https://evil.example", "is configured"];
    says(&stage.failed_refresh().await, Reason::AuthorityRefused, &words);
    assert_eq!(stage.server.requests("token:refresh_token"), 0, "the refresh token was not sent there");
    stage.still_serves().await;
    stage.server.change(|options| options.metadata.clear());
    stage.still_refreshes().await;
}
