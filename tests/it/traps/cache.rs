//! What the cache may answer, and for whom: scopes, tenants, names of one cloud, claims, removal.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use token_broker_client::{
    Reason,
    calls::{Extras, SignInRequest, SignOutRequest, Subject, TokenRequest},
};
use token_broker_tests::{daemon::name, within};
use tokio::sync::Notify;

use super::{
    microsoft::{CONTOSO, Plan},
    stage::{Stage, application, claims, confidential, failure, is_cached},
};

/// Requested within granted, whatever the granted list looks like, and to the letter.
#[tokio::test]
async fn trap_01_scope_subsets() {
    let stage = Stage::empty().await;
    stage.add(application("work", "https://login.microsoftonline.com/common", "client-1")).await;
    let granted = "Mail.Read User.Read https://graph.example/Files.Read profile openid email";
    stage.microsoft.plan(Plan::With(json!({ "scope": granted })));
    stage.sign_in("work").await.expect("signed in");
    for wanted in ["User.Read", "Mail.Read", "User.Read Mail.Read", "https://graph.example/Files.Read openid"] {
        assert!(is_cached(&stage.token("work", wanted).await.expect("a hit")), "{wanted}");
    }
    assert!(!is_cached(&stage.token("work", "user.read").await.expect("another scope")));
    let asked = stage.microsoft.asked("refresh_token");
    assert_eq!(asked[0].form["scope"], "offline_access openid profile user.read", "decorated and sorted");
    // What the provider calls otherwise is what was asked for all the same.
    stage.microsoft.plan(Plan::With(json!({ "scope": "https://graph.example/Files.Read.All profile openid" })));
    stage.token("work", "https://graph.example/.default").await.expect("the token that was issued for it");
}

/// The tenant is the one of the discovered token endpoint; a grant is of none, an access token of one.
#[tokio::test]
async fn trap_02_realm_is_the_discovered_tenant() {
    let stage = Stage::signed_in().await;
    let of = |tenant: &str| TokenRequest { tenant: Some(tenant.to_owned()), ..TokenRequest::new(name("work")) };
    assert!(is_cached(&stage.ask(of(CONTOSO)).await.expect("the domain and its GUID are one")));
    let other = "00000000-0000-0000-0000-0000000000aa";
    let first = stage.ask(of(other)).await.expect("the grant serves another tenant");
    let again = stage.ask(of(other)).await.expect("a hit");
    assert!(!is_cached(&first) && is_cached(&again));
    assert_eq!(first.access_token.expose(), again.access_token.expose());
    assert!(is_cached(&stage.token("work", "User.Read").await.expect("the own tenant's is still there")));
    let asked = stage.microsoft.asked("refresh_token");
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].path, format!("/{other}/oauth2/v2.0/token"));
    let bad = failure(stage.ask(of("a/../b")).await);
    assert_eq!((bad.reason, bad.field.as_deref()), (Reason::InvalidRequest, Some("tenant")));
}

/// What is renewed ahead of time is renewed where it was got.
#[tokio::test]
async fn trap_02_a_token_of_another_tenant_is_renewed_there() {
    let stage = Stage::signed_in().await;
    let other = "00000000-0000-0000-0000-0000000000aa";
    let of_other = || TokenRequest { tenant: Some(other.to_owned()), ..TokenRequest::new(name("work")) };
    stage.microsoft.plan(Plan::With(json!({ "refresh_in": 60 })));
    let first = stage.ask(of_other()).await.expect("the grant serves another tenant");
    stage.clock.advance(Duration::from_secs(120));
    let aging = stage.ask(of_other()).await.expect("nobody waits");
    assert_eq!(aging.access_token.expose(), first.access_token.expose());
    // Renewals of one time are spread over three minutes; and the task may just have looked at the clock and be about to sleep: then
    // it looks again within a minute.
    within(stage.clock.timers_set(2)).await;
    stage.clock.advance(Duration::from_secs(240));
    within(stage.microsoft.refreshes(2)).await;
    let paths: Vec<_> = stage.microsoft.asked("refresh_token").into_iter().map(|seen| seen.path).collect();
    assert_eq!(paths, [format!("/{other}/oauth2/v2.0/token"), format!("/{other}/oauth2/v2.0/token")]);
}

