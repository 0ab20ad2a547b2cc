//! What a browser, or somebody else, brings to a web application and is not the answer: a clear reason each, nothing stored,
//! and the pending sign-in survives whatever does not know its state.

use std::time::Duration;

use serde_json::json;
use token_broker_client::{
    Reason,
    calls::{BeginAuthorizationRequest, CompleteAuthorizationRequest, SignInRequest},
};
use token_broker_tests::{daemon::name, user::User, within};
use url::form_urlencoded;

use super::{REDIRECT, Stage, plain, query, refused, site};

/// The parameters with one changed, or added if it was not there.
fn with(parameters: &str, name: &str, value: &str) -> String {
    let kept = form_urlencoded::parse(parameters.as_bytes()).filter(|(known, _)| known != name);
    form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).append_pair(name, value).finish()
}

/// Nothing was stored: no account, no token.
async fn nobody_is_there(stage: &Stage) {
    let counts = stage.daemon.client().status().await.expect("status").counts;
    assert_eq!((counts.accounts, counts.access_tokens, counts.refresh_tokens), (0, 0, 0));
}

#[tokio::test]
async fn what_does_not_know_the_state_changes_nothing() {
    let stage = Stage::set().await;
    let parameters = stage.at_the_redirect("ada", &plain()).await;
    let one_state = "must carry one state";
    let cases = [
        ("another state", with(&parameters, "state", "forged"), "no pending sign-in"),
        ("a part of the state", with(&parameters, "state", "f"), "no pending sign-in"),
        ("no state", "code=forged".to_owned(), one_state),
        ("two states", format!("{parameters}&state=forged"), one_state),
        ("an error of nobody", "error=access_denied".to_owned(), one_state),
        ("too much", format!("{parameters}&x={}", "y".repeat(20_000)), one_state),
        ("no parameters", "no parameters".to_owned(), one_state),
    ];
    for (case, forged, words) in cases {
        let failure = refused(stage.complete(&forged).await);
        assert_eq!((failure.reason, failure.field.as_deref()), (Reason::InvalidRequest, Some("parameters")), "{case}");
        assert!(failure.message.contains(words), "{case}: {}", failure.message);
    }
    stage.daemon.client().add_application(&site(&stage.server, "other")).await.expect("registered");
    let request = CompleteAuthorizationRequest::new(name("other"), parameters.clone());
    let failure = refused(stage.daemon.client().complete_authorization(&request).await);
    assert_eq!(failure.field.as_deref(), Some("application"), "{failure:?}");
    assert_eq!(stage.server.requests("token"), 0, "the provider was not asked");
    nobody_is_there(&stage).await;
    stage.complete(&format!("?{parameters}")).await.expect("the right one still completes");
}

#[tokio::test]
async fn an_answer_is_used_once() {
    let stage = Stage::set().await;
    let parameters = stage.at_the_redirect("ada", &plain()).await;
    let (one, other) = tokio::join!(stage.complete(&parameters), stage.complete(&parameters));
    let failure = refused(if one.is_ok() { other } else { one });
    assert_eq!(failure.reason, Reason::InvalidRequest);
    assert!(failure.message.contains("were used already"), "{}", failure.message);
    assert_eq!(stage.server.requests("token:authorization_code"), 1);
}

/// Its name, how the right answer is bent, the reason, and words of the message.
type Bent = (&'static str, fn(&str) -> String, Reason, &'static str);

#[tokio::test]
async fn a_refusal_with_the_right_state_ends_it_with_its_reason() {
    let stage = Stage::set().await;
    let cases: [Bent; 6] = [
        ("declined", |query| with(&error(query), "error", "access_denied"), Reason::Declined, "declined"),
        ("refused", |query| with(&error(query), "error", "server_error"), Reason::AuthorityRefused, "server_error"),
        ("code twice", |query| format!("{query}&code=forged"), Reason::AuthorityRefused, "more than once"),
        ("no code", |query| with(query, "code", ""), Reason::AuthorityRefused, "no usable code"),
        ("forged code", |query| with(query, "code", "forged"), Reason::AuthorityRefused, "invalid_grant"),
        (
            "a mix-up",
            |query| with(query, "iss", "https://evil.example"),
            Reason::AuthorityRefused,
            "comes from the issuer \"https://evil.example\"",
        ),
    ];
    for (case, bend, reason, words) in cases {
        let parameters = stage.at_the_redirect("ada", &plain()).await;
        let failure = refused(stage.complete(&bend(&parameters)).await);
        assert_eq!(failure.reason, reason, "{case}: {failure:?}");
        assert!(failure.message.contains(words), "{case}: {}", failure.message);
        assert!(refused(stage.complete(&parameters).await).message.contains("used already"), "{case}: it is over");
        nobody_is_there(&stage).await;
    }
}

/// The answer as a refusal, in place of its code.
fn error(query: &str) -> String {
    let kept = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "code");
    form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish()
}

#[tokio::test]
async fn trap_11_a_refusal_keeps_three_fields_and_no_other() {
    let stage = Stage::set().await;
    let parameters = error(&stage.at_the_redirect("ada", &plain()).await);
    let parameters = format!(
        "{parameters}&error=temporarily_broken&error_description=come+back&error_uri=https%3A%2F%2Fid.example%2Fe\
         &access_token=injected-token&id_token=injected-token&claims=%7B%22injected%22%3A1%7D&suberror=injected"
    );
    let failure = refused(stage.complete(&parameters).await);
    let provider = failure.provider.clone().expect("the provider's words");
    assert_eq!((provider.error.as_str(), provider.description.as_deref()), ("temporarily_broken", Some("come back")));
    assert_eq!(provider.error_uri.as_deref(), Some("https://id.example/e"));
    assert!(!format!("{failure:?}").contains("injected"), "{failure:?}");
    nobody_is_there(&stage).await;
}

