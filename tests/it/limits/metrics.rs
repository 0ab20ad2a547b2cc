//! The metrics say what happened, and nothing of whom it happened to.

use token_broker::access::Limits;
use token_broker_client::calls::TokenRequest;
use token_broker_tests::{
    authorization_server::{Endpoint, Fault},
    daemon::{name, refresh},
    process::{DaemonProcess, Home},
    within,
};

use super::{Stage, is_served, metric};

#[tokio::test]
async fn what_happened_is_counted() {
    let stage = Stage::set(Limits::default()).await;
    let client = stage.daemon.client();
    for _ in 0..3 {
        is_served(&client).await;
    }
    refresh(&client, "mail").await.expect("a new token");
    stage.server.fail_next(Endpoint::Token, Fault::oauth_error(503, "temporarily_unavailable"));
    refresh(&client, "mail").await.expect_err("the provider is down");
    client.token(&TokenRequest::new(name("nothing"))).await.expect_err("no such application");
    for (series, value) in [
        ("token_broker_tokens_total{source=\"cache\"}", 3.0),
        ("token_broker_tokens_total{source=\"identity_provider\"}", 1.0),
        ("token_broker_token_duration_seconds_count{source=\"cache\"}", 3.0),
        ("token_broker_refreshes_total{outcome=\"saved\"}", 1.0),
        ("token_broker_refreshes_total{outcome=\"failed\"}", 1.0),
        ("token_broker_failures_total{reason=\"AUTHORITY_UNAVAILABLE\"}", 1.0),
        ("token_broker_failures_total{reason=\"APPLICATION_NOT_FOUND\"}", 1.0),
        ("token_broker_calls_total{rpc=\"GetToken\",code=\"OK\"}", 4.0),
        ("token_broker_calls_total{rpc=\"GetToken\",code=\"NOT_FOUND\"}", 1.0),
        ("token_broker_calls_total{rpc=\"SignIn\",code=\"OK\"}", 1.0),
        ("token_broker_waiting_calls", 0.0),
        ("token_broker_provider_exchanges", 0.0),
        ("token_broker_store_rows{kind=\"account\"}", 1.0),
        ("token_broker_limit{limit=\"connections\"}", 4096.0),
        ("token_broker_limit_hits_total{limit=\"connections\"}", 0.0),
    ] {
        let found = metric(&client, series).await;
        assert!((found - value).abs() < 0.5, "{series} {found}, not {value}");
    }
    assert!(metric(&client, "token_broker_store_commit_duration_seconds_count").await >= 3.0);
}

#[tokio::test]
async fn the_command_line_prints_the_same_text_in_both_forms() {
    let home = Home::new();
    let _daemon = DaemonProcess::start(&home).await;
    let people = home.cli(["metrics"]).run().await;
    assert!(people.code == 0 && people.stdout.ends_with("\n# EOF\n"), "{people:?}");
    let json = home.cli(["metrics", "--json"]).run().await;
    let form: serde_json::Value = serde_json::from_str(&json.stdout).expect("a JSON object");
    let text = form["metrics"].as_str().expect("the text");
    let series =
        |text: &str| text.lines().filter(|line| line.starts_with("# TYPE")).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!((json.code, series(text)), (0, series(&people.stdout)));
}

#[tokio::test]
async fn nobody_is_named() {
    let stage = Stage::set(Limits::default()).await;
    let client = stage.daemon.client();
    is_served(&client).await;
    refresh(&client, "mail").await.expect("a new token");
    let text = within(client.metrics()).await.expect("the metrics");
    let (_, host) = stage.server.issuer().split_once("://").expect("a URL");
    for word in ["mail", "ada", "native-app", "api:read", "openid", host] {
        assert!(!text.contains(word), "{word} is in\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
}
