//! What the reader of a followed token has not been told yet.

use token_broker_proto::{
    calls::{TokenAnswer, TokenSource},
    oauth::UnixTime,
};

use super::{
    Followed, Held, TokenWatch, Told,
    due::{self, Bearing, bearing},
    found::Found,
};
use crate::model::DeskError;

impl TokenWatch {
    pub(super) fn tell_token(&mut self, found: Found, renewed: Option<TokenSource>) -> Option<Followed> {
        let Found { answer, token } = found;
        let is_told = self.held.as_ref().is_some_and(|held| held.access_token.expose() == token.access_token.expose());
        if renewed.is_some() || !is_told {
            self.trouble = None;
            self.due = due::due(&token, self.request.min_validity);
            if self.due > self.desk.clock.now() {
                self.failures = 0;
            } else if renewed.is_some() {
                // It was renewed and is not fresh: the provider is away, or its tokens live too short.
                self.postpone();
            }
        }
        if !is_told {
            self.told = Told::Token;
            self.held = Some(Held { access_token: token.access_token, expires_on: token.expires_on });
            let source = renewed.unwrap_or(TokenSource::Cache);
            return Some(Followed::Token(Box::new(TokenAnswer { source, ..answer })));
        }
        match &self.trouble {
            Some(error) if bearing(error) == Bearing::AsksForUser => {
                self.tell_sign_in(error.clone(), Some(token.expires_on))
            }
            _ => None,
        }
    }

    pub(super) fn tell_missing(&mut self, renewed: Option<TokenSource>) -> Result<Option<Followed>, DeskError> {
        if renewed.is_some() {
            let error = DeskError::AuthorityUnusable("the provider's token had run out when it came".to_owned());
            if self.told == Told::Nothing {
                return Err(error);
            }
            self.fail(error);
        }
        let Some(error) = self.trouble.clone() else {
            self.due = self.desk.clock.now();
            return Ok(None);
        };
        if bearing(&error) == Bearing::AsksForUser {
            return Ok(self.tell_sign_in(error, None));
        }
        Ok(self.held.take().map(|held| {
            self.told = Told::Expired;
            Followed::Expired { expires_on: held.expires_on, error }
        }))
    }

    /// The cache cannot be read now; the token that was told is good until it ends.
    pub(super) fn tell_unreadable(&mut self, error: DeskError) -> Option<Followed> {
        let now = self.desk.clock.now();
        if self.due <= now {
            self.fail(error.clone());
        }
        let held = self.held.take_if(|held| held.expires_on <= now)?;
        self.told = Told::Expired;
        Some(Followed::Expired { expires_on: held.expires_on, error })
    }

    pub(super) fn tell_sign_in(&mut self, error: DeskError, token_expires_on: Option<UnixTime>) -> Option<Followed> {
        let told = Told::SignInNeeded { has_token: token_expires_on.is_some() };
        if token_expires_on.is_none() {
            self.held = None;
        }
        let is_news = std::mem::replace(&mut self.told, told) != told;
        is_news.then_some(Followed::SignInNeeded { error, token_expires_on })
    }
}
