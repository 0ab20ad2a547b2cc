//! Forged and broken redirects at the loopback listener of a browser sign-in. Whatever does not know the state changes
//! nothing: the right user's redirect still completes. What knows it and is wrong ends the sign-in, in words.

use reqwest::{Method, RequestBuilder};
use token_broker_client::{
    Reason, SignIn,
    calls::{SignInEvent, SignInRequest, TokenSource},
};
use token_broker_tests::{
    authorization_server::{Endpoint, Fault, Gate},
    daemon::name,
    http::{client, get, send},
    user::User,
    within,
};
use url::Url;

use super::{Stage, of, refused, says};

/// A sign-in of `grace`, up to the redirect that her browser is about to follow.
async fn at_the_redirect(stage: &Stage) -> (SignIn, Url) {
    let mut events = stage.daemon.client().sign_in(&SignInRequest::new(name("mail"))).await.expect("begun");
    let Ok(Some(SignInEvent::OpenUrl(url))) = events.next().await else { panic!("the URL comes first") };
    let asked: Url = url.expose().parse().expect("a URL");
    let redirect_uri = asked.query_pairs().find(|(name, _)| name == "redirect_uri").expect("a redirect URI").1;
    let redirect = User::named("grace").sign_in_until(asked.as_str(), &redirect_uri).await;
    (events, redirect)
}

/// The redirect with one parameter changed, or added if it was not there.
fn with_parameter(redirect: &Url, name: &str, value: &str) -> Url {
    let mut changed = redirect.clone();
    let kept: Vec<(String, String)> = redirect.query_pairs().into_owned().filter(|(known, _)| known != name).collect();
    changed.query_pairs_mut().clear().extend_pairs(kept).append_pair(name, value);
    changed
}

/// The same with a parameter more.
fn and_parameter(redirect: &Url, name: &str, value: &str) -> Url {
    let mut changed = redirect.clone();
    changed.query_pairs_mut().append_pair(name, value);
    changed
}

/// Requests that do not belong to the sign-in, with the status that each is answered with.
fn forged(redirect: &Url) -> Vec<(&'static str, RequestBuilder, u16)> {
    let mut other_path = redirect.clone();
    other_path.set_path("/favicon.ico");
    let mut bare = redirect.clone();
    bare.set_query(None);
    let get = |url: Url| client().get(url);
    let post = |body: Vec<u8>| client().post(bare.clone()).body(body);
    vec![
        ("wrong state", get(with_parameter(redirect, "state", "forged")), 400),
        ("empty state", get(with_parameter(redirect, "state", "")), 400),
        ("state twice", get(and_parameter(redirect, "state", "forged")), 400),
        ("error without state", get(with_parameter(&bare, "error", "access_denied")), 400),
        ("no parameters", get(bare.clone()), 400),
        ("wrong path", get(other_path), 404),
        ("foreign host", get(redirect.clone()).header("host", "evil.example"), 400),
        ("oversized", get(and_parameter(redirect, "x", &"y".repeat(20_000))), 400),
        ("oversized form", post(vec![b'x'; 100_000]), 400),
        ("garbage form", post(vec![0xFF, 0xFE, 0x00]), 400),
        ("empty form", post(Vec::new()), 400),
        ("another method", client().request(Method::PUT, redirect.clone()), 400),
    ]
}

#[tokio::test]
async fn forged_ones_change_nothing() {
    let stage = Stage::set().await;
    let (mut events, redirect) = at_the_redirect(&stage).await;
    for (case, request, status) in forged(&redirect) {
        let page = within(send(request)).await;
        assert_eq!(page.status, status, "{case}: {}", page.body);
        let words = if status == 404 { "There is no such page" } else { "No sign-in waits for this page" };
        assert!(page.body.contains(words), "{case}: {}", page.body);
    }
    assert_eq!(stage.server.requests("token:authorization_code"), 1, "ada's only");
    let page = within(get(redirect.as_str())).await;
    assert!(page.status == 200 && page.body.contains("Signed in as grace"), "{}", page.body);
    let Ok(Some(SignInEvent::SignedIn(grace))) = within(events.next()).await else { panic!("signed in") };
    assert_eq!(grace.username, "grace");
    assert_eq!(stage.daemon.client().token(&of("grace")).await.expect("a token").source, TokenSource::Cache);
    stage.still_serves().await;
}

#[tokio::test]
async fn the_same_one_twice_is_used_once() {
    let stage = Stage::set().await;
    let (mut events, redirect) = at_the_redirect(&stage).await;
    let gate = Gate::closed();
    stage.server.fail_next(Endpoint::Token, Fault::HoldAfter(gate.clone()));
    let first = tokio::spawn({
        let redirect = redirect.clone();
        async move { get(redirect.as_str()).await }
    });
    within(gate.reached(1)).await;
    // The second comes while the first is at work; it gets no page or one that says that it is too late.
    let second = tokio::spawn(client().get(redirect.clone()).send());
    gate.open();
    let page = within(first).await.expect("no panic");
    assert!(page.status == 200 && page.body.contains("Signed in as grace"), "{}", page.body);
    assert!(matches!(within(events.next()).await, Ok(Some(SignInEvent::SignedIn(_)))));
    assert!(!within(second).await.expect("no panic").is_ok_and(|page| page.status().is_success()));
    // After the end nobody listens any more.
    let late = client().get(redirect).send().await.expect_err("the port is closed");
    assert!(late.is_connect(), "{late}");
    assert_eq!(stage.server.requests("token:authorization_code"), 2, "one for each user");
    stage.still_serves().await;
}

/// Its name, how it is made of the right one, and words of the refusal.
type WrongRedirect = (&'static str, fn(&Url) -> Url, &'static [&'static str]);

#[tokio::test]
async fn wrong_ones_with_the_right_state_end_it() {
    let stage = Stage::set().await;
    let cases: [WrongRedirect; 4] = [
        ("code twice", |url| and_parameter(url, "code", "forged"), &["the parameter \"code\" came more than once"]),
        (
            "wrong issuer",
            |url| with_parameter(url, "iss", "https://evil.example"),
            &["comes from the issuer \"https://evil.example\", expected"],
        ),
        ("code is empty", |url| with_parameter(url, "code", ""), &["no usable code"]),
        ("forged code", |url| with_parameter(url, "code", "forged"), &["the provider refused: invalid_grant"]),
    ];
    for (case, change, words) in cases {
        let (mut events, redirect) = at_the_redirect(&stage).await;
        let page = within(get(change(&redirect).as_str())).await;
        assert_eq!(page.status, 400, "{case}");
        for word in ["You are not signed in", "Nothing was stored"] {
            assert!(page.body.contains(word), "{case}: {}", page.body);
        }
        says(&refused(within(events.next()).await), Reason::AuthorityRefused, words);
        stage.still_serves().await;
    }
    let accounts = stage.daemon.client().accounts(None).await.expect("a list");
    assert_eq!(accounts, std::slice::from_ref(&stage.ada.account), "grace is not there");
}
