//! The request that hands a user's assertion over for a token of another service, as it runs in its own flight. There is no grant
//! to note a failure at, so the pause after one is in memory. The assertion is gone when the flight ends.

use std::sync::Arc;

use token_broker_proto::{
    Secret,
    calls::TokenSource,
    oauth::{Authority, CorrelationId, ScopeSet},
};
use tracing::Instrument;

use crate::{
    acquire::{
        Desk, FlightKey, Purpose,
        metadata::Issued,
        silent::{Refreshed, Wanted},
    },
    flow::oauth::{
        ClientContext, TokenError, TokenParameters,
        id_token::Expectation,
        on_behalf_of::{
            self,
            token_exchange::{self, Exchange as TokenExchange},
        },
        token_response::{Requested, TokenResponse},
    },
    metrics::Outcome,
    model::{CachedToken, DeskError, Grant, GrantKey, HttpRequest, Interaction, TokenPartition, TokenSubject, User},
    provider::from_token,
    store::{Saved, SessionRecord, StoredApplication},
};

/// Everything the request needs to know, so that it can outlive the call that started it.
#[derive(Clone)]
pub(super) struct Exchange {
    stored: Arc<StoredApplication>,
    partition: TokenPartition,
    scopes: ScopeSet,
    purpose: Purpose,
    assertion: Secret,
    /// Name and address of the service, in a token exchange.
    service: (Option<String>, Option<String>),
    /// The session that begins with it.
    session: Option<GrantKey>,
    correlation_id: CorrelationId,
}

impl Exchange {
    pub(super) fn new(wanted: &Wanted, partition: TokenPartition, assertion: &Secret) -> Self {
        Self {
            stored: Arc::clone(&wanted.stored),
            partition,
            scopes: wanted.scopes.clone(),
            purpose: wanted.purpose.clone(),
            assertion: assertion.clone(),
            service: (wanted.extras.audience.clone(), wanted.extras.resource.clone()),
            session: None,
            correlation_id: wanted.correlation_id,
        }
    }

    /// The same as the beginning of a session.
    pub(super) fn beginning(self, session: GrantKey) -> Self {
        Self { session: Some(session), ..self }
    }

    fn key(&self) -> FlightKey {
        match &self.session {
            Some(session) => FlightKey::Grant(session.clone()),
            None => FlightKey::Assertion(self.partition.clone(), self.scopes.clone()),
        }
    }

    fn is_microsoft(&self) -> bool {
        matches!(self.stored.application.authority, Authority::Microsoft(_))
    }

    /// Reserved scopes ask for a user's other tokens: Microsoft adds them itself, elsewhere an exchange brings none.
    fn request(&self, client: ClientContext<'_>) -> HttpRequest {
        let claims = self.purpose.claims_to_send(&self.stored.application);
        if let Some(scopes) = &self.purpose.scopes {
            let (scopes, binding) = (Some(scopes), &self.purpose.binding);
            let parameters = TokenParameters { scopes, claims: claims.as_ref(), binding };
            return on_behalf_of::request(client, &self.assertion, parameters, self.correlation_id);
        }
        let (audience, resource) = &self.service;
        let exchange = TokenExchange {
            subject_token: &self.assertion,
            scopes: &self.scopes.without_reserved(),
            audience: audience.as_deref(),
            resource: resource.as_deref(),
            claims: claims.as_ref(),
        };
        token_exchange::request(client, exchange, self.correlation_id)
    }

    /// What a refusal means: only where the user's token came from can somebody sign in.
    fn refused(&self, error: TokenError) -> DeskError {
        let asks_for_user = error.needs_interaction();
        match error {
            TokenError::Refused(provider) if asks_for_user => DeskError::InteractionRequired {
                application: self.stored.application.name.to_string(),
                why: Interaction::OnBehalfOf(provider),
            },
            other => from_token(other),
        }
    }

    /// Whether the answer is what was asked for. Microsoft may name its scopes otherwise.
    fn check(&self, response: &TokenResponse) -> Result<(), DeskError> {
        if self.is_microsoft() {
            return Ok(());
        }
        token_exchange::check(response).map_err(from_token)?;
        if self.scopes.is_covered_by(&response.scopes) {
            return Ok(());
        }
        Err(DeskError::AuthorityUnusable("the provider granted fewer scopes than were asked for".to_owned()))
    }
}

