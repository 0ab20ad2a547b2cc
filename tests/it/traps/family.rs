//! Grants: those that a family of clients shares, those that a refusal does not end, and their rotation.

use std::time::Duration;

use serde_json::json;
use token_broker_client::{
    Reason,
    calls::{GrantHealth, NewApplication, SignOutRequest, TokenRequest},
};
use token_broker_tests::{daemon::name, within};
use tokio::task::JoinSet;

use super::{
    microsoft::Plan,
    stage::{Stage, application, failure, is_cached},
};

const COMMON: &str = "https://login.microsoftonline.com/common";

fn mismatch() -> Plan {
    Plan::Refuse(400, json!({ "error": "invalid_grant", "error_additional_info": ["client_mismatch"] }))
}

fn sign_out(text: &str) -> SignOutRequest {
    SignOutRequest { application: name(text), account: None, revoke: false, correlation_id: None }
}

async fn with_family() -> Stage {
    let stage = Stage::empty().await;
    stage.add(application("first", COMMON, "client-1")).await;
    stage.add(application("second", COMMON, "client-2")).await;
    stage.microsoft.plan(Plan::With(json!({ "foci": "1" })));
    stage.sign_in("first").await.expect("signed in");
    stage
}

/// A client that was never seen tries the family's grant, and then has an account of its own; the last sign-out takes the grant.
#[tokio::test]
async fn trap_04_family_tokens() {
    let stage = with_family().await;
    stage.microsoft.plan(Plan::With(json!({ "foci": "1" })));
    assert!(!is_cached(&stage.token("second", "User.Read").await.expect("by the family's grant")));
    assert!(is_cached(&stage.token("second", "User.Read").await.expect("a hit")));
    let asked = stage.microsoft.asked("refresh_token");
    assert_eq!(asked[0].form["client_id"], "client-2");
    let first_grant = stage.microsoft.asked("device_code").len();
    assert_eq!(first_grant, 1);
    stage.expire();
    stage.token("first", "User.Read").await.expect("the rotated grant serves the first client, too");
    let asked = stage.microsoft.asked("refresh_token");
    assert_ne!(asked[1].form["refresh_token"], asked[0].form["refresh_token"]);
    stage.client.sign_out(&sign_out("first")).await.expect("signed out");
    assert_eq!(failure(stage.token("first", "User.Read").await).reason, Reason::InteractionRequired);
    stage.expire();
    stage.token("second", "User.Read").await.expect("still signed in");
    stage.client.sign_out(&sign_out("second")).await.expect("signed out");
    assert_eq!(stage.client.status().await.expect("status").counts.refresh_tokens, 0);
}

/// A client that is not of the family: that is remembered, the grant stays, and the user is told to sign in and no more.
#[tokio::test]
async fn trap_04_client_mismatch_stays_inside() {
    let stage = with_family().await;
    stage.microsoft.plan(mismatch());
    let failed = failure(stage.token("second", "User.Read").await);
    assert_eq!((failed.reason, &failed.provider), (Reason::InteractionRequired, &None), "{failed:?}");
    assert_eq!(failed.advice.as_deref(), Some("broker-cli login second"));
    failure(stage.token("second", "User.Read").await);
    assert_eq!(stage.microsoft.asked("refresh_token").len(), 1, "it is not tried again");
    stage.expire();
    stage.token("first", "User.Read").await.expect("the grant is as good as before");
}

/// A client that the provider has taken out of the family: its own grant serves, and the family's stays for the others.
#[tokio::test]
async fn trap_04_a_client_that_left_its_family_uses_its_own_grant() {
    let stage = with_family().await;
    stage.sign_in("second").await.expect("a grant of its own");
    stage.microsoft.plan(Plan::With(json!({ "foci": "1" })));
    stage.sign_in("second").await.expect("the family's");
    stage.expire();
    stage.microsoft.plan(mismatch());
    stage.token("second", "User.Read").await.expect("by its own grant");
    let asked = stage.microsoft.asked("refresh_token");
    assert_eq!(asked.len(), 2);
    assert_ne!(asked[0].form["refresh_token"], asked[1].form["refresh_token"]);
    stage.expire();
    stage.token("second", "User.Read").await.expect("by its own grant");
    assert_eq!(stage.microsoft.asked("refresh_token").len(), 3, "the family's is not tried again");
    stage.token("first", "User.Read").await.expect("the family's grant is as good as before");
}