/// Every name of a cloud is one place: for a lookup and for a removal.
#[tokio::test]
async fn trap_03_names_of_one_cloud() {
    let stage = Stage::empty().await;
    stage.add(application("new", "https://login.microsoftonline.com/common", "client-1")).await;
    stage.add(application("old", "https://login.windows.net/common", "client-1")).await;
    let account = stage.sign_in("old").await.expect("signed in");
    assert_eq!(account.environment, "login.microsoftonline.com");
    assert!(is_cached(&stage.token("new", "User.Read").await.expect("a hit under the other name")));
    let request = SignOutRequest { application: name("new"), account: None, revoke: false, correlation_id: None };
    stage.client.sign_out(&request).await.expect("signed out");
    assert!(stage.client.accounts(None).await.expect("a list").is_empty());
    assert_eq!(failure(stage.token("old", "User.Read").await).reason, Reason::InteractionRequired);
    let counts = stage.client.status().await.expect("status").counts;
    assert_eq!((counts.access_tokens, counts.refresh_tokens), (0, 0));
}

/// A claims challenge goes past the cache, and what it brings takes the place of what was there. Capabilities are in every
/// request, the start of a device sign-in included, beside what was asked for and not instead of it.
#[tokio::test]
async fn trap_07_claims_and_capabilities() {
    let stage = Stage::empty().await;
    let new = application("work", "https://login.microsoftonline.com/common", "client-1");
    stage.add(token_broker_client::calls::NewApplication { client_capabilities: vec!["cp1".into()], ..new }).await;
    let asked = r#"{"id_token":{"auth_time":{"essential":true}}}"#;
    let sign_in = SignInRequest { claims: claims(asked), ..SignInRequest::new(name("work")) };
    stage.sign_in_with(sign_in).await.expect("signed in");
    let merged = r#"{"access_token":{"xms_cc":{"values":["cp1"]}},"id_token":{"auth_time":{"essential":true}}}"#;
    assert_eq!(stage.microsoft.visited("devicecode")[0].form["claims"], merged);
    assert_eq!(stage.microsoft.asked("device_code")[0].form["claims"], merged);

    let before = stage.token("work", "User.Read").await.expect("a hit");
    let challenge = r#"{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}"#;
    let challenged = TokenRequest { claims: claims(challenge), ..TokenRequest::new(name("work")) };
    let fresh = stage.ask(challenged).await.expect("a new token");
    assert!(is_cached(&before) && !is_cached(&fresh));
    let merged = r#"{"access_token":{"nbf":{"essential":true,"value":"1700000000"},"xms_cc":{"values":["cp1"]}}}"#;
    assert_eq!(stage.microsoft.asked("refresh_token")[0].form["claims"], merged);
    let after = stage.token("work", "User.Read").await.expect("a hit");
    assert_eq!(after.access_token.expose(), fresh.access_token.expose(), "the old one is gone");

    stage.expire();
    stage.token("work", "User.Read").await.expect("refreshed");
    assert_eq!(
        stage.microsoft.asked("refresh_token")[1].form["claims"],
        r#"{"access_token":{"xms_cc":{"values":["cp1"]}}}"#
    );
}

