//! Sign-in on another device (RFC 8628): asking for a code, reading it, and polling for the token. When to poll and how to
//! show the code belong to others.

mod poll;

pub use poll::{DeviceAuthorization, Poll};

use std::time::Duration;

use token_broker_proto::{
    Secret,
    calls::UserCode,
    oauth::{Claims, CorrelationId, ScopeSet, UnixTime, provider_url},
};

use super::{
    ClientContext, MissingEndpoint, TokenError,
    endpoint::{Answer, Form, is_visible_ascii, read_success},
};
use crate::model::{HttpRequest, HttpResponse};

/// Pause between polls where none is given (section 3.2).
const DEFAULT_INTERVAL: Duration = Duration::from_secs(5);
/// Shortest pause that is believed.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);
/// Longest pause that is believed.
const LONGEST_INTERVAL: Duration = Duration::from_secs(60);
/// Lifetime where none is given, against section 3.2 (MSAL's default).
const DEFAULT_LIFETIME: Duration = Duration::from_secs(1800);
/// Longest lifetime that is believed.
const LONGEST_LIFETIME: Duration = Duration::from_secs(3600);
/// Longest device code in bytes.
const MAX_DEVICE_CODE: usize = 8 * 1024;
/// Longest user code in bytes.
const MAX_USER_CODE: usize = 64;
/// Longest verification URI in bytes; it is shown and typed.
const MAX_URI: usize = 2048;

/// Asks for a device code and a user code (section 3.1).
pub fn request(
    client: ClientContext<'_>,
    scopes: &ScopeSet,
    claims: Option<&Claims>,
    correlation_id: CorrelationId,
) -> Result<HttpRequest, MissingEndpoint> {
    let endpoint = client.metadata.device_authorization_endpoint.as_ref();
    let endpoint = endpoint.ok_or(MissingEndpoint("device_authorization_endpoint"))?;
    let form = Form::new()
        .with_some("scope", Some(scopes.to_string()).filter(|scopes| !scopes.is_empty()))
        .with_some("claims", claims.map(|claims| claims.as_str().to_owned()));
    Ok(client.post_extended(endpoint, form, ("", correlation_id)))
}

/// Reads the codes (section 3.2). `requested` is what was asked for: a token answer without `scope` grants just that.
pub fn parse(response: &HttpResponse, requested: &ScopeSet, now: UnixTime) -> Result<DeviceAuthorization, TokenError> {
    read(&mut read_success(response)?, requested, now).map_err(TokenError::Malformed)
}

fn read(answer: &mut Answer, requested: &ScopeSet, now: UnixTime) -> Result<DeviceAuthorization, String> {
    let lifetime = answer.seconds("expires_in", LONGEST_LIFETIME).unwrap_or(DEFAULT_LIFETIME);
    let expires_on = now.plus(lifetime);
    let interval = answer.seconds("interval", LONGEST_INTERVAL).unwrap_or(DEFAULT_INTERVAL);
    let user_code = UserCode {
        verification_uri: verification_uri(answer)?,
        verification_uri_complete: uri(answer, "verification_uri_complete").map(Secret::new),
        user_code: code(answer, "user_code", MAX_USER_CODE)?,
        expires_on,
    };
    let device_code = code(answer, "device_code", MAX_DEVICE_CODE)?;
    Ok(DeviceAuthorization::new(device_code, user_code, requested.clone(), interval.max(SHORTEST_INTERVAL)))
}

fn code(answer: &mut Answer, name: &str, max: usize) -> Result<Secret, String> {
    answer
        .take_secret(name)?
        .filter(|code| is_visible_ascii(code.expose(), max))
        .ok_or_else(|| format!("answered without a usable {name}"))
}

/// Google calls it `verification_url`, as a draft of the RFC did.
fn verification_uri(answer: &Answer) -> Result<String, String> {
    uri(answer, "verification_uri")
        .or_else(|| uri(answer, "verification_url"))
        .ok_or_else(|| "answered without a usable verification_uri (https, or http on a loopback host)".to_owned())
}

/// A page that people may be sent to.
fn uri(answer: &Answer, name: &'static str) -> Option<String> {
    let text = answer.text(name).filter(|text| is_visible_ascii(text, MAX_URI))?;
    provider_url(name, text).ok().map(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use token_broker_proto::{Secret, calls::ApplicationOptions, oauth::ScopeSet};

    use super::{DeviceAuthorization, Poll, parse};
    use crate::{
        flow::oauth::{ClientContext, token_response, vectors},
        model::Presented,
    };

    fn device_code(authorization: &DeviceAuthorization) -> String {
        let (metadata, client_id) = (vectors::metadata(), vectors::client_id("c"));
        let client = ClientContext {
            metadata: &metadata,
            client_id: &client_id,
            credential: &Presented::Nothing,
            options: &ApplicationOptions::default(),
        };
        let request = authorization.poll_request(client, None, vectors::correlation_id());
        let pairs = url::form_urlencoded::parse(request.body().expose().as_bytes());
        pairs.into_owned().find(|(name, _)| name == "device_code").unwrap().1
    }

    #[test]
    fn every_authorization_vector() {
        vectors::check_all("device_authorization", |case| {
            let now = vectors::time(&case["now"]);
            match parse(&vectors::response(&case["response"]), &ScopeSet::default(), now) {
                Ok(authorization) => {
                    let code = authorization.user_code();
                    assert!(!format!("{authorization:?}").contains(code.user_code.expose()));
                    json!({ "ok": {
                        "device_code": device_code(&authorization),
                        "user_code": code.user_code.expose(),
                        "verification_uri": code.verification_uri,
                        "verification_uri_complete": code.verification_uri_complete.as_ref().map(Secret::expose),
                        "lifetime": authorization.expires_on().seconds() - now.seconds(),
                        "wait": authorization.wait().as_secs(),
                    }})
                }
                Err(error) => token_response::tests::error_json(&error),
            }
        });
    }

    fn poll_json(poll: Poll) -> (Value, Option<DeviceAuthorization>) {
        match poll {
            Poll::Wait(next) => (json!({ "wait": next.wait().as_secs() }), Some(next)),
            Poll::Done(tokens) => (json!({ "done": tokens.access_token.expose() }), None),
            Poll::Expired => (json!({ "expired": true }), None),
            Poll::Declined(words) => (json!({ "declined": words.error }), None),
            Poll::Failed(error) => (json!({ "failed": error.to_string() }), None),
        }
    }

    /// Each case is a run of polls; a step without an answer is a timeout.
    #[test]
    fn every_poll_vector() {
        vectors::check_all("device_poll", |case| {
            let begun = vectors::time(&case["begun"]);
            let start = json!({ "status": 200, "headers": {}, "body": case["authorization"] });
            let mut state = Some(parse(&vectors::response(&start), &ScopeSet::openid(), begun).unwrap());
            let said = case["steps"].as_array().unwrap().iter().map(|step| {
                let waiting = state.take().unwrap();
                let now = vectors::time(&json!(begun.seconds() + step["after"].as_i64().unwrap()));
                let poll = match &step["response"] {
                    Value::Null => waiting.after_timeout(now),
                    response => waiting.after(&vectors::response(response), now),
                };
                let (said, next) = poll_json(poll);
                state = next;
                said
            });
            said.collect()
        });
    }
}
