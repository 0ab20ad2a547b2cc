//! What is sent to the provider and when: the sign-in's words, telemetry, refusals that are remembered, outages.

use std::time::Duration;

use serde_json::{Value, json};
use token_broker_client::{
    Reason,
    calls::{SignInEvent, SignInRequest, Subject, TokenRequest},
    oauth::Authority,
};
use token_broker_tests::{daemon::name, http, within};
use url::Url;

use super::{
    microsoft::{CONTOSO, Plan, USER},
    stage::{Stage, application, confidential, failure, is_cached},
};

const COMMON: &str = "https://login.microsoftonline.com/common";

/// A token that still lives is served on whatever failure of its renewal; the margin holds however far off `refresh_on` is.
#[tokio::test]
async fn trap_06_any_failure_serves_the_valid_token() {
    let outages = [
        Plan::Refuse(503, json!({ "error": "temporarily_unavailable" })),
        Plan::Refuse(401, json!({ "error": "invalid_client" })),
        Plan::Refuse(500, Value::Null),
        Plan::Vanish,
        Plan::Refuse(400, json!({ "error": "invalid_grant" })),
    ];
    for outage in outages {
        let stage = Stage::empty().await;
        stage.add(application("work", COMMON, "client-1")).await;
        stage.microsoft.plan(Plan::With(json!({ "refresh_in": 3550 })));
        stage.sign_in("work").await.expect("signed in");
        stage.microsoft.plan(outage);
        stage.clock.advance(Duration::from_secs(3301));
        assert!(is_cached(&stage.token("work", "User.Read").await.expect("the token that still lives")));
        assert_eq!(stage.microsoft.asked("refresh_token").len(), 1, "299 s are too few");
    }
}

/// State before anything else, the nonce as its hash, the error leg cut to what the standard has, a form on the loopback.
#[tokio::test]
async fn trap_11_nonce_state_and_form_post() {
    let stage = Stage::empty().await;
    stage.add(application("work", COMMON, "client-1")).await;
    let request = SignInRequest {
        login_hint: Some("ada@contoso.com".into()),
        prompt: Some("select_account".into()),
        domain_hint: Some("contoso.com".into()),
        max_age: Some(Duration::from_secs(900)),
        ..SignInRequest::new(name("work"))
    };
    let mut events = stage.client.sign_in(&request).await.expect("begun");
    let Ok(Some(SignInEvent::OpenUrl(url))) = within(events.next()).await else { panic!("the URL comes first") };
    let url = Url::parse(url.expose()).expect("a URL");
    let query: std::collections::BTreeMap<String, String> = url.query_pairs().into_owned().collect();
    let is = |name: &str, value: &str| assert_eq!(query.get(name).map(String::as_str), Some(value), "{name}");
    is("response_mode", "form_post");
    is("client_info", "1");
    is("X-AnchorMailbox", "UPN:ada@contoso.com");
    is("prompt", "select_account");
    is("domain_hint", "contoso.com");
    is("max_age", "900");
    is("scope", "User.Read offline_access openid profile");
    let redirect_uri = query["redirect_uri"].clone();
    assert!(redirect_uri.starts_with("http://localhost:") && !redirect_uri.ends_with('/'), "{redirect_uri}");
    let nonce = &query["nonce"];
    assert!(nonce.len() == 64 && nonce.bytes().all(|byte| byte.is_ascii_hexdigit()), "{nonce}");

    let client_info = token_broker_tests::jose::encode(&json!({ "uid": USER, "utid": CONTOSO }).to_string());
    let forged = http::post(&redirect_uri, &[("code", "stolen"), ("state", "another")]).await;
    assert_eq!(forged.status, 400);
    stage.microsoft.plan(Plan::With(json!({ "id_token": stage.microsoft.id_token(nonce) })));
    let params = [("code", "code-1"), ("state", query["state"].as_str()), ("client_info", client_info.as_str())];
    let (page, done) = tokio::join!(http::post(&redirect_uri, &params), events.next());
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(matches!(done, Ok(Some(SignInEvent::SignedIn(_)))), "{done:?}");
    let redeemed = &stage.microsoft.asked("authorization_code")[0];
    assert_eq!((redeemed.form["code"].as_str(), redeemed.form["redirect_uri"].as_str()), ("code-1", &*redirect_uri));
    assert_eq!(redeemed.form["scope"], "User.Read offline_access openid profile");
    assert_eq!(redeemed.headers["x-anchormailbox"], format!("Oid:{USER}@{CONTOSO}"));
}

