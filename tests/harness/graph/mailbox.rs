//! What is behind the checks: a profile, three messages and a draft for every user, in pages; what is written comes back as it was sent.

use hyper::Method;
use serde_json::{Value, json};

use super::{refusal, token::Verified};
use crate::authorization_server::wire::{Answer, Params};

/// Messages on a page when nobody says how many.
const PAGE: usize = 2;
/// Subject, sender, date, the newest first. The last one is a draft, which has neither subject nor sender.
const MESSAGES: [(Option<&str>, Option<&str>, &str); 4] = [
    (Some("Minutes of Monday"), Some("Grace Hopper"), "2026-11-23T16:20:00Z"),
    (Some("Lunch on Thursday?"), Some("Alan Turing"), "2026-11-20T10:05:00Z"),
    (Some("Welcome"), Some("Contoso IT"), "2026-11-02T08:00:00Z"),
    (None, None, "2026-11-01T09:30:00Z"),
];

/// A request whose token is good.
pub(super) struct Asked<'a> {
    pub(super) base: &'a str,
    pub(super) method: &'a Method,
    pub(super) path: &'a str,
    pub(super) query: Params,
    pub(super) body: &'a [u8],
}

pub(super) fn answer(asked: &Asked<'_>, user: &Verified) -> Answer {
    let needed = if asked.path.starts_with("/v1.0/me/messages") { "Mail.Read" } else { "User.Read" };
    if !user.has(needed) {
        return refusal(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.");
    }
    match (asked.method, asked.path) {
        (&Method::DELETE, _) => Answer::empty(204),
        (&Method::GET, "/v1.0/me") => Answer::json(200, &profile(asked.base, &user.user)),
        (&Method::GET, "/v1.0/me/messages") => Answer::json(200, &messages(asked)),
        (&Method::GET, "/v1.0/elsewhere") => {
            Answer::json(200, &json!({"value": [1], "@odata.nextLink": "http://127.0.0.2/v1.0/me/messages"}))
        }
        (&Method::GET, _) => refusal(404, "Request_ResourceNotFound", "There is no such resource."),
        (method, _) => {
            let body = serde_json::from_slice::<Value>(asked.body).unwrap_or_default();
            Answer::json(200, &json!({"method": method.as_str(), "body": body}))
        }
    }
}

fn profile(base: &str, user: &str) -> Value {
    json!({
        "@odata.context": format!("{base}/$metadata#users/$entity"),
        "displayName": format!("Test user {user}"),
        "givenName": user,
        "id": format!("id-of-{user}"),
        "jobTitle": "Tester",
        "mail": format!("{user}@example.test"),
        "preferredLanguage": "en-GB",
        "userPrincipalName": format!("{user}@example.test"),
    })
}

fn messages(asked: &Asked<'_>) -> Value {
    let number = |name: &str, otherwise| asked.query.get(name).parse().unwrap_or(otherwise);
    let (skip, top) = (number("$skip", 0), number("$top", PAGE));
    let page = MESSAGES.into_iter().skip(skip).take(top).map(|(subject, from, date)| match from {
        Some(from) => json!({"subject": subject, "from": {"emailAddress": {"name": from}}, "receivedDateTime": date}),
        None => json!({"subject": subject, "receivedDateTime": date}),
    });
    let mut answer = json!({"value": page.collect::<Vec<_>>()});
    if skip + top < MESSAGES.len() {
        let next = format!("{}/me/messages?$top={top}&$skip={}", asked.base, skip + top);
        answer.as_object_mut().expect("an object").insert("@odata.nextLink".to_owned(), next.into());
    }
    answer
}
