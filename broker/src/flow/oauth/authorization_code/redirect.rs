//! What the browser brings back (RFC 6749, section 4.1.2; RFC 9207, section 2.4): the state before anything else, then the
//! issuer, then the code or the error. Anybody on this machine can send to a loopback port, so nothing without our state
//! may end the sign-in.

use std::{borrow::Cow, collections::BTreeMap};

use token_broker_proto::{ProviderError, Secret};
use url::form_urlencoded;

use super::State;
use crate::flow::oauth::{
    endpoint::{is_visible_ascii, readable, same_text},
    issuer,
};

/// Longest query or form body in bytes.
pub(super) const MAX_PARAMS: usize = 16 * 1024;
/// Longest authorization code in bytes.
const MAX_CODE: usize = 8 * 1024;

/// An authorization code that came with our state; `PendingAuthorization::accept` alone makes it.
#[derive(Debug)]
pub struct Redirect {
    code: Secret,
    client_info: Option<String>,
}

/// What came is not the code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RedirectError {
    /// No state, another state, or more than one: not the answer to this request. Keep waiting.
    #[error("the state is not the one of this sign-in")]
    ForeignState,
    /// Too long to be looked at. Keep waiting.
    #[error("more than {MAX_PARAMS} bytes of parameters")]
    TooLarge,
    /// A parameter that came more than once (RFC 6749, section 3.1).
    #[error("the parameter {0:?} came more than once")]
    Repeated(String),
    /// Another provider's answer: a mix-up.
    #[error("the answer {}, expected {expected:?}", from_whom(actual.as_deref()))]
    ForeignIssuer {
        /// The provider's issuer.
        expected: String,
        /// The parameter `iss`; `None` if this provider always sends it and did not.
        actual: Option<String>,
    },
    /// The provider, or the user, said no.
    #[error("the provider answered {}", .0.error)]
    Refused(Box<ProviderError>),
    /// Neither an error nor a code that could be one.
    #[error("the answer has no usable code")]
    NoCode,
}

fn from_whom(issuer: Option<&str>) -> String {
    issuer.map_or_else(|| "does not say its issuer".to_owned(), |issuer| format!("comes from the issuer {issuer:?}"))
}

impl RedirectError {
    /// Whether it came from somebody else: the caller keeps waiting. Anything else ends the sign-in.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        match self {
            Self::ForeignState | Self::TooLarge => true,
            Self::Repeated(_) | Self::ForeignIssuer { .. } | Self::Refused(_) | Self::NoCode => false,
        }
    }
}

/// What the answer is held against.
pub(super) struct Expected<'a> {
    pub(super) state: &'a Secret,
    pub(super) issuer: &'a str,
    pub(super) sends_issuer: bool,
}

impl Redirect {
    pub(super) fn into_code(self) -> Secret {
        self.code
    }

    /// `client_info` of Microsoft, which came beside the code.
    pub(super) fn client_info(&self) -> Option<&str> {
        self.client_info.as_deref()
    }
}

/// Checks the parameters.
pub(super) fn accept(params: &str, expected: &Expected<'_>) -> Result<Redirect, RedirectError> {
    if params.len() > MAX_PARAMS {
        return Err(RedirectError::TooLarge);
    }
    check_state(params, expected.state)?;
    let mut params = once_each(params)?;
    check_issuer(params.get("iss").map(AsRef::as_ref), expected)?;
    if let Some(refusal) = refusal(&params) {
        return Err(RedirectError::Refused(Box::new(refusal)));
    }
    match params.remove("code") {
        Some(code) if is_visible_ascii(&code, MAX_CODE) => {
            Ok(Redirect { code: Secret::new(code), client_info: params.remove("client_info").map(Cow::into_owned) })
        }
        _ => Err(RedirectError::NoCode),
    }
}

fn check_state(params: &str, state: &Secret) -> Result<(), RedirectError> {
    match State::of(params) {
        Some(theirs) if same_text(state.expose(), theirs.secret().expose()) => Ok(()),
        _ => Err(RedirectError::ForeignState),
    }
}

type Params<'a> = BTreeMap<Cow<'a, str>, Cow<'a, str>>;

fn once_each(params: &str) -> Result<Params<'_>, RedirectError> {
    let mut once = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(params.as_bytes()) {
        let shown = readable(&name, 64);
        if once.insert(name, value).is_some() {
            return Err(RedirectError::Repeated(shown));
        }
    }
    Ok(once)
}

/// RFC 9207, section 2.4. Of endpoints given by hand no issuer is known, and none is checked.
fn check_issuer(actual: Option<&str>, expected: &Expected<'_>) -> Result<(), RedirectError> {
    let fits = match actual {
        None => !expected.sends_issuer,
        Some(actual) => expected.issuer.is_empty() || issuer::fits(expected.issuer, actual),
    };
    if fits {
        return Ok(());
    }
    Err(RedirectError::ForeignIssuer {
        expected: expected.issuer.to_owned(),
        actual: actual.map(|actual| readable(actual, 200)),
    })
}

/// Only what the standard defines is kept (RFC 6749, section 4.1.2.1): the rest could be anybody's invention.
fn refusal(params: &Params<'_>) -> Option<ProviderError> {
    let text = |name: &str, limit| params.get(name).map(|text| readable(text, limit)).filter(|text| !text.is_empty());
    Some(ProviderError {
        error: text("error", 128)?,
        description: text("error_description", 2048),
        error_uri: text("error_uri", 2048),
        ..ProviderError::default()
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use token_broker_proto::Secret;

    use super::{Expected, RedirectError, accept};
    use crate::flow::oauth::vectors;

    fn error_json(error: &RedirectError) -> Value {
        let mut json = json!({ "error": error.to_string(), "foreign": error.is_foreign() });
        if let RedirectError::Refused(words) = error {
            json["refusal"] = json!({ "error": words.error });
            for (name, text) in [("description", &words.description), ("error_uri", &words.error_uri)] {
                if let Some(text) = text {
                    json["refusal"][name] = json!(text);
                }
            }
            assert_eq!(words.claims, None);
        }
        json
    }

    #[test]
    fn every_vector() {
        vectors::check_all("redirect", |case| {
            let state = Secret::new(vectors::text(case, "state"));
            let expected = Expected {
                state: &state,
                issuer: vectors::text(case, "issuer"),
                sends_issuer: case["sends_issuer"].as_bool().unwrap(),
            };
            match accept(vectors::text(case, "params"), &expected) {
                Ok(redirect) => json!({ "code": redirect.into_code().expose() }),
                Err(error) => error_json(&error),
            }
        });
    }

    proptest! {
        #[test]
        fn without_our_state_nothing_ends_the_sign_in(params in "(\\PC|[&=%a-z])*") {
            let state = Secret::new("0123456789012345678901234567890123456789012");
            let expected = Expected { state: &state, issuer: "", sends_issuer: false };
            let outcome = accept(&params, &expected);
            prop_assert!(outcome.is_err_and(|error| error.is_foreign()));
        }

        #[test]
        fn with_our_state_anything_is_read_without_panic(params in "(\\PC|[&=%a-z])*") {
            let state = Secret::new("s");
            let expected = Expected { state: &state, issuer: "", sends_issuer: false };
            let outcome = accept(&format!("{params}&state=s"), &expected);
            prop_assert!(outcome.is_ok() || params.contains("state") || !outcome.is_err_and(|error| error.is_foreign()));
        }
    }
}
