//! What a followed token is now: looked up in the cache, and asked for when that is due. Never says anything to the reader.

use std::sync::Arc;

use token_broker_proto::calls::{Subject, TokenAnswer, TokenRequest, TokenSource};

use super::{
    TokenWatch, Told,
    due::{self, Bearing, bearing},
};
use crate::{
    acquire::{
        found::{is_fresh, is_valid},
        managed_identity::subject,
    },
    model::{CachedToken, DeskError, User},
};

/// The token that the cache has now.
pub(super) struct Found {
    pub(super) answer: TokenAnswer,
    pub(super) token: CachedToken,
}

impl TokenWatch {
    /// Asks as `GetToken` does. With a valid token at hand it does not take that one for an answer, so that it learns of a failure.
    pub(super) async fn renew(&mut self, current: Option<&CachedToken>) -> Result<Option<TokenSource>, DeskError> {
        let min_validity = match current {
            Some(token) if self.told != Told::Nothing => Some(due::margin(token, self.request.min_validity)),
            _ => self.request.min_validity,
        };
        let request = TokenRequest { min_validity, subject: self.subject(), ..self.request.clone() };
        match self.desk.acquire_token(&self.caller, &request).await {
            Ok(answer) => {
                self.trouble = None;
                Ok(Some(answer.source))
            }
            Err(error) => match (bearing(&error), self.told) {
                (Bearing::Final, _) | (Bearing::Passing, Told::Nothing) => Err(error),
                (Bearing::AsksForUser | Bearing::Passing, _) => {
                    self.fail(error);
                    Ok(None)
                }
            },
        }
    }

    pub(super) fn fail(&mut self, error: DeskError) {
        self.failures = self.failures.saturating_add(1);
        self.due = due::due_after(self.failures, &error, self.desk.clock.now());
        self.trouble = Some(error);
    }

    pub(super) fn postpone(&mut self) {
        self.failures = self.failures.saturating_add(1);
        self.due = self.desk.clock.now().plus(due::pause(self.failures));
    }

    /// The newest token of the cache that `GetToken` would answer with; else the newest that is valid.
    pub(super) async fn found(&mut self) -> Result<Option<Found>, DeskError> {
        let desk = Arc::clone(&self.desk);
        let wanted = desk.wanted(&self.request).await?;
        let application = &wanted.stored.application;
        self.client = Some(application.client());
        let user = match subject(application, &self.request.subject)? {
            Subject::User(selector) => {
                let user = self.user(|selector| desk.signed_in_user(application, selector), selector.as_deref())?;
                self.home_account_id = Some(user.home_account_id.clone());
                Some(user)
            }
            Subject::Application | Subject::OnBehalfOf(_) => None,
        };
        let partition = match &user {
            Some(user) => wanted.partition(Some(user)),
            None => desk.app_partition(&wanted),
        };
        let now = desk.clock.now();
        let find = |accept: &dyn Fn(&CachedToken) -> bool| desk.vault.find_token(&partition, &wanted.scopes, accept);
        let fresh = find(&|token| is_fresh(token, wanted.min_validity, now))?;
        let token = match fresh {
            Some(token) => Some(token),
            None => find(&|token| is_valid(token, now))?,
        };
        let Some(token) = token else { return Ok(None) };
        let answer = desk.answer(&wanted, user.as_ref(), token.clone(), TokenSource::Cache)?;
        Ok(Some(Found { answer, token }))
    }

    /// The user that is followed: the one that was named, else the one that was found at first for as long as that is signed in.
    fn user(
        &mut self,
        find: impl Fn(Option<&str>) -> Result<User, DeskError>,
        named: Option<&str>,
    ) -> Result<User, DeskError> {
        let known = self.home_account_id.clone();
        match (named, known) {
            (None, Some(known)) => match find(Some(&known)) {
                Err(error) if bearing(&error) == Bearing::AsksForUser => {
                    self.home_account_id = None;
                    find(None)
                }
                found => found,
            },
            (named, _) => find(named),
        }
    }

    fn subject(&self) -> Subject {
        match &self.request.subject {
            Subject::User(None) => Subject::User(self.home_account_id.clone()),
            subject => subject.clone(),
        }
    }
}
