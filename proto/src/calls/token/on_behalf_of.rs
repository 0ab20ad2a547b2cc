//! On whose behalf a service asks: the user assertion that a client sent to it (RFC 7523, section 2.1; RFC 8693, section 2.1),
//! and the session of a process that outlives the assertion.

use crate::{Invalid, Secret, wire::v1};

/// Longest assertion in bytes.
const MAX_ASSERTION: usize = 16 * 1024;
/// Longest session key in bytes.
const MAX_SESSION_KEY: usize = 256;

/// Whose token a service asks for.
#[derive(Debug, Clone)]
pub enum OnBehalfOf {
    /// The user of this assertion.
    Assertion(Secret),
    /// The same, and a session begins that goes on without it; `None` lets the daemon make its key.
    Begin(Secret, Option<SessionKey>),
    /// The user of this session.
    Session(SessionKey),
}

/// Names a session of one application. Whoever knows it and may ask the daemon gets tokens of the user, so it stays out of logs.
#[derive(Debug, Clone)]
pub struct SessionKey(Secret);

impl SessionKey {
    /// Reads a key: visible ASCII, at most 256 characters.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if (1..=MAX_SESSION_KEY).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(Secret::new(text)))
        } else {
            let rule = format!("must be 1 to {MAX_SESSION_KEY} visible ASCII characters, without spaces");
            Err(Invalid::new("session_key", rule))
        }
    }

    /// The key.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl OnBehalfOf {
    /// Reads both fields of a request; `None` if neither is there.
    pub(super) fn parse(assertion: Secret, session_key: Option<&str>) -> Result<Option<Self>, Invalid> {
        let key = |text: &str| if text.is_empty() { Ok(None) } else { SessionKey::parse(text).map(Some) };
        let key = session_key.map(key).transpose()?;
        match (assertion.is_empty(), key) {
            (true, None) => Ok(None),
            (true, Some(Some(key))) => Ok(Some(Self::Session(key))),
            (true, Some(None)) => Err(Invalid::new(
                "session_key",
                "needs on_behalf_of to begin a session, or the key of one that goes on",
            )),
            (false, key) => {
                let assertion = checked(assertion)?;
                Ok(Some(match key {
                    None => Self::Assertion(assertion),
                    Some(key) => Self::Begin(assertion, key),
                }))
            }
        }
    }

    pub(super) fn write(&self, wire: &mut v1::GetTokenRequest) {
        let (assertion, key) = match self {
            Self::Assertion(assertion) => (Some(assertion), None),
            Self::Begin(assertion, key) => {
                (Some(assertion), Some(key.as_ref().map(SessionKey::expose).unwrap_or_default()))
            }
            Self::Session(key) => (None, Some(key.expose())),
        };
        wire.on_behalf_of = assertion.map(|assertion| assertion.expose().to_owned()).unwrap_or_default();
        wire.session_key = key.map(str::to_owned);
    }
}

fn checked(assertion: Secret) -> Result<Secret, Invalid> {
    let text = assertion.expose();
    if text.len() > MAX_ASSERTION {
        return Err(Invalid::new("on_behalf_of", format!("is longer than {MAX_ASSERTION} bytes")));
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Invalid::new("on_behalf_of", "must be one token: visible ASCII characters, without spaces"));
    }
    Ok(assertion)
}

#[cfg(test)]
mod tests {
    use super::{OnBehalfOf, SessionKey};
    use crate::Secret;

    fn parse(assertion: &str, key: Option<&str>) -> Result<Option<OnBehalfOf>, &'static str> {
        OnBehalfOf::parse(Secret::new(assertion), key).map_err(|invalid| invalid.field)
    }

    #[test]
    fn assertion_and_key_say_what_is_meant() {
        assert!(matches!(parse("", None), Ok(None)));
        assert!(matches!(parse("a.b.c", None), Ok(Some(OnBehalfOf::Assertion(_)))));
        assert!(matches!(parse("a.b.c", Some("")), Ok(Some(OnBehalfOf::Begin(_, None)))));
        assert!(matches!(parse("a.b.c", Some("k")), Ok(Some(OnBehalfOf::Begin(_, Some(_))))));
        assert!(matches!(parse("", Some("k")), Ok(Some(OnBehalfOf::Session(_)))));
        assert_eq!(parse("", Some("")).unwrap_err(), "session_key");
    }

    #[test]
    fn what_is_no_token_or_no_key_is_refused() {
        for assertion in ["a b", "a\n", "\u{e9}", &"x".repeat(16 * 1024 + 1)] {
            assert_eq!(parse(assertion, None).unwrap_err(), "on_behalf_of");
        }
        for key in ["a b", "\u{e9}", "\u{1}", &"x".repeat(257)] {
            assert_eq!(parse("a.b.c", Some(key)).unwrap_err(), "session_key");
        }
        assert!(!format!("{:?}", SessionKey::parse("k3y")).contains("k3y"));
    }
}
