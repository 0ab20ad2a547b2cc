//! `events`: a line for each thing that happens.

use token_broker_client::{
    Account,
    calls::{Event, RenewalFailure},
};

use super::{Session, stopped};
use crate::{
    arguments::watch::EventsArguments,
    failure::{Exit, Failed},
    output::{self, json_form::EventJson, time, visible},
};

/// Follows until the daemon stops.
pub(in crate::commands) async fn run(session: &Session, arguments: EventsArguments) -> Result<Exit, Failed> {
    let mut watch = session.client()?.watch_events(arguments.application.as_ref()).await?;
    while let Some(record) = watch.next().await? {
        if session.output.is_json() {
            output::json(&EventJson::from(&record))?;
            continue;
        }
        match &record.event {
            Event::Resync { missed: 0 } => session.output.note("following what happens; Ctrl-C ends"),
            event => output::line(&visible(&line(event)))?,
        }
    }
    Err(stopped(session))
}

/// What happened, as people say it.
fn line(event: &Event) -> String {
    match event {
        Event::Resync { missed } => format!("{missed} events were missed: look at what is there now"),
        Event::SignedIn(account) => format!("{}: {} signed in", account.application, account.label()),
        Event::SignedOut(account) => format!("{}: {} signed out", account.application, account.label()),
        Event::TokenRenewed(renewal) => {
            let expiry = time::expiry(renewal.expires_on, time::now());
            format!("{}: new token for {}, expires {expiry}", renewal.application, holder(renewal.account.as_ref()))
        }
        Event::RenewalFailed(failure) => failed(failure, "no new token"),
        Event::SignInNeeded(failure) => failed(failure, "sign-in needed"),
        Event::ApplicationAdded(name) => format!("{name}: registered"),
        Event::ApplicationReplaced(name) => format!("{name}: registration replaced"),
        Event::ApplicationRemoved(name) => format!("{name}: removed"),
        Event::CacheEntryRemoved(id) => format!("cache entry {id} removed"),
    }
}

fn failed(failure: &RenewalFailure, what: &str) -> String {
    let RenewalFailure { application, message, correlation_id, .. } = failure;
    let holder = holder(failure.account.as_ref());
    format!("{application}: {what} for {holder}: {message} (correlation id {correlation_id})")
}

fn holder(account: Option<&Account>) -> &str {
    account.map_or("the application itself", Account::label)
}
