//! What our page may do in a real browser: nothing but be read. It asks for nothing, and its content security policy stops what a
//! hole in the page would try.

use serde_json::Value;

use super::{Stage, outcome};

/// Tries a script, a style sheet, a picture, a frame, a base address, a request and a form; returns what the policy stopped once
/// that is all of them.
const TRIES: &str = r"
const done = arguments[arguments.length - 1], stopped = new Set();
const tell = () => done([window.ran === true, [...stopped].sort()]);
document.addEventListener('securitypolicyviolation', event => {
  stopped.add(event.effectiveDirective);
  if (stopped.size === 7) tell();
});
const add = (tag, facts) => document.body.append(Object.assign(document.createElement(tag), facts));
add('script', {textContent: 'window.ran = true'});
add('script', {src: '/x.js'});
add('img', {src: '/x.png'});
add('iframe', {src: 'http://127.0.0.1:9/'});
add('link', {rel: 'stylesheet', href: '/x.css'});
add('base', {href: 'http://127.0.0.1:9/'});
fetch('/x').catch(() => 0);
const form = document.createElement('form');
form.action = 'http://127.0.0.1:9/'; form.method = 'post';
document.body.append(form);
form.submit();
setTimeout(tell, 10000);
";

#[tokio::test]
async fn the_page_asks_for_nothing_and_may_do_nothing() {
    let Some(stage) = Stage::set().await else { return };
    let (mut events, url) = stage.begin().await;
    stage.person.browser.page.goto("about:blank").await.expect("an empty page");
    stage.sign_in(&url, "ada").await;
    outcome(&mut events).await.expect("signed in");
    let ours = stage.person.browser.page.current_url().await.expect("an address").origin().ascii_serialization();
    let requested = stage.person.browser.requested().await;
    let of_ours: Vec<_> = requested.iter().filter(|address| address.starts_with(&ours)).collect();
    assert_eq!(of_ours.len(), 1, "one page and nothing else: {of_ours:?}");
    let last = requested.last().map(String::as_str);
    assert_eq!(last, of_ours.first().map(|address| address.as_str()), "nothing after it: {requested:?}");
    let console = stage.person.browser.console().await;
    assert!(!console.iter().any(|line| line.contains(&ours)), "{console:?}");

    let tried = stage.person.browser.page.execute_async(TRIES, Vec::new()).await.expect("an answer");
    let (ran, stopped) = (&tried[0], tried[1].as_array().expect("a list"));
    assert_eq!(ran, false, "a script ran");
    let stopped: Vec<_> = stopped.iter().filter_map(Value::as_str).collect();
    for directive in
        ["base-uri", "connect-src", "form-action", "frame-src", "img-src", "script-src-elem", "style-src-elem"]
    {
        assert!(stopped.contains(&directive), "{directive} was not stopped: {stopped:?}");
    }
    stage.person.browser.close().await;
}
