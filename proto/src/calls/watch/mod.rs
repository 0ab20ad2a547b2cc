//! `WatchToken`: what may be followed, and the events of its stream. The events of `WatchEvents` are in `event`.

mod event;

pub use event::{Event, EventRecord, Renewal, RenewalFailure};

use super::{Incomplete, OnBehalfOf, Subject, TokenAnswer, TokenRequest, given};
use crate::{Invalid, Reason, oauth::UnixTime, wire::v1};

/// A token request that can be followed: what a single answer would be made for (`force_refresh`, `claims`, a user assertion)
/// is not in it.
#[derive(Debug, Clone)]
pub struct WatchRequest(TokenRequest);

impl WatchRequest {
    /// The token that is followed.
    #[must_use]
    pub fn token(&self) -> &TokenRequest {
        &self.0
    }
}

impl TryFrom<TokenRequest> for WatchRequest {
    type Error = Invalid;

    fn try_from(request: TokenRequest) -> Result<Self, Invalid> {
        let rule = "cannot be followed; leave it out";
        if request.force_refresh {
            return Err(Invalid::new("force_refresh", rule));
        }
        if request.claims.is_some() {
            return Err(Invalid::new("claims", rule));
        }
        match request.subject {
            Subject::OnBehalfOf(OnBehalfOf::Session(_)) => Err(Invalid::new("session_key", rule)),
            Subject::OnBehalfOf(_) => Err(Invalid::new("on_behalf_of", rule)),
            Subject::User(_) | Subject::Application => Ok(Self(request)),
        }
    }
}

impl TryFrom<v1::WatchTokenRequest> for WatchRequest {
    type Error = Invalid;

    fn try_from(wire: v1::WatchTokenRequest) -> Result<Self, Invalid> {
        let token = wire.token.ok_or_else(|| Invalid::new("token", "says which token to follow"))?;
        TokenRequest::try_from(token)?.try_into()
    }
}

impl From<&TokenRequest> for v1::WatchTokenRequest {
    fn from(request: &TokenRequest) -> Self {
        Self { token: Some(request.into()) }
    }
}

/// The state of a followed token.
#[derive(Debug, Clone)]
pub enum TokenEvent {
    /// The current token: first, and each newer one.
    Token(Box<TokenAnswer>),
    /// It cannot be renewed without the user.
    SignInNeeded(SignInNeeded),
    /// It ran out, and there is no newer one for now.
    Expired(TokenExpired),
}

/// Says that a sign-in is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInNeeded {
    /// Why, for people, with the command to run.
    pub message: String,
    /// Claims that the sign-in must ask for, JSON.
    pub claims: Option<String>,
    /// When the token that was told last ends; `None`: there is none any more.
    pub token_expires_on: Option<UnixTime>,
}

/// Says that there is no valid token for now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenExpired {
    /// When the last one ended.
    pub expires_on: UnixTime,
    /// Why there is no newer one.
    pub reason: Reason,
    /// The same for people.
    pub message: String,
}

impl From<TokenEvent> for v1::WatchTokenResponse {
    fn from(event: TokenEvent) -> Self {
        use v1::watch_token_response::Event;
        let event = match event {
            TokenEvent::Token(answer) => Event::Token((*answer).into()),
            TokenEvent::SignInNeeded(needed) => Event::SignInNeeded(v1::SignInNeeded {
                message: needed.message,
                claims: needed.claims.unwrap_or_default(),
                token_expires_on: needed.token_expires_on.map_or(0, UnixTime::seconds),
            }),
            TokenEvent::Expired(expired) => Event::TokenExpired(v1::TokenExpired {
                expires_on: expired.expires_on.seconds(),
                reason: expired.reason.as_str().to_owned(),
                message: expired.message,
            }),
        };
        Self { event: Some(event) }
    }
}

impl TryFrom<v1::WatchTokenResponse> for TokenEvent {
    type Error = Incomplete;

    fn try_from(wire: v1::WatchTokenResponse) -> Result<Self, Incomplete> {
        use v1::watch_token_response::Event;
        Ok(match wire.event.ok_or(Incomplete("event"))? {
            Event::Token(answer) => Self::Token(Box::new(answer.try_into()?)),
            Event::SignInNeeded(needed) => Self::SignInNeeded(SignInNeeded {
                message: needed.message,
                claims: given(needed.claims),
                token_expires_on: UnixTime::from_wire(needed.token_expires_on),
            }),
            Event::TokenExpired(expired) => Self::Expired(TokenExpired {
                expires_on: UnixTime::from_seconds(expired.expires_on),
                reason: expired.reason.parse().map_err(|_| Incomplete("reason"))?,
                message: expired.message,
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{SignInNeeded, TokenEvent, TokenExpired, WatchRequest};
    use crate::{Reason, oauth::UnixTime, wire::v1};

    #[test]
    fn only_what_lasts_can_be_followed() {
        let request = |token| WatchRequest::try_from(v1::WatchTokenRequest { token });
        let plain = v1::GetTokenRequest { application: "mail".into(), ..Default::default() };
        assert!(request(Some(plain.clone())).is_ok());
        for (field, token) in [
            ("token", None),
            ("force_refresh", Some(v1::GetTokenRequest { force_refresh: true, ..plain.clone() })),
            ("claims", Some(v1::GetTokenRequest { claims: "{}".into(), ..plain.clone() })),
            ("on_behalf_of", Some(v1::GetTokenRequest { on_behalf_of: "a".into(), ..plain })),
        ] {
            assert_eq!(request(token).map(|_| ()).map_err(|invalid| invalid.field), Err(field));
        }
    }

    #[test]
    fn every_event_reads_back() {
        let needed = SignInNeeded { message: "m".into(), claims: None, token_expires_on: None };
        let later = SignInNeeded {
            claims: Some("{}".into()),
            token_expires_on: Some(UnixTime::from_seconds(7)),
            ..needed.clone()
        };
        let (reason, message) = (Reason::AuthorityUnavailable, "away".to_owned());
        let expired = TokenExpired { expires_on: UnixTime::from_seconds(7), reason, message };
        for event in [TokenEvent::SignInNeeded(needed), TokenEvent::SignInNeeded(later), TokenEvent::Expired(expired)] {
            let wire = v1::WatchTokenResponse::from(event.clone());
            assert_eq!(format!("{:?}", TokenEvent::try_from(wire).unwrap()), format!("{event:?}"));
        }
        assert!(TokenEvent::try_from(v1::WatchTokenResponse { event: None }).is_err());
    }
}
