//! Each page that we show, in a real browser: signed in, declined, refused by the provider, not ours, no such page.

use token_broker_client::{ClientError, Reason};

use super::{Stage, outcome, redirect};

fn reason(error: ClientError) -> Reason {
    let ClientError::Broker(failure) = error else { panic!("{error}") };
    failure.reason
}

#[tokio::test]
async fn login_and_consent_end_on_the_page_that_says_signed_in() {
    let Some(stage) = Stage::set().await else { return };
    let (mut events, url) = stage.begin().await;
    stage.sign_in(&url, "ada").await;
    let account = outcome(&mut events).await.expect("signed in");
    assert_eq!(account.username, "ada");
    assert_eq!(stage.person.text("h1").await, "You are signed in");
    assert!(stage.person.text("main").await.contains("ada"));
    stage.person.picture("signed-in").await;
    stage.person.browser.close().await;
}

#[tokio::test]
async fn a_long_name_breaks_and_stays_inside() {
    let Some(stage) = Stage::set().await else { return };
    let (mut events, url) = stage.begin().await;
    let user = format!("{}@example.test", "a-very-long-name".repeat(5));
    stage.sign_in(&url, &user).await;
    outcome(&mut events).await.expect("signed in");
    stage.person.picture("signed-in-long").await;
    let too_wide = "return document.documentElement.scrollWidth > window.innerWidth";
    let too_wide = stage.person.browser.page.execute(too_wide, Vec::new()).await.expect("an answer");
    assert_eq!(too_wide, false, "the page scrolls sideways on a phone");
    stage.person.browser.close().await;
}

#[tokio::test]
async fn declining_ends_on_a_page_that_says_so() {
    let Some(stage) = Stage::set().await else { return };
    let (mut events, url) = stage.begin().await;
    stage.person.browser.page.goto(url.as_str()).await.expect("the provider's page");
    stage.person.press("a[href*=abort]").await;
    assert_eq!(stage.person.text("main h1").await, "You are not signed in");
    assert!(stage.person.text("main").await.contains("declined"));
    assert_eq!(reason(outcome(&mut events).await.expect_err("declined")), Reason::Declined);
    stage.person.picture("declined").await;
    stage.person.browser.close().await;
}

#[tokio::test]
async fn a_refusal_of_the_provider_is_told_in_its_words() {
    let Some(stage) = Stage::set().await else { return };
    let (mut events, url) = stage.begin().await;
    let (mut back, ours) = redirect(&url);
    let words = "The tenant's policy asks for a managed device; <b>ask</b> your administrator.";
    let iss = url.origin().ascii_serialization();
    let answer = [("error", "invalid_request"), ("error_description", words), ("state", &ours), ("iss", &iss)];
    back.query_pairs_mut().extend_pairs(answer);
    stage.person.browser.page.goto(back.as_str()).await.expect("our page");
    assert_eq!(stage.person.text("main h1").await, "You are not signed in");
    let text = stage.person.text("main").await;
    assert!(text.contains("invalid_request") && text.contains(words), "{text}");
    assert_eq!(reason(outcome(&mut events).await.expect_err("refused")), Reason::AuthorityRefused);
    stage.person.picture("refused").await;
    stage.person.browser.close().await;
}

#[tokio::test]
async fn what_is_not_of_this_sign_in_is_turned_away_and_it_goes_on() {
    let Some(stage) = Stage::set().await else { return };
    let (mut events, url) = stage.begin().await;
    let (back, _) = redirect(&url);
    let mut forged = back.clone();
    forged.query_pairs_mut().extend_pairs([("code", "stolen"), ("state", "forged")]);
    stage.person.browser.page.goto(forged.as_str()).await.expect("our page");
    assert_eq!(stage.person.text("main h1").await, "No sign-in waits for this page");
    stage.person.picture("foreign").await;
    stage.person.browser.page.goto(back.join("/wp-admin").expect("a URL").as_str()).await.expect("our page");
    assert_eq!(stage.person.text("main h1").await, "There is no such page");
    stage.person.picture("not-found").await;
    stage.sign_in(&url, "ada").await;
    outcome(&mut events).await.expect("signed in all the same");
    stage.person.browser.close().await;
}