impl Desk {
    /// The request with a span of its own: it outlives the call that started it.
    pub(super) fn exchange_flight(
        self: &Arc<Self>,
        exchange: Exchange,
    ) -> impl Future<Output = Refreshed> + Send + 'static {
        let span = tracing::info_span!("on_behalf_of", correlation_id = %exchange.correlation_id);
        Arc::clone(self).exchange_assertion(exchange).instrument(span)
    }

    async fn exchange_assertion(self: Arc<Self>, exchange: Exchange) -> Refreshed {
        let key = (exchange.stored.stamp, exchange.key());
        self.pauses.check(&key, self.clock.now(), !exchange.purpose.may_use_cache())?;
        let mut unsent = false;
        let outcome = self.hand_over(&exchange, &mut unsent).await;
        self.note_outcome(key, outcome, unsent)
    }

    /// Asks the provider; notes whether the request never went out.
    async fn hand_over(self: &Arc<Self>, exchange: &Exchange, unsent: &mut bool) -> Refreshed {
        let application = &exchange.stored.application;
        let metadata = self.unless_stopped(self.metadata(&application.authority, exchange.correlation_id)).await?;
        let credential = self.presented(application, &metadata, exchange.correlation_id).await?;
        let client = ClientContext::of(application, &metadata, &credential);
        let count = |outcome| self.metrics.calls.asked_on_behalf_of(outcome);
        let requested = Requested { scopes: &exchange.scopes, binding: &exchange.purpose.binding };
        let answered = self.provider.tokens(exchange.request(client), requested).await;
        let response = answered.map_err(|error| {
            count(Outcome::Failed);
            *unsent = matches!(error, TokenError::NotSent(_));
            exchange.refused(error)
        })?;
        exchange.check(&response)?;
        let subject = self.subject(exchange, client, &response).await?;
        match self.save_exchanged(exchange, &response, subject).await? {
            (token, Saved::Done) => {
                count(Outcome::Saved);
                Ok((token, TokenSource::IdentityProvider))
            }
            (_, Saved::Discarded) => {
                count(Outcome::Discarded);
                Err(DeskError::ApplicationNotFound(application.name.to_string()))
            }
        }
    }

    /// Whose token came, as far as its ID token says so.
    async fn subject(
        &self,
        exchange: &Exchange,
        client: ClientContext<'_>,
        response: &TokenResponse,
    ) -> Result<Option<TokenSubject>, DeskError> {
        if !exchange.is_microsoft() {
            return Ok(None);
        }
        let issued = Issued {
            authority: &exchange.stored.application.authority,
            metadata: client.metadata,
            expected: Expectation::without_nonce(client),
            correlation_id: exchange.correlation_id,
        };
        let verified = self.unless_stopped(self.verified(&issued, response)).await?;
        Ok(verified.map(|(user, documents)| TokenSubject { user, id_token: Some(documents.id_token) }))
    }

    /// Saves the token, and the refresh token with it where a session begins; without one it is not kept.
    async fn save_exchanged(
        &self,
        exchange: &Exchange,
        response: &TokenResponse,
        subject: Option<TokenSubject>,
    ) -> Result<(CachedToken, Saved), DeskError> {
        let user = subject.as_ref().map(|subject| subject.user.clone());
        let token = CachedToken { subject: subject.map(Box::new), ..response.cached() };
        let (application, kept) = (exchange.stored.stamp, (exchange.partition.clone(), token.clone()));
        let saved = match &exchange.session {
            None => self.vault.save_app_token(application, kept.0, kept.1).await?,
            Some(session) => {
                let client = exchange.stored.application.client();
                let grant = (session.clone(), self.session_grant(response, user)?);
                self.vault.save_session(SessionRecord { application, client, grant, token: kept }).await?
            }
        };
        Ok((token, saved))
    }

    /// What the session goes on with.
    fn session_grant(&self, response: &TokenResponse, user: Option<User>) -> Result<Grant, DeskError> {
        let (Some(refresh_token), Some(user)) = (response.refresh_token.clone(), user) else {
            let what = "the provider answered without a refresh token or without an ID token, so no session can begin";
            return Err(DeskError::AuthorityUnusable(what.to_owned()));
        };
        let grant = Grant::issued(refresh_token, response.scopes.clone(), self.clock.now());
        Ok(Grant { user: Some(user), ..grant })
    }
}