/// Without a grant of its own it is told to sign in, and no more.
#[tokio::test]
async fn trap_04_a_client_that_left_its_family_is_told_to_sign_in() {
    let stage = with_family().await;
    stage.expire();
    stage.microsoft.plan(mismatch());
    for _ in 0..2 {
        let failed = failure(stage.token("first", "User.Read").await);
        assert_eq!((failed.reason, &failed.provider), (Reason::InteractionRequired, &None), "{failed:?}");
        assert!(
            failed.advice.as_deref().is_some_and(|advice| advice.starts_with("broker-cli login first")),
            "{failed:?}"
        );
    }
    assert_eq!(stage.microsoft.asked("refresh_token").len(), 1, "it is not tried again");
}

/// The token of a client that has signed out is not renewed ahead with the grant that the others still have.
#[tokio::test]
async fn trap_04_who_signed_out_leaves_the_family_grant_alone() {
    let stage = with_family().await;
    stage.microsoft.plan(Plan::With(json!({ "foci": "1" })));
    stage.token("second", "User.Read").await.expect("by the family's grant");
    for in_use in ["first", "second"] {
        assert!(is_cached(&stage.token(in_use, "User.Read").await.expect("a hit")));
    }
    stage.client.sign_out(&sign_out("first")).await.expect("signed out");
    stage.clock.advance(Duration::from_secs(2701));
    for _ in 0..2 {
        within(stage.clock.timers_set(2)).await;
        stage.clock.advance(Duration::from_secs(60));
    }
    within(stage.microsoft.refreshes(2)).await;
    within(stage.clock.timers_set(2)).await;
    stage.token("second", "Mail.Read").await.expect("after the renewals");
    let asked: Vec<_> =
        stage.microsoft.asked("refresh_token").iter().map(|seen| seen.form["client_id"].clone()).collect();
    assert_eq!(asked, ["client-2"; 3], "nobody asked for the first");
}

/// To join is to refresh: an answer that is lost is asked for once more, and a pause holds for every client of the family.
#[tokio::test]
async fn trap_04_joining_spares_the_grant_as_a_refresh_does() {
    let stage = with_family().await;
    stage.microsoft.plan(Plan::Refuse(503, json!({ "error": "temporarily_unavailable" })));
    for _ in 0..2 {
        let failed = failure(stage.token("second", "User.Read").await);
        assert_eq!(failed.reason, Reason::AuthorityUnavailable, "{failed:?}");
        assert!(failed.retry_after.is_some(), "{failed:?}");
    }
    assert_eq!(failure(stage.token("first", "Mail.Read").await).reason, Reason::AuthorityUnavailable);
    assert_eq!(stage.microsoft.asked("refresh_token").len(), 1, "it is left alone");
    stage.expire();
    for _ in 0..2 {
        stage.microsoft.plan(Plan::Lose);
    }
    assert_eq!(failure(stage.token("second", "User.Read").await).reason, Reason::AuthorityUnavailable);
    assert_eq!(stage.microsoft.asked("refresh_token").len(), 3);
    stage.expire();
    stage.microsoft.plan(Plan::Refuse(400, json!({ "error": "invalid_grant", "suberror": "bad_token" })));
    assert_eq!(failure(stage.token("second", "User.Read").await).reason, Reason::InteractionRequired);
    let grants = stage.client.status().await.expect("status").grants;
    assert_eq!(grants.iter().map(|grant| grant.health).collect::<Vec<_>>(), [GrantHealth::SignInNeeded]);
    let dead = failure(stage.token("first", "User.Read").await);
    assert!(dead.message.contains("was lost on the way"), "that explains it: {}", dead.message);
}