/// With `prompt=none` the provider asks for the user in the redirect; a user who signed in longer ago than asked for is refused.
#[tokio::test]
async fn a_sign_in_without_its_user() {
    let stage = Stage::empty().await;
    stage.add(application("work", COMMON, "client-1")).await;
    for max_age in [None, Some(Duration::from_secs(60))] {
        let prompt = Some("none".to_owned());
        let request = SignInRequest { prompt, max_age, ..SignInRequest::new(name("work")) };
        let mut events = stage.client.sign_in(&request).await.expect("begun");
        let Ok(Some(SignInEvent::OpenUrl(url))) = within(events.next()).await else { panic!("the URL comes first") };
        let query: std::collections::BTreeMap<String, String> =
            Url::parse(url.expose()).expect("a URL").query_pairs().into_owned().collect();
        assert_eq!(query["prompt"], "none");
        if max_age.is_some() {
            stage.microsoft.plan(Plan::With(json!({ "id_token": stage.microsoft.id_token(&query["nonce"]) })));
        }
        let answer = if max_age.is_none() { ("error", "login_required") } else { ("code", "code-1") };
        let fields = [answer, ("state", query["state"].as_str())];
        let (_, done) = tokio::join!(http::post(&query["redirect_uri"], &fields), events.next());
        let failed = failure(done);
        match max_age {
            None => assert_eq!(failed.reason, Reason::InteractionRequired),
            Some(_) => assert!(failed.message.contains("at most 60 s were allowed"), "{}", failed.message),
        }
        assert!(stage.client.accounts(None).await.expect("a list").is_empty());
    }
}

/// The wrong nonce stores nothing; an error that claims to bring tokens brings its words only.
#[tokio::test]
async fn trap_11_a_foreign_answer_stores_nothing() {
    let stage = Stage::empty().await;
    stage.add(application("work", COMMON, "client-1")).await;
    for with_code in [true, false] {
        let mut events = stage.client.sign_in(&SignInRequest::new(name("work"))).await.expect("begun");
        let Ok(Some(SignInEvent::OpenUrl(url))) = within(events.next()).await else { panic!("the URL comes first") };
        let query: std::collections::BTreeMap<String, String> =
            Url::parse(url.expose()).expect("a URL").query_pairs().into_owned().collect();
        let (uri, own) = (&query["redirect_uri"], query["state"].as_str());
        let failed = if with_code {
            stage.microsoft.plan(Plan::With(json!({ "id_token": stage.microsoft.id_token("another") })));
            let fields = [("code", "c"), ("state", own)];
            let (_, done) = tokio::join!(http::post(uri, &fields), events.next());
            failure(done)
        } else {
            let fields = [("error", "server_error"), ("access_token", "planted"), ("claims", "{}"), ("state", own)];
            let (_, done) = tokio::join!(http::post(uri, &fields), events.next());
            let failed = failure(done);
            assert_eq!(failed.provider.as_ref().and_then(|provider| provider.claims.as_ref()), None);
            failed
        };
        assert_eq!(failed.reason, Reason::AuthorityRefused);
    }
    let counts = stage.client.status().await.expect("status").counts;
    assert_eq!((counts.accounts, counts.access_tokens, counts.refresh_tokens), (0, 0, 0));
}

/// A request that was just refused is not sent again for a minute, each for itself; a busy provider is left alone as long as it
/// says; polls of a device code are not counted.
#[tokio::test]
async fn trap_12_refusals_are_remembered() {
    let stage = Stage::empty().await;
    stage.add(confidential(application("service", COMMON, "client-9"))).await;
    let app_only = |wanted: &str| TokenRequest {
        subject: Subject::Application,
        scopes: Some(token_broker_tests::daemon::scopes(wanted)),
        ..TokenRequest::new(name("service"))
    };
    let sent = || stage.microsoft.asked("client_credentials").len();
    let wrong = json!({ "error": "invalid_scope", "error_codes": [70_011] });
    stage.microsoft.plan(Plan::Refuse(400, wrong));
    for _ in 0..3 {
        let failed = failure(stage.ask(app_only("wrong/.default")).await);
        assert_eq!(failed.provider.map(|provider| provider.error).as_deref(), Some("invalid_scope"));
    }
    assert_eq!(sent(), 1);
    stage.ask(app_only("right/.default")).await.expect("another request is not held up");
    stage.clock.advance(Duration::from_secs(60));
    stage.ask(app_only("wrong/.default")).await.expect("the minute is over");
    assert_eq!(sent(), 3);

    stage.microsoft.plan(Plan::Refuse(503, json!({})));
    assert_eq!(failure(stage.ask(app_only("busy/.default")).await).reason, Reason::AuthorityUnavailable);
    assert_eq!(failure(stage.ask(app_only("busy/.default")).await).reason, Reason::AuthorityUnavailable);
    assert_eq!(sent(), 4);
    stage.clock.advance(Duration::from_secs(5));
    stage.ask(app_only("busy/.default")).await.expect("five seconds are over");
}

