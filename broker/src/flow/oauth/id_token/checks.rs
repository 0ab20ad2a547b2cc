//! The checks on claims, one function each (OpenID Connect Core 1.0, section 3.1.3.7).

use std::time::Duration;

use serde_json::{Map, Value};
use token_broker_proto::{Secret, oauth::UnixTime};

use super::IdTokenError;
use crate::flow::oauth::{
    endpoint::{readable, same_text},
    issuer as issuers,
};

/// How far the provider's clock may be from ours.
const SKEW: Duration = Duration::from_secs(300);
/// Longest `sub` in bytes (section 2).
const MAX_SUBJECT: usize = 255;
/// Longest foreign text in an error.
const MAX_SHOWN: usize = 200;
/// Most audiences that are looked at.
const MAX_AUDIENCES: usize = 64;

type Claims = Map<String, Value>;

fn text<'a>(claims: &'a Claims, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str)
}

/// A time in whole seconds; some providers send fractions.
fn seconds(claims: &Claims, name: &'static str) -> Result<Option<UnixTime>, IdTokenError> {
    let number = match claims.get(name) {
        None => return Ok(None),
        Some(value) => value.as_i64().or_else(|| whole(value.as_f64()?)).ok_or(IdTokenError::Missing(name))?,
    };
    Ok(Some(UnixTime::from_seconds(number)))
}

fn whole(number: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "the fraction is dropped on purpose; the range is checked")]
    (number.abs() < 9e15).then_some(number as i64)
}

/// Section 3.1.3.7, number 2.
pub(super) fn issuer(claims: &Claims, published: &str) -> Result<(), IdTokenError> {
    let actual = text(claims, "iss").ok_or(IdTokenError::Missing("iss"))?;
    let expected = issuers::of_tenant(published, text(claims, "tid")).ok_or(IdTokenError::Missing("tid"))?;
    if !expected.is_empty() && actual == expected {
        Ok(())
    } else {
        Err(IdTokenError::Issuer { expected, actual: readable(actual, MAX_SHOWN) })
    }
}

/// Numbers 3 to 5.
pub(super) fn audience(claims: &Claims, client_id: &str) -> Result<(), IdTokenError> {
    let audiences: Vec<&str> = match claims.get("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) if many.len() <= MAX_AUDIENCES => many.iter().filter_map(Value::as_str).collect(),
        _ => return Err(IdTokenError::Missing("aud")),
    };
    if !audiences.contains(&client_id) {
        let actual = audiences.iter().take(4).map(|text| readable(text, MAX_SHOWN)).collect();
        return Err(IdTokenError::Audience { expected: client_id.to_owned(), actual });
    }
    let party = claims.get("azp");
    let fits = match party {
        None => audiences.len() == 1,
        Some(party) => party == client_id,
    };
    if fits {
        Ok(())
    } else {
        let actual = party.map(|party| readable(party.as_str().unwrap_or("no text"), MAX_SHOWN));
        Err(IdTokenError::AuthorizedParty { expected: client_id.to_owned(), actual })
    }
}

/// Numbers 9 and 10, and `nbf` (RFC 7519, section 4.1.5).
pub(super) fn times(claims: &Claims, now: UnixTime) -> Result<(), IdTokenError> {
    let expires_on = seconds(claims, "exp")?.ok_or(IdTokenError::Missing("exp"))?;
    if expires_on.plus(SKEW) <= now {
        return Err(IdTokenError::Expired { expired_on: expires_on.seconds(), now: now.seconds() });
    }
    let issued_on = seconds(claims, "iat")?.ok_or(IdTokenError::Missing("iat"))?;
    if issued_on > now.plus(SKEW) {
        return Err(IdTokenError::IssuedInFuture { issued_on: issued_on.seconds(), now: now.seconds() });
    }
    match seconds(claims, "nbf")? {
        Some(from) if from > now.plus(SKEW) => {
            Err(IdTokenError::NotYetValid { valid_from: from.seconds(), now: now.seconds() })
        }
        _ => Ok(()),
    }
}

/// Number 11.
pub(super) fn nonce(claims: &Claims, expected: Option<&Secret>) -> Result<(), IdTokenError> {
    match expected {
        Some(nonce) if !text(claims, "nonce").is_some_and(|actual| same_text(nonce.expose(), actual)) => {
            Err(IdTokenError::Nonce)
        }
        _ => Ok(()),
    }
}

/// Number 13.
pub(super) fn age(claims: &Claims, max_age: Option<Duration>, now: UnixTime) -> Result<(), IdTokenError> {
    let Some(max_age) = max_age else { return Ok(()) };
    let signed_in_on = seconds(claims, "auth_time")?.ok_or(IdTokenError::Missing("auth_time"))?;
    if signed_in_on.plus(max_age).plus(SKEW) < now {
        let signed_in_on = signed_in_on.seconds();
        return Err(IdTokenError::TooOld { signed_in_on, max_age: max_age.as_secs(), now: now.seconds() });
    }
    Ok(())
}

/// `sub` (section 2): 1 to 255 ASCII characters.
pub(super) fn subject(claims: &Claims) -> Result<String, IdTokenError> {
    let allowed =
        |text: &&str| (1..=MAX_SUBJECT).contains(&text.len()) && text.bytes().all(|byte| (0x20..=0x7E).contains(&byte));
    text(claims, "sub").filter(allowed).map(str::to_owned).ok_or(IdTokenError::Missing("sub"))
}