/// What goes along with a request keeps its tokens apart from all others, of the user and of the application itself.
#[tokio::test]
async fn trap_10_what_goes_along_keeps_tokens_apart() {
    let stage = Stage::signed_in().await;
    stage.add(confidential(application("job", "https://login.microsoftonline.com/contoso.com", "client-2"))).await;
    let plain = stage.token("work", "User.Read").await.expect("a hit");
    let wish = |text: &str| Extras { client_claims: claims(text), ..Extras::default() };
    let kerberos = Extras { kerberos_service_principal: Some("HTTP/files.example".into()), ..Extras::default() };
    let own = |extras| TokenRequest { subject: Subject::Application, extras, ..TokenRequest::new(name("job")) };
    let fmi = |path: &str| Extras { fmi_path: Some(path.into()), ..Extras::default() };
    let users = |extras| TokenRequest { extras, ..TokenRequest::new(name("work")) };
    let requests = [
        users(Extras::default()),
        users(wish(r#"{"access_token":{"a":{"value":"1"}}}"#)),
        users(wish(r#"{"access_token":{"a":{"value":"2"}}}"#)),
        users(kerberos),
        own(Extras::default()),
        own(fmi("a/b")),
        own(fmi("a/c")),
        own(Extras { client_claims: claims("{}"), ..fmi("a/c") }),
    ];
    let mut tokens = Vec::new();
    for request in &requests {
        tokens.push(stage.ask(request.clone()).await.expect("a token").access_token);
    }
    assert_eq!(tokens[0].expose(), plain.access_token.expose());
    for (number, request) in requests.iter().enumerate() {
        let again = stage.ask(request.clone()).await.expect("a hit");
        assert!(is_cached(&again) && again.access_token.expose() == tokens[number].expose(), "{number}");
        assert!(!tokens.iter().skip(number + 1).any(|other| other.expose() == tokens[number].expose()), "{number}");
    }
    let sent = stage.microsoft.asked("refresh_token");
    assert_eq!(
        sent[2].form["claims"],
        r#"{"id_token":{"xms_as_rep":{"essential":"false","value":"HTTP/files.example"}}}"#
    );
    let sent = stage.microsoft.asked("client_credentials");
    assert_eq!((sent[1].form["fmi_path"].as_str(), sent[3].form["claims"].as_str()), ("a/b", "{}"));
}

/// The ID token that holds a Kerberos ticket stays with its token, also over a refresh, and is not the account's.
#[tokio::test]
async fn trap_10_an_id_token_with_a_ticket_is_not_the_accounts() {
    let stage = Stage::signed_in().await;
    let kerberos = Extras { kerberos_service_principal: Some("HTTP/files.example".into()), ..Extras::default() };
    let plain = TokenRequest::new(name("work"));
    let ticket = TokenRequest { extras: kerberos, ..plain.clone() };
    stage.clock.advance(Duration::from_secs(1));
    let id_token = async |request: &TokenRequest| {
        let request = TokenRequest { include_id_token: true, ..request.clone() };
        stage.ask(request).await.expect("a token").id_token.expect("an ID token").expose().to_owned()
    };
    let (usual, with_ticket) = (id_token(&plain).await, id_token(&ticket).await);
    assert_ne!(usual, with_ticket);
    stage.expire();
    let renewed = id_token(&ticket).await;
    assert!(renewed != with_ticket && id_token(&ticket).await == renewed);
}

/// A refresh that lands after a sign-out brings nothing back.
#[tokio::test]
async fn trap_08_a_refresh_does_not_undo_a_sign_out() {
    let stage = Stage::signed_in().await;
    stage.expire();
    let gate = Arc::new(Notify::new());
    stage.microsoft.plan(Plan::Hold(Arc::clone(&gate)));
    let client = stage.client.clone();
    let waiting = tokio::spawn(async move { client.token(&TokenRequest::new(name("work"))).await });
    within(stage.microsoft.refreshes(1)).await;
    let request = SignOutRequest { application: name("work"), account: None, revoke: false, correlation_id: None };
    stage.client.sign_out(&request).await.expect("signed out");
    gate.notify_one();
    assert_eq!(failure(within(waiting).await.expect("no panic")).reason, Reason::InteractionRequired);
    let counts = stage.client.status().await.expect("status").counts;
    assert_eq!((counts.accounts, counts.access_tokens, counts.refresh_tokens), (0, 0, 0));
}

/// Times may be texts, `expires_in` may be missing: then a token lives ten minutes.
#[tokio::test]
async fn trap_13_times_as_texts() {
    let stage = Stage::empty().await;
    stage.add(application("work", "https://login.microsoftonline.com/common", "client-1")).await;
    let now = || token_broker::ports::Clock::now(&stage.clock).seconds();
    stage.microsoft.plan(Plan::With(json!({ "expires_in": "4000", "refresh_in": "2000" })));
    stage.sign_in("work").await.expect("signed in");
    let token = stage.token("work", "User.Read").await.expect("a hit");
    assert_eq!(token.expires_on.seconds() - now(), 4000);
    assert_eq!(token.refresh_on.map(|on| on.seconds() - now()), Some(2000));
    stage.expire();
    stage.microsoft.plan(Plan::With(json!({ "expires_in": null, "ext_expires_in": null })));
    let token = stage.token("work", "User.Read").await.expect("refreshed");
    assert_eq!(token.expires_on.since(token_broker::ports::Clock::now(&stage.clock)), Duration::from_secs(600));
}
