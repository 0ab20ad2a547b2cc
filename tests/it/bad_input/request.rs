//! Requests that name what is not there or break a rule: refused with the field, before anything is done.

use token_broker_client::Reason;
use token_broker_proto::wire::v1;
use token_broker_tests::{
    daemon::sign_in_by_browser,
    machine::raw_client::{RawClient, failure},
    user::User,
    within,
};

use super::{Stage, of, refused, says};

type Wire = v1::GetTokenRequest;

/// What is refused: the request, the reason, the field, words of the message.
type Case = (Wire, Reason, Option<&'static str>, &'static str);

fn mail() -> Wire {
    Wire { application: "mail".into(), account: "ada".into(), ..Wire::default() }
}

fn unknown() -> Vec<Case> {
    vec![
        (
            Wire { application: "nobody".into(), ..Wire::default() },
            Reason::ApplicationNotFound,
            None,
            "no application nobody is registered",
        ),
        (
            Wire { client_id: "nobody".into(), authority: "https://id.example.com".into(), ..Wire::default() },
            Reason::ApplicationNotFound,
            None,
            "no application nobody at https://id.example.com is registered",
        ),
        (
            Wire { account: "eve".into(), ..mail() },
            Reason::AccountNotFound,
            None,
            "the account eve is not signed in to mail",
        ),
    ]
}

fn invalid() -> Vec<Case> {
    let scopes = |scope: &str| Wire { scopes: vec![scope.into()], ..mail() };
    let claims = |claims: &str| Wire { claims: claims.into(), ..mail() };
    let many = (0..300).map(|number| format!("scope{number}")).collect();
    let cases = [
        (scopes("api:\"read\""), "scopes", "RFC 6749, section 3.3 does not allow in a scope"),
        (scopes("caf\u{e9}"), "scopes", "does not allow in a scope"),
        (scopes("a\nb"), "scopes", "does not allow in a scope"),
        (scopes(&"x".repeat(2000)), "scopes", "at most 1024 bytes long"),
        (Wire { scopes: many, ..mail() }, "scopes", "at most 256 scopes"),
        (claims("[1]"), "claims", "object"),
        (claims("{\"access_token\":"), "claims", "object"),
        (claims("give me everything"), "claims", "object"),
        (Wire { min_validity_seconds: -1, ..mail() }, "min_validity_seconds", "negative"),
        (Wire { min_validity_seconds: i64::MIN, ..mail() }, "min_validity_seconds", "negative"),
        (Wire { scheme: 99, ..mail() }, "scheme", "not a token scheme of this version"),
        (Wire { scheme: -1, ..mail() }, "scheme", "not a token scheme of this version"),
        (Wire::default(), "application", "give the name of an application, or client_id and authority"),
        (Wire { client_id: "native-app".into(), ..mail() }, "client_id", "must be empty when application is given"),
        (Wire { application: "../../etc/passwd".into(), ..Wire::default() }, "application", ""),
        (Wire { client_id: "native-app".into(), authority: "no-url".into(), ..Wire::default() }, "authority", "URL"),
        (Wire { app_only: true, ..mail() }, "account", "must be empty for a token without a signed-in account"),
        (Wire { correlation_id: "7".into(), ..mail() }, "correlation_id", "UUID"),
    ];
    cases.into_iter().map(|(wire, field, words)| (wire, Reason::InvalidRequest, Some(field), words)).collect()
}

#[tokio::test]
async fn what_is_unknown_or_breaks_a_rule() {
    let mut stage = Stage::set().await;
    let raw = RawClient::connect(&stage.daemon.socket()).await;
    for (wire, reason, field, words) in unknown().into_iter().chain(invalid()) {
        let status = within(raw.broker().get_token(wire)).await.expect_err("it is refused");
        let failure = failure(&status);
        says(&failure, reason, &[words]);
        assert_eq!(failure.field.as_deref(), field, "{failure:?}");
        if let Some(field) = field {
            assert!(failure.message.starts_with(field), "{failure:?}");
        }
        if reason == Reason::ApplicationNotFound {
            assert_eq!(failure.advice.as_deref(), Some("broker-cli app list"));
        }
        assert!(failure.correlation_id.is_some(), "{failure:?}");
    }
    assert_eq!(stage.server.requests("token:refresh_token"), 0, "nobody was asked");
    stage.still_serves().await;
    stage.still_refreshes().await;
}

#[tokio::test]
async fn a_sign_in_that_breaks_a_rule() {
    let stage = Stage::set().await;
    let raw = RawClient::connect(&stage.daemon.socket()).await;
    let mail = || v1::SignInRequest { application: "mail".into(), ..v1::SignInRequest::default() };
    let cases = [
        (v1::SignInRequest { method: 99, ..mail() }, "method", "not a sign-in method of this version"),
        (v1::SignInRequest { timeout_seconds: -1, ..mail() }, "timeout_seconds", "negative"),
        (v1::SignInRequest { claims: "[]".into(), ..mail() }, "claims", "object"),
        (v1::SignInRequest { scopes: vec!["\u{1}".into()], ..mail() }, "scopes", "does not allow in a scope"),
        (v1::SignInRequest::default(), "application", ""),
    ];
    for (wire, field, words) in cases {
        let status = within(raw.broker().sign_in(wire)).await.expect_err("it is refused");
        let failure = failure(&status);
        says(&failure, Reason::InvalidRequest, &[field, words]);
        assert_eq!(failure.field.as_deref(), Some(field));
    }
    let status = within(raw.broker().watch_token(v1::WatchTokenRequest::default())).await.expect_err("it is refused");
    says(&failure(&status), Reason::InvalidRequest, &["token: says which token to follow"]);
    stage.still_serves().await;
}

#[tokio::test]
async fn several_accounts_and_none_named() {
    let stage = Stage::set().await;
    let client = stage.daemon.client();
    sign_in_by_browser(&client, "mail", &User::named("grace")).await.expect("signed in");
    let raw = RawClient::connect(&stage.daemon.socket()).await;
    let wire = Wire { application: "mail".into(), ..Wire::default() };
    let failure = failure(&within(raw.broker().get_token(wire)).await.expect_err("two fit"));
    says(&failure, Reason::AccountAmbiguous, &["several accounts are signed in: name one"]);
    let mut names: Vec<_> = failure.candidates.iter().map(|account| account.username.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["ada", "grace"]);
    stage.still_serves().await;
}

#[tokio::test]
async fn nobody_is_signed_in() {
    let stage = Stage::set().await;
    let client = stage.daemon.client();
    let notes =
        token_broker_tests::daemon::application("notes", stage.server.issuer(), ("service-app", None), "openid");
    client.add_application(&notes).await.expect("registered");
    let request = token_broker_client::calls::TokenRequest::new(token_broker_tests::daemon::name("notes"));
    let failure = refused(client.token(&request).await);
    says(&failure, Reason::InteractionRequired, &["nobody is signed in; run: broker-cli login notes"]);
    let scopes = token_broker_tests::daemon::scopes("mail:read");
    let failure =
        refused(client.token(&token_broker_client::calls::TokenRequest { scopes: Some(scopes), ..of("ada") }).await);
    says(
        &failure,
        Reason::InteractionRequired,
        &["no grant for these scopes", "broker-cli login mail --scope 'api:read mail:read'"],
    );
    stage.still_serves().await;
}