/// Where clients of a family ask for it, their grant is kept alive: once for all of them.
#[tokio::test]
async fn trap_04_a_family_grant_is_kept_alive_once() {
    let stage = Stage::empty().await;
    let day = Duration::from_secs(86_400);
    for (text, client_id) in [("first", "client-1"), ("second", "client-2")] {
        stage.add(NewApplication { keep_alive: Some(day), ..application(text, COMMON, client_id) }).await;
        stage.microsoft.plan(Plan::With(json!({ "foci": "1" })));
        stage.sign_in(text).await.expect("signed in");
    }
    for round in 1..=2 {
        for _ in 0..300 {
            stage.clock.advance(Duration::from_secs(300));
            within(stage.clock.timers_set(2)).await;
        }
        within(stage.microsoft.refreshes(round)).await;
        assert_eq!(stage.microsoft.asked("refresh_token").len(), round);
    }
    stage.expire();
    stage.token("second", "User.Read").await.expect("it serves on");
}

/// A client that signed in and got no family is in none, which is not the same as never seen.
#[tokio::test]
async fn trap_04_seen_without_family_is_not_unseen() {
    let stage = with_family().await;
    stage.sign_in("second").await.expect("a grant of its own");
    stage.client.sign_out(&sign_out("second")).await.expect("signed out");
    assert_eq!(failure(stage.token("second", "User.Read").await).reason, Reason::InteractionRequired);
    assert!(stage.microsoft.asked("refresh_token").is_empty());
}

/// `invalid_grant` may be about one scope or tenant: the grant stays and serves the next request.
#[tokio::test]
async fn trap_05_invalid_grant_keeps_the_grant() {
    let stage = Stage::signed_in().await;
    let refusal = json!({
        "error": "invalid_grant", "suberror": "basic_action", "error_codes": [50_076], "trace_id": "trace-1",
        "timestamp": "2027-01-15 08:00:00Z", "correlation_id": "corr-1", "claims": "{\"access_token\":{}}",
        "error_description": "AADSTS50076: Due to a configuration change, you must use multi-factor authentication.",
    });
    stage.microsoft.plan(Plan::Refuse(400, refusal));
    let failed = failure(stage.token("work", "Files.Read").await);
    assert_eq!(failed.reason, Reason::InteractionRequired);
    assert!(failed.message.contains("multi-factor"), "{}", failed.message);
    assert!(failed.advice.as_deref().is_some_and(|advice| advice.contains("--claims")), "{failed:?}");
    let provider = failed.provider.expect("the provider's words");
    assert_eq!((provider.trace_id.as_deref(), provider.error_codes.as_slice()), (Some("trace-1"), &[50_076][..]));
    assert_eq!(provider.timestamp.as_deref(), Some("2027-01-15 08:00:00Z"));
    stage.token("work", "Mail.Read").await.expect("the grant serves another scope");
    // Only a word that the token itself is dead ends it, and then it is not sent again.
    let dead = json!({ "error": "invalid_grant", "suberror": "bad_token", "error_codes": [70_043] });
    stage.microsoft.plan(Plan::Refuse(400, dead));
    failure(stage.token("work", "Files.Read").await);
    stage.expire();
    assert_eq!(failure(stage.token("work", "Mail.Read").await).reason, Reason::InteractionRequired);
    assert_eq!(stage.microsoft.asked("refresh_token").len(), 3);
}

/// A provider may send a new refresh token or not; many callers make one request of it.
#[tokio::test]
async fn trap_09_rotation() {
    let stage = Stage::signed_in().await;
    stage.expire();
    stage.microsoft.plan(Plan::With(json!({ "refresh_token": null })));
    stage.token("work", "User.Read").await.expect("refreshed");
    stage.expire();
    let mut callers = JoinSet::new();
    for _ in 0..32 {
        let client = stage.client.clone();
        callers.spawn(async move { client.token(&TokenRequest::new(name("work"))).await.map(|_| ()) });
    }
    while let Some(answer) = within(callers.join_next()).await {
        answer.expect("no panic").expect("a token");
    }
    stage.expire();
    stage.token("work", "User.Read").await.expect("refreshed");
    let used: Vec<String> =
        stage.microsoft.asked("refresh_token").iter().map(|seen| seen.form["refresh_token"].clone()).collect();
    assert_eq!(used.len(), 3, "one for all who waited");
    assert_eq!(used[0], used[1], "without a new one the old one stays");
    assert_ne!(used[1], used[2], "a new one takes its place");
}
