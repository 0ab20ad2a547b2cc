//! Sessions: a process that acts on behalf of a user and goes on after the assertion has expired. It begins with an assertion,
//! under a key of the application's own or of the daemon's making, and keeps its refresh token as a grant of that name; the
//! machinery of grants does the rest. It ends by sign-out, or when the provider refuses it.

use std::sync::Arc;

use token_broker_proto::{
    Invalid, Secret,
    calls::{SessionKey, TokenAnswer, TokenSource},
    oauth::Authority,
};

use super::Exchange;
use crate::{
    acquire::{Desk, FlightKey, Purpose, refresh_token::Refresh, renewal::Renewal, silent::Wanted},
    flow::cache_key,
    model::{Client, DeskError, Grant, GrantKey, Interaction, RegisteredApplication, TokenPartition},
};

impl Desk {
    /// Begins a session, or begins it anew: always with a request, so that it is of the assertion's user and of nobody else.
    pub(super) async fn begin_session(
        self: &Arc<Self>,
        wanted: Wanted,
        (assertion, given): (&Secret, Option<&SessionKey>),
    ) -> Result<TokenAnswer, DeskError> {
        only_microsoft(&wanted.stored.application)?;
        let made = match given {
            Some(_) => None,
            None => Some(self.new_session_key()?),
        };
        let Some(key) = given.or(made.as_ref()) else {
            return Err(DeskError::Internal("a session without key".into()));
        };
        let (wanted, partition, grant_key) = of_session(wanted, key);
        let exchange = Exchange::new(&wanted, partition.clone(), assertion).beginning(grant_key.clone());
        // No caller with another assertion may share the outcome.
        let parts = [("begins", partition.extra.as_str()), ("assertion", assertion.expose())];
        let purpose = Purpose { forced: true, extra: cache_key(&parts), ..wanted.purpose.clone() };
        let begins = Wanted { purpose, ..wanted };
        let key = FlightKey::Grant(grant_key);
        let (token, source) = self.fly(&begins, &partition, &key, |_| self.exchange_flight(exchange.clone())).await?;
        Ok(TokenAnswer { session_key: made, ..self.answer(&begins, None, token, source)? })
    }

    /// A token of a session: cached, else by its grant.
    pub(super) async fn by_session(
        self: &Arc<Self>,
        wanted: Wanted,
        key: &SessionKey,
    ) -> Result<TokenAnswer, DeskError> {
        only_microsoft(&wanted.stored.application)?;
        let (wanted, partition, grant_key) = of_session(wanted, key);
        let user = self.vault.find_grant(&grant_key)?.and_then(|(_, grant)| grant.user);
        let user = user.ok_or_else(|| DeskError::InteractionRequired {
            application: wanted.stored.application.name.to_string(),
            why: Interaction::NoSession,
        })?;
        let refresh = Refresh::new(&wanted, &user, partition.clone()).with(grant_key);
        let (token, source) = match self.fresh(&wanted, &partition)? {
            Some(token) => (token, TokenSource::Cache),
            None => self.refreshed_by(&wanted, refresh.clone(), &partition).await?,
        };
        self.note_use(&wanted, &partition, &token, || Renewal::User(Arc::new(refresh)));
        self.answer(&wanted, None, token, source)
    }

    /// Ends the session of this key, if there is one; its grant.
    pub(in crate::acquire) async fn end_session(&self, client: &Client, key: &str) -> Result<Option<Grant>, DeskError> {
        let Ok(key) = SessionKey::parse(key) else { return Ok(None) };
        let key = grant_key(client, &key);
        let home_account_id = key.home_account_id.clone();
        let taken = self.vault.take_session(client, key).await?;
        self.in_use.forget_account(client, &home_account_id);
        Ok(taken)
    }

    /// A key that nobody guesses.
    fn new_session_key(&self) -> Result<SessionKey, DeskError> {
        let key = SessionKey::parse(&self.new_correlation_id().to_string());
        key.map_err(|invalid| DeskError::Internal(invalid.to_string()))
    }
}

fn only_microsoft(application: &RegisteredApplication) -> Result<(), DeskError> {
    match application.authority {
        Authority::Microsoft(_) => Ok(()),
        Authority::OpenIdConnect { .. } | Authority::Endpoints(_) | Authority::ManagedIdentity(_) => {
            let rule = "is for Microsoft's identity platform only: an exchange elsewhere brings no refresh token";
            Err(Invalid::new("session_key", rule).into())
        }
    }
}

/// The key itself is not kept.
fn grant_key(client: &Client, key: &SessionKey) -> GrantKey {
    client.session_grant_key(&format!("session {}", cache_key(&[("session_key", key.expose())])))
}

/// The request as one of a session: its tokens are in a partition that no account and no other session has.
fn of_session(wanted: Wanted, key: &SessionKey) -> (Wanted, TokenPartition, GrantKey) {
    let wanted = wanted.apart(&[("session_key", key.expose())]);
    let grant_key = grant_key(&wanted.stored.application.client(), key);
    let partition =
        TokenPartition { home_account_id: Some(grant_key.home_account_id.clone()), ..wanted.partition(None) };
    (wanted, partition, grant_key)
}
