//! `TokenSource`: a token at hand, over restarts of the daemon, and dropped at once when it is gone.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use token_broker_client::{
    Client, ClientOptions, Reason, TokenSource, TokenUnavailable, calls::TokenAnswer, oauth::UnixTime,
};
use token_broker_tests::{
    authorization_server::{AuthorizationServer, Options as Server},
    daemon::{application, name, refresh},
    process::{DaemonProcess, Home, Signal},
    within,
};

use super::{mail, sign_in, sign_out, stage};

const RESTARTS: usize = 100;

/// Waits until the source says what is expected.
async fn until<T>(
    source: &mut TokenSource,
    expected: impl Fn(Result<Arc<TokenAnswer>, TokenUnavailable>) -> Option<T>,
) -> T {
    within(async {
        loop {
            if let Some(found) = expected(source.token()) {
                return found;
            }
            source.changed().await;
        }
    })
    .await
}

/// The number of a token in the order in which the provider issued them.
fn number(server: &AuthorizationServer, token: &TokenAnswer) -> usize {
    server.number_of(token.access_token.expose()).expect("the provider issued it")
}

#[tokio::test]
async fn a_sign_out_drops_the_token_at_once_and_a_sign_in_brings_the_next() {
    let (_server, daemon, _clock) = stage().await;
    let client = daemon.client();
    let mut source = client.token_source(mail());
    assert!(matches!(source.token(), Err(TokenUnavailable::NotYet)));
    within(source.ready()).await.expect("a token");
    sign_out(&client).await;
    until(&mut source, |said| said.err().filter(|why| matches!(why, TokenUnavailable::SignInNeeded(_)))).await;
    let needed = within(source.ready()).await.expect_err("somebody has to act");
    assert!(needed.to_string().contains("broker-cli login mail"), "{needed}");
    sign_in(&client).await;
    until(&mut source, Result::ok).await;
    client.remove_application(&name("mail")).await.expect("removed");
    let gone = |why: &TokenUnavailable| matches!(why, TokenUnavailable::Refused(failure) if failure.reason == Reason::ApplicationNotFound);
    until(&mut source, |said| said.err().filter(gone)).await;
}

#[tokio::test]
async fn a_source_is_there_before_its_daemon() {
    let (_server, mut daemon, _clock) = stage().await;
    daemon.stop().await;
    let mut source = daemon.client().token_source(mail());
    until(&mut source, |said| said.err().filter(|why| matches!(why, TokenUnavailable::Disconnected(_)))).await;
    let (token, ()) = tokio::join!(within(source.ready()), daemon.start_again());
    token.expect("a token");
}

/// What a reader saw: each token the first time, with the number of the oldest that was good then.
#[derive(Default)]
struct Seen {
    reads: usize,
    tokens: Vec<(usize, String)>,
    expired: Vec<String>,
}

/// Reads in a loop, as a busy program does. A token is **expired** when it ended before the read began. It is **stale** when its
/// number is less than `good` was before the read began: the source had said before that a newer one is there.
fn read_until(done: &AtomicBool, good: &AtomicUsize, source: &TokenSource) -> Seen {
    let mut seen = Seen::default();
    let mut last = (0, String::new());
    while !done.load(Ordering::SeqCst) {
        let (oldest, begun) = (good.load(Ordering::SeqCst), UnixTime::from(SystemTime::now()));
        let Ok(token) = source.token() else { continue };
        let text = token.access_token.expose();
        if token.expires_on <= begun {
            seen.expired.push(text.to_owned());
        }
        if last.0 != oldest || last.1 != text {
            last = (oldest, text.to_owned());
            seen.tokens.push(last.clone());
        }
        seen.reads += 1;
    }
    seen
}

/// The provider does not rotate here: a daemon that is killed between its answer and the store would lose the grant, which is
/// another matter.
#[tokio::test]
async fn a_hundred_restarts_hand_out_no_stale_and_no_expired_token() {
    let lifetime = Duration::from_secs(2);
    let options = Server { rotation: false, access_token_lifetime: lifetime, ..Server::default() };
    let (server, home) = (AuthorizationServer::start(options), Home::new());
    let mut daemon = DaemonProcess::start(&home).await;
    let client =
        Client::new(&ClientOptions { socket: Some(home.socket()), ..ClientOptions::default() }).expect("a client");
    let new = application("mail", server.issuer(), ("native-app", None), "openid api:read");
    client.add_application(&new).await.expect("registered");
    sign_in(&client).await;
    let mut source = client.token_source(mail());
    let (done, good) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let reader = std::thread::spawn({
        let (done, good, source) = (Arc::clone(&done), Arc::clone(&good), source.clone());
        move || read_until(&done, &good, &source)
    });
    for round in 1..=RESTARTS {
        // A crash, then an orderly stop.
        daemon.end(if round % 2 == 0 { Signal::TERM } else { Signal::KILL }).await;
        if round % 50 == 0 {
            // Away for longer than the token lives.
            until(&mut source, Result::err).await;
        }
        daemon = DaemonProcess::start(&home).await;
        let newer = within(refresh(&client, "mail")).await.expect("refreshed");
        let newest = number(&server, &newer);
        let held = until(&mut source, |said| said.ok().map(|it| number(&server, &it)).filter(|it| *it >= newest)).await;
        good.store(held, Ordering::SeqCst);
    }
    done.store(true, Ordering::SeqCst);
    let seen = reader.join().expect("no panic");
    let numbers: Vec<_> = seen
        .tokens
        .iter()
        .map(|(oldest, text)| (*oldest, server.number_of(text).expect("the provider issued it")))
        .collect();
    let stale: Vec<_> = numbers.iter().filter(|(oldest, number)| number < oldest).collect();
    assert!(stale.is_empty() && seen.expired.is_empty(), "stale: {stale:?}, expired: {}", seen.expired.len());
    assert!(numbers.is_sorted_by_key(|(_, number)| *number), "it never goes back: {numbers:?}");
    let distinct: std::collections::BTreeSet<_> = numbers.iter().map(|(_, number)| number).collect();
    assert!(distinct.len() >= RESTARTS && seen.reads > RESTARTS, "{} tokens, {} reads", distinct.len(), seen.reads);
}
