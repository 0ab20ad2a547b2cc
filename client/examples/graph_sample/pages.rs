//! The pages: the same as those of the samples in client/python/samples, whose style sheet this is. No page shows a token, a path or
//! a command of the server's owner.

use serde_json::Value;
use token_broker_client::{ClientError, Reason};

use crate::{
    graph::GraphError,
    session::{Kept, Session},
    visit::Trouble,
};

/// The style sheet of all samples.
pub(crate) const STYLE: &str = include_str!("../../python/samples/static/sample.css");
const SAMPLE: &str = "Rust";

/// The way in.
pub(crate) fn homepage(session: &Session) -> String {
    let body = match &session.account {
        Some(account) => format!(
            "<h1>{SAMPLE} sample</h1><p>You are signed in as <b>{}</b>.</p>\
             <p><a class=\"button\" href=\"/graphcall\">Show my profile</a></p>",
            escape(&account.username)
        ),
        None => format!(
            "<h1>{SAMPLE} sample</h1><p>This sample shows how to sign in for Microsoft Graph with token-broker. \
             The web server holds no client secret and no token.</p><p><a class=\"button\" href=\"/login\">Connect</a></p>"
        ),
    };
    page(&format!("{SAMPLE} sample"), session.account.as_ref(), &body)
}

/// A user's profile, as it came.
pub(crate) fn graphcall(session: &Session, endpoint: &str, profile: &Value) -> String {
    let shown = serde_json::to_string_pretty(profile).unwrap_or_default();
    let body =
        format!("<h1>Authenticated with {SAMPLE}</h1><h2>{}</h2><pre>{}</pre>", escape(endpoint), escape(&shown));
    page(&format!("{SAMPLE} sample"), session.account.as_ref(), &body)
}

/// A user's newest messages.
pub(crate) fn messages(session: &Session, endpoint: &str, newest: &Value) -> String {
    let text =
        |message: &Value, place: &str| escape(message.pointer(place).and_then(Value::as_str).unwrap_or_default());
    let item = |message: &Value| {
        let [subject, sender, date] =
            ["/subject", "/from/emailAddress/name", "/receivedDateTime"].map(|place| text(message, place));
        let day = date.split('T').next().unwrap_or_default();
        format!("<li><b>{subject}</b> <span>{sender}</span> <time>{day}</time></li>")
    };
    let newest = newest.get("value").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let items: String = newest.iter().map(item).collect();
    let items = if items.is_empty() { "<li>There are no messages.</li>".to_owned() } else { items };
    let body = format!("<h1>Newest messages</h1><h2>{}</h2><ul class=\"messages\">{items}</ul>", escape(endpoint));
    page(&format!("{SAMPLE} sample"), session.account.as_ref(), &body)
}

/// What went wrong, for people, and the HTTP status that fits.
pub(crate) fn problem(trouble: &Trouble) -> (u16, String) {
    let (status, title) = match trouble {
        Trouble::StateMismatch | Trouble::Away(_) => (400, "Please sign in again"),
        Trouble::Graph(GraphError::Refused { status: 403, .. }) => (403, "Microsoft Graph does not let you see this"),
        Trouble::Graph(GraphError::Refused { status: 429, .. }) => (429, "Microsoft Graph asks you to wait"),
        Trouble::Graph(_) => (502, "Microsoft Graph did not answer as hoped"),
        Trouble::Broker(ClientError::Broker(failure)) => match failure.reason {
            Reason::InteractionRequired => (403, "Please sign in again"),
            Reason::Declined => (403, "You declined"),
            Reason::Locked => (503, "Sign-in is not available now"),
            Reason::AuthorityUnavailable => (503, "The provider cannot be reached"),
            _ => (502, "That did not work"),
        },
        Trouble::Broker(ClientError::NoDaemon { .. } | ClientError::Interrupted) => {
            (503, "Sign-in is not available now")
        }
        Trouble::Broker(_) => (502, "That did not work"),
    };
    (status, told(title, &words(trouble)))
}

/// A title and a sentence.
pub(crate) fn told(title: &str, message: &str) -> String {
    let body =
        format!("<h1>{}</h1><p>{}</p><p><a class=\"button\" href=\"/\">Back</a></p>", escape(title), escape(message));
    page(title, None, &body)
}

fn words(trouble: &Trouble) -> String {
    match trouble {
        Trouble::StateMismatch => {
            "This sign-in was not begun in this browser session, or was completed already; begin it again.".to_owned()
        }
        Trouble::Graph(GraphError::Refused { message, .. }) => message.clone(),
        Trouble::Broker(ClientError::Broker(failure)) if failure.reason == Reason::Declined => {
            "Nothing was changed. You can go on as before, or try again.".to_owned()
        }
        Trouble::Broker(ClientError::Broker(failure)) => failure.correlation_id.as_ref().map_or_else(
            || "Try again in a moment.".to_owned(),
            |id| format!("If it happens again, tell the site's owner this id: {id}"),
        ),
        _ => "Try again in a moment.".to_owned(),
    }
}

fn page(title: &str, account: Option<&Kept>, body: &str) -> String {
    let header = account.map_or_else(String::new, |account| {
        format!(
            "<header><nav><a href=\"/graphcall\">Profile</a> <a href=\"/messages\">Messages</a></nav>\
             <form method=\"post\" action=\"/logout\"><span>{}</span> <button>Sign out</button></form></header>",
            escape(&account.username)
        )
    });
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>{}</title>\
         <link rel=\"stylesheet\" href=\"/static/sample.css\"></head><body>{header}<main>{body}</main></body></html>",
        escape(title)
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}
