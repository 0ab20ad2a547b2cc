//! Refusals that are remembered, so that a request that was just refused is not sent again: for a minute when it was wrong, and
//! as long as `Retry-After` says when the provider is busy. Keyed by everything that is asked, so no account and no credential stands for another.
//! A refresh of a busy provider is not for here: its grant itself backs off. What succeeded is never kept.

use std::{collections::HashMap, time::Duration};

use http::header::{AUTHORIZATION, RETRY_AFTER};
use ring::digest::{Context, SHA256, digest};
use token_broker_proto::oauth::UnixTime;
use url::form_urlencoded;

use crate::{
    flow::oauth::endpoint::retry_after,
    model::{HttpRequest, HttpResponse},
};

/// How long a wrong request is remembered.
const WRONG: Duration = Duration::from_secs(60);
/// How long a confidential client leaves a busy provider alone where it does not say.
const BUSY: Duration = Duration::from_secs(5);
/// How long a public client does.
const BUSY_FOR_PUBLIC: Duration = Duration::from_secs(60);
/// Most refusals.
const CAPACITY: usize = 1024;

/// What was refused lately.
#[derive(Debug, Default)]
pub struct Throttle(HashMap<[u8; 32], Refusal>);

#[derive(Debug)]
struct Refusal {
    since: UnixTime,
    until: UnixTime,
    response: HttpResponse,
}

impl Refusal {
    /// One that seems to be of the future is from before the clock was set back.
    fn stands(&self, now: UnixTime) -> bool {
        self.since <= now && now < self.until
    }
}

/// What of a request is worth remembering.
#[derive(Debug, Clone, Copy)]
pub struct Watched {
    key: [u8; 32],
    /// How long a busy provider is left alone where it does not say; none where the grant itself backs off.
    busy: Option<Duration>,
}

impl Watched {
    /// Looks at a request; `None` for one whose repetition is expected or impossible: polls and codes.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Option<Self> {
        let mut asked = Context::new(&SHA256);
        asked.update(request.uri().to_string().as_bytes());
        let (mut grant_type, mut is_confidential) = (String::new(), request.headers().contains_key(AUTHORIZATION));
        for (name, value) in form_urlencoded::parse(request.body().expose().as_bytes()) {
            match &*name {
                "grant_type" => grant_type.push_str(&value),
                "client_assertion" | "client_secret" => is_confidential = true,
                _ => {}
            }
            for text in [&name, &value] {
                asked.update(digest(&SHA256, text.as_bytes()).as_ref());
            }
        }
        let busy = match grant_type.as_str() {
            "refresh_token" => None,
            "client_credentials" | "urn:ietf:params:oauth:grant-type:jwt-bearer" | "user_fic" => Some(BUSY),
            "password" => Some(if is_confidential { BUSY } else { BUSY_FOR_PUBLIC }),
            _ => return None,
        };
        let mut key = [0; 32];
        key.copy_from_slice(asked.finish().as_ref());
        Some(Self { key, busy })
    }
}

impl Throttle {
    /// The refusal that still stands.
    #[must_use]
    pub fn refusal(&self, watched: &Watched, now: UnixTime) -> Option<HttpResponse> {
        self.0.get(&watched.key).filter(|refusal| refusal.stands(now)).map(|refusal| refusal.response.clone())
    }

    /// Remembers a refusal, if it is one.
    pub fn note(&mut self, watched: &Watched, response: &HttpResponse, now: UnixTime) {
        let Some(span) = duration(watched, response) else { return };
        self.0.retain(|_, refusal| refusal.stands(now));
        if self.0.len() >= CAPACITY {
            let soonest = self.0.iter().min_by_key(|(_, refusal)| refusal.until).map(|(key, _)| *key);
            soonest.and_then(|key| self.0.remove(&key));
        }
        self.0.insert(watched.key, Refusal { since: now, until: now.plus(span), response: response.clone() });
    }
}

fn duration(watched: &Watched, response: &HttpResponse) -> Option<Duration> {
    let status = response.status();
    let says_when = response.headers().contains_key(RETRY_AFTER);
    let is_busy = status.as_u16() == 429 || status.is_server_error() || says_when;
    match (status.is_success(), is_busy, status.as_u16()) {
        (true, ..) => None,
        (_, true, _) => watched.busy.map(|busy| retry_after(response.headers()).unwrap_or(busy)),
        (_, _, 400) => Some(WRONG),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use token_broker_proto::{Secret, oauth::UnixTime};

    use super::{Throttle, Watched};
    use crate::{flow::oauth::vectors, model::HttpRequest};

    fn request(body: &str) -> HttpRequest {
        let mut request = HttpRequest::new(Secret::new(body));
        *request.uri_mut() = "https://login.microsoftonline.com/t/oauth2/v2.0/token".parse().expect("a URI");
        request
    }

    /// Each case is a request, an answer to it, and for how long the same request is not sent again.
    #[test]
    fn every_vector() {
        vectors::check_all_of("microsoft", "throttle", |case| {
            let Some(watched) = Watched::of(&request(vectors::text(case, "request"))) else {
                return json!("not watched");
            };
            let (mut throttle, begin) = (Throttle::default(), 1_700_000_000);
            throttle.note(&watched, &vectors::response(&case["response"]), UnixTime::from_seconds(begin));
            let stands = |after: i64| throttle.refusal(&watched, UnixTime::from_seconds(begin + after)).is_some();
            json!((0..=4000).take_while(|after| stands(*after)).count())
        });
    }

    #[test]
    fn one_account_never_stands_for_another() {
        let watched = |token: &str| {
            Watched::of(&request(&format!("grant_type=refresh_token&client_id=c&refresh_token={token}")))
                .expect("watched")
        };
        let mut throttle = Throttle::default();
        let now = UnixTime::from_seconds(0);
        let refusal = json!({ "status": 400, "headers": {}, "body": { "error": "invalid_grant" } });
        throttle.note(&watched("ada"), &vectors::response(&refusal), now);
        assert!(throttle.refusal(&watched("ada"), now).is_some() && throttle.refusal(&watched("grace"), now).is_none());
    }

    #[test]
    fn another_credential_makes_another_request() {
        let watched = |assertion: &str| {
            Watched::of(&request(&format!("grant_type=client_credentials&scope=s&client_assertion={assertion}")))
                .expect("watched")
        };
        assert_eq!(watched("one").key, watched("one").key);
        assert_ne!(watched("one").key, watched("two").key, "what was refused to one is not refused to the other");
    }

    #[test]
    fn a_clock_that_is_set_back_prolongs_no_refusal() {
        let watched = Watched::of(&request("grant_type=client_credentials&scope=s")).expect("watched");
        let refusal = vectors::response(&json!({ "status": 400, "headers": {}, "body": {} }));
        let (mut throttle, day) = (Throttle::default(), 86_400);
        throttle.note(&watched, &refusal, UnixTime::from_seconds(day));
        assert!(throttle.refusal(&watched, UnixTime::from_seconds(day)).is_some());
        assert!(throttle.refusal(&watched, UnixTime::from_seconds(0)).is_none());
    }

    #[test]
    fn there_is_an_end_to_memory() {
        let mut throttle = Throttle::default();
        let refusal = vectors::response(&json!({ "status": 400, "headers": {}, "body": {} }));
        for number in 0..2000 {
            let watched =
                Watched::of(&request(&format!("grant_type=client_credentials&scope={number}"))).expect("watched");
            throttle.note(&watched, &refusal, UnixTime::from_seconds(0));
        }
        assert!(throttle.0.len() <= 1024);
    }
}