/// The device code goes by both its names, and `slow_down` slows down for good.
#[tokio::test]
async fn trap_15_device_code() {
    let stage = Stage::empty().await;
    stage.add(application("work", COMMON, "client-1")).await;
    for error in ["authorization_pending", "slow_down", "authorization_pending"] {
        stage.microsoft.plan(Plan::Refuse(400, json!({ "error": error })));
    }
    let request = SignInRequest {
        method: token_broker_client::calls::SignInMethod::DeviceCode,
        ..SignInRequest::new(name("work"))
    };
    let mut events = stage.client.sign_in(&request).await.expect("begun");
    let Ok(Some(SignInEvent::UserCode(_))) = within(events.next()).await else { panic!("the code comes first") };
    let mut waits = Vec::new();
    for _ in 0..4 {
        waits.push(stage.poll().await.as_secs());
    }
    assert!(matches!(within(events.next()).await, Ok(Some(SignInEvent::SignedIn(_)))));
    assert_eq!(waits, [5, 5, 10, 10]);
    for poll in stage.microsoft.asked("device_code") {
        assert_eq!((poll.form["device_code"].as_str(), poll.form["code"].as_str()), ("device-code", "device-code"));
        assert_eq!(poll.form["client_info"], "1");
    }
}

/// Requests say who asks, what for and how it went before.
#[tokio::test]
async fn token_requests_tell_who_we_are() {
    let stage = Stage::signed_in().await;
    stage.token("work", "User.Read").await.expect("a hit");
    stage.microsoft.plan(Plan::Refuse(400, json!({ "error": "invalid_grant" })));
    failure(stage.token("work", "Files.Read").await);
    let forced = TokenRequest { force_refresh: true, ..TokenRequest::new(name("work")) };
    stage.ask(forced).await.expect("refreshed");
    let asked = stage.microsoft.asked("refresh_token");
    let header = |seen: &super::microsoft::Seen, name: &str| seen.headers.get(name).cloned().unwrap_or_default();
    assert_eq!(header(&asked[0], "x-client-sku"), "token-broker");
    assert_eq!(header(&asked[0], "x-ms-lib-capability"), "retry-after, h429");
    assert_eq!(header(&asked[0], "x-anchormailbox"), format!("Oid:{USER}@{CONTOSO}"));
    assert_eq!(header(&asked[0], "x-client-current-telemetry"), "4|84,2|");
    assert_eq!(header(&asked[0], "x-client-last-telemetry"), "4|1|||");
    assert_eq!(header(&asked[1], "x-client-current-telemetry"), "4|84,1|");
    let failed = format!("4|1|84,{}|invalid_grant|", header(&asked[0], "client-request-id"));
    assert_eq!(header(&asked[1], "x-client-last-telemetry"), failed);
}

/// A tenant that is not there, and a host that Microsoft does not know, are named before anything is stored.
#[tokio::test]
async fn a_wrong_authority_is_named() {
    let stage = Stage::empty().await;
    let nowhere = application("work", "https://login.microsoftonline.com/nowhere.example", "client-1");
    let failed = failure(stage.client.add_application(&nowhere).await);
    assert_eq!(failed.reason, Reason::AuthorityRefused);
    assert!(failed.message.contains("no tenant \"nowhere.example\""), "{}", failed.message);
    let mut unknown = application("work", "https://login.new.example/common", "client-1");
    let failed = failure(stage.client.add_application(&unknown).await);
    assert!(failed.message.contains("invalid_instance") && failed.message.contains("login.new.example"), "{failed:?}");
    assert!(stage.client.applications().await.expect("a list").is_empty());
    unknown.authority = Authority::without_instance_discovery(unknown.authority).expect("it has one");
    stage.microsoft.visited("instance");
    let (added, _) = stage.client.add_application(&unknown).await.expect("the owner vouches for it");
    assert!(added.no_instance_discovery);
    assert!(stage.microsoft.visited("instance").iter().all(|seen| seen.host == "login.microsoftonline.com"));
}