#[tokio::test]
async fn fields_that_were_added_are_ignored() {
    let stage = Stage::set().await;
    let parameters = stage.at_the_redirect("ada", &plain()).await;
    let extra = "access_token=injected-token&token_type=Bearer&session_state=x&client_info=injected&id_token=injected";
    stage.complete(&format!("{parameters}&{extra}")).await.expect("signed in");
    let token = stage.token("ada", "api:read").await.expect("a token");
    assert!(stage.server.is_active(token.access_token.expose()), "the provider's own");
    assert_eq!(stage.daemon.client().cache_entries(None).await.expect("entries").len(), 3, "its tokens, no other");
}

#[tokio::test]
async fn a_user_who_declines_is_not_signed_in() {
    let stage = Stage::set().await;
    let begun = stage.begin(&plain()).await.expect("begun");
    let redirect = within(User::named("ada").decline_until(begun.url.expose(), REDIRECT)).await;
    let failure = refused(stage.complete(redirect.query().expect("parameters")).await);
    assert_eq!(failure.reason, Reason::Declined);
    assert_eq!(failure.provider.expect("the provider's words").error, "access_denied");
    nobody_is_there(&stage).await;
}

#[tokio::test]
async fn an_id_token_of_another_sign_in_is_refused() {
    let stage = Stage::set().await;
    for (claim, value, words) in [
        ("nonce", json!("other"), "nonce"),
        ("aud", json!("other-app"), "is for"),
        ("iss", json!("https://x.example"), "iss"),
    ] {
        stage.server.change(|options| {
            options.id_token_claims = [(claim.to_owned(), value)].into_iter().collect();
        });
        let parameters = stage.at_the_redirect("ada", &plain()).await;
        let failure = refused(stage.complete(&parameters).await);
        assert_eq!(failure.reason, Reason::AuthorityRefused, "{claim}");
        assert!(failure.message.contains(words), "{claim}: {}", failure.message);
        nobody_is_there(&stage).await;
    }
}

#[tokio::test]
async fn who_comes_too_late_begins_again() {
    let mut stage = Stage::set().await;
    let begun = stage.begin(&plain()).await.expect("begun");
    assert_eq!(begun.expires_on.since(token_broker::ports::Clock::now(&stage.clock)), Duration::from_secs(600));
    let late = stage.at_the_redirect("ada", &plain()).await;
    stage.clock.advance(Duration::from_secs(600));
    assert_eq!(refused(stage.complete(&late).await).reason, Reason::Expired);
    let lost = stage.at_the_redirect("ada", &plain()).await;
    stage.daemon.restart().await;
    let failure = refused(stage.complete(&lost).await);
    assert_eq!(failure.reason, Reason::InvalidRequest);
    assert!(failure.message.contains("the daemon was restarted"), "{}", failure.message);
    assert_eq!(stage.server.requests("token"), 0);
    nobody_is_there(&stage).await;
}

#[tokio::test]
async fn a_flood_of_beginnings_meets_a_named_limit() {
    let stage = Stage::set().await;
    let client = stage.daemon.client();
    for _ in 0..1000 {
        client.begin_authorization(&plain()).await.expect("begun");
    }
    let failure = refused(client.begin_authorization(&plain()).await);
    assert_eq!(failure.reason, Reason::LimitExceeded);
    assert_eq!(failure.limit.as_deref(), Some("pending web sign-ins of site: 1000"));
    stage.clock.advance(Duration::from_secs(600));
    stage.complete(&stage.at_the_redirect("ada", &plain()).await).await.expect("they are over");
}

#[tokio::test]
async fn only_the_registered_redirect_uri_is_asked_for() {
    let stage = Stage::set().await;
    let refuse = async |to: &str| {
        let request = BeginAuthorizationRequest { redirect_uri: to.to_owned(), ..plain() };
        let failure = refused(stage.begin(&request).await);
        assert_eq!((failure.reason, failure.field.as_deref()), (Reason::InvalidRequest, Some("redirect_uri")), "{to}");
        failure.message
    };
    for other in
        ["https://web.example/", "https://web.example/login/authorized/", "https://evil.example/login/authorized"]
    {
        assert!(refuse(other).await.contains(REDIRECT), "{other}");
    }
    for bad in ["http://web.example/login/authorized", "javascript:alert(1)", "", "https://web.example/#x"] {
        assert!(refuse(bad).await.contains("RFC 6749, section 3.1.2"), "{bad}");
    }
    let free = token_broker_client::calls::NewApplication { redirect_uri: None, ..site(&stage.server, "free") };
    stage.daemon.client().add_application(&free).await.expect("registered");
    let request = BeginAuthorizationRequest { application: name("free"), ..plain() };
    let begun = stage.begin(&request).await.expect("the provider alone judges");
    assert_eq!(query(begun.url.expose())["redirect_uri"], REDIRECT);
}

#[tokio::test]
async fn a_web_application_has_no_loopback_sign_in() {
    let stage = Stage::set().await;
    let mut events = stage.daemon.client().sign_in(&SignInRequest::new(name("site"))).await.expect("begun");
    let failure = refused(within(events.next()).await);
    assert_eq!(failure.reason, Reason::Unsupported);
    assert!(failure.message.contains("sign in at its web application"), "{}", failure.message);
}
