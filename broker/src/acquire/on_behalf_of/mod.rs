//! `GetToken` on behalf of a user who is not signed in here: a client has sent the user's token, and a service asks for one of
//! another service with it. What comes is cached for that very token, and no account comes of it; the request itself is in
//! `exchange`, what outlives the user's token in `session`.

mod exchange;
mod session;

use std::sync::Arc;

use token_broker_proto::{
    Invalid, Secret,
    calls::{OnBehalfOf, TokenAnswer, TokenSource},
    oauth::Authority,
};

use exchange::Exchange;

use super::{
    Desk, FlightKey, extras,
    silent::{Refreshed, Wanted},
};
use crate::{
    flow::{cache_key, oauth::on_behalf_of},
    model::{Credential, DeskError, RegisteredApplication, TokenPartition},
};

impl Desk {
    /// A valid access token of the user that is meant.
    pub(super) async fn for_user_of(
        self: &Arc<Self>,
        wanted: Wanted,
        user: &OnBehalfOf,
    ) -> Result<TokenAnswer, DeskError> {
        let application = &wanted.stored.application;
        if let Credential::Public = application.credential {
            let rule = "needs an application with a credential: add it with --client-secret-stdin or --certificate";
            return Err(Invalid::new("on_behalf_of", rule).into());
        }
        match user {
            OnBehalfOf::Assertion(assertion) => {
                check(application, assertion)?;
                self.by_assertion(&wanted.apart(&[("assertion", assertion.expose())]), assertion).await
            }
            OnBehalfOf::Begin(assertion, key) => {
                check(application, assertion)?;
                self.begin_session(wanted, (assertion, key.as_ref())).await
            }
            OnBehalfOf::Session(key) => self.by_session(wanted, key).await,
        }
    }

    async fn by_assertion(self: &Arc<Self>, wanted: &Wanted, assertion: &Secret) -> Result<TokenAnswer, DeskError> {
        let partition = wanted.partition(None);
        let (token, source) = match self.fresh(wanted, &partition)? {
            Some(token) => (token, TokenSource::Cache),
            None => match self.exchanged(wanted, &partition, assertion).await {
                Ok(found) => found,
                Err(error) => self.valid_or(wanted, &partition, error)?,
            },
        };
        self.answer(wanted, None, token, source)
    }

    async fn exchanged(self: &Arc<Self>, wanted: &Wanted, partition: &TokenPartition, assertion: &Secret) -> Refreshed {
        let exchange = Exchange::new(wanted, partition.clone(), assertion);
        let key = FlightKey::Assertion(partition.clone(), wanted.scopes.clone());
        self.fly(wanted, partition, &key, |_| self.exchange_flight(exchange.clone())).await
    }
}

impl Wanted {
    /// The same, kept apart by what goes along and by this.
    fn apart(mut self, by: &[(&str, &str)]) -> Self {
        let parts: Vec<_> = extras::parts(&self.extras).into_iter().chain(by.iter().copied()).collect();
        self.purpose.extra = self.stored.application.options.added() + &cache_key(&parts);
        self
    }
}

/// Microsoft takes nothing but a JWT. Whether it has expired is the provider's to say, by its own clock.
fn check(application: &RegisteredApplication, assertion: &Secret) -> Result<(), DeskError> {
    match application.authority {
        Authority::Microsoft(_) if !on_behalf_of::is_jwt(assertion) => {
            let rule = "is not a JWT: send the access token that the client sent to this application";
            Err(Invalid::new("on_behalf_of", rule).into())
        }
        _ => Ok(()),
    }
}
