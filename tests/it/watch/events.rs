//! `WatchEvents`: what happens, in the words of the people it happens to, and nothing secret.

use token_broker_client::{
    EventWatch, Reason,
    calls::{CacheEntryKind, Event, ExistingApplication, NewApplication},
};
use token_broker_tests::{
    daemon::{application, name, refresh},
    within,
};

use super::{sign_in, sign_out, stage};

async fn next(events: &mut EventWatch) -> Event {
    within(events.next()).await.expect("an event").expect("the stream goes on").event
}

#[tokio::test]
async fn everything_that_happens_is_told_once_it_is_stored() {
    let (server, daemon, _clock) = stage().await;
    let client = daemon.client();
    let mut events = client.watch_events(None).await.expect("a stream");
    assert_eq!(next(&mut events).await, Event::Resync { missed: 0 });

    let new = application("notes", server.issuer(), ("native-app", None), "openid api:write");
    client.add_application(&new).await.expect("registered");
    assert_eq!(next(&mut events).await, Event::ApplicationAdded("notes".into()));
    let other = NewApplication {
        existing: ExistingApplication::Replace,
        ..application("notes", server.issuer(), ("service-app", None), "api:read")
    };
    client.add_application(&other).await.expect("replaced");
    assert_eq!(next(&mut events).await, Event::ApplicationReplaced("notes".into()));

    let renewed = refresh(&client, "mail").await.expect("refreshed");
    let Event::TokenRenewed(renewal) = next(&mut events).await else { panic!("a renewal") };
    assert_eq!((renewal.application.as_str(), renewal.expires_on), ("mail", renewed.expires_on));
    assert_eq!(renewal.account, renewed.account);

    let entries = client.cache_entries(Some(&name("mail"))).await.expect("a list");
    let entry = entries.iter().find(|entry| entry.id.kind == CacheEntryKind::AccessToken).expect("one");
    client.remove_cache_entry(entry.id).await.expect("removed");
    assert_eq!(next(&mut events).await, Event::CacheEntryRemoved(entry.id));

    sign_in(&client).await;
    let Event::SignedIn(account) = next(&mut events).await else { panic!("a sign-in") };
    assert_eq!((account.username.as_str(), account.application.as_str()), ("ada", "mail"));
    sign_out(&client).await;
    assert_eq!(next(&mut events).await, Event::SignedOut(account));
    client.remove_application(&name("mail")).await.expect("removed");
    assert_eq!(next(&mut events).await, Event::ApplicationRemoved("mail".into()));
}

#[tokio::test]
async fn a_renewal_that_fails_says_why_and_names_its_request() {
    let (server, daemon, _clock) = stage().await;
    let client = daemon.client();
    let mut events = client.watch_events(Some(&name("mail"))).await.expect("a stream");
    next(&mut events).await;
    // Not of this application.
    let new = application("notes", server.issuer(), ("native-app", None), "openid");
    client.add_application(&new).await.expect("registered");
    server.revoke_all();
    refresh(&client, "mail").await.expect_err("the grant is gone");
    let Event::SignInNeeded(failure) = next(&mut events).await else { panic!("a failure") };
    assert_eq!((failure.application.as_str(), failure.reason), ("mail", Reason::InteractionRequired));
    assert_eq!(failure.account.map(|account| account.username).as_deref(), Some("ada"));
    let asked = server.last_request("token:refresh_token").expect("it was asked");
    let sent = asked.headers.get("client-request-id").or_else(|| asked.parameters.get("client-request-id"));
    assert_eq!(sent, Some(&failure.correlation_id.to_string()));
}
