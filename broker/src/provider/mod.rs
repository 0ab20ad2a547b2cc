//! One exchange with a provider: sends what a flow built and reads the answer with the flow's own parser. Both desks use it, so
//! it stands below them; it decides nothing, knows no store, and keeps only its manners towards Microsoft and what it found of users'
//! realms.

mod error;
mod federation;
mod instance;
mod managed_identity;
mod manners;

use std::sync::{Arc, Mutex};

use token_broker_proto::{
    Invalid,
    oauth::{Authority, CorrelationId},
};

use federation::Found;
use manners::Manners;

pub use error::{from_http, from_id_token, from_token};
pub use managed_identity::from_source;

use crate::{
    flow::oauth::{
        TokenError, discovery,
        jwks::{self, JwkSet},
        revocation,
        token_response::{self, Requested, TokenResponse},
    },
    model::{DeskError, HttpRequest, HttpResponse, ProviderMetadata},
    ports::{
        Clock, Http,
        http::{HttpError, Network},
    },
};

/// Talks to providers.
#[derive(Clone)]
pub struct Provider {
    http: Arc<dyn Http>,
    clock: Arc<dyn Clock>,
    manners: Arc<Mutex<Manners>>,
    found: Arc<Found>,
}

impl Provider {
    /// Over this connection to the world.
    #[must_use]
    pub fn new(http: Arc<dyn Http>, clock: Arc<dyn Clock>) -> Self {
        Self { http, clock, manners: Arc::default(), found: Arc::default() }
    }

    /// The way to providers, for the diagnosis.
    #[must_use]
    pub fn network(&self) -> Network {
        self.http.network()
    }

    /// The published metadata, at the first of its places that has it.
    pub async fn discover(
        &self,
        authority: &Authority,
        correlation_id: CorrelationId,
    ) -> Result<ProviderMetadata, DeskError> {
        if let Authority::Endpoints(endpoints) = authority {
            return Ok(discovery::by_hand(endpoints, self.clock.now()));
        }
        if let Authority::ManagedIdentity(_) = authority {
            let rule =
                "is a managed identity: nobody signs in to it, and no provider is asked for anything but its tokens";
            return Err(Invalid::new("application", rule).into());
        }
        if let Authority::Microsoft(microsoft) = authority {
            return self.discover_microsoft(microsoft, authority, correlation_id).await;
        }
        let mut missing = None;
        for url in discovery::metadata_urls(authority) {
            let response =
                self.send(discovery::request(&url, correlation_id)).await.map_err(|error| from_http(&error))?;
            match discovery::parse(authority, &response, self.clock.now()) {
                Err(error) if error.is_not_found() => missing = missing.or(Some(error)),
                found => return found.map_err(|error| error::from_discovery(error, authority)),
            }
        }
        Err(missing.map_or_else(
            || DeskError::Internal("an authority without metadata URL".into()),
            |error| error::from_discovery(error, authority),
        ))
    }

    /// The provider's signing keys.
    pub async fn keys(&self, metadata: &ProviderMetadata, correlation_id: CorrelationId) -> Result<JwkSet, DeskError> {
        let url = metadata.jwks_uri.as_ref().ok_or_else(|| DeskError::Unsupported(error::NO_KEYS.into()))?;
        let response = self.send(jwks::request(url, correlation_id)).await.map_err(|error| from_http(&error))?;
        JwkSet::parse(&response).map_err(|error| error::from_jwks(&error))
    }

    /// Tokens for a request to the token endpoint.
    pub async fn tokens<'a>(
        &self,
        request: HttpRequest,
        requested: impl Into<Requested<'a>>,
    ) -> Result<TokenResponse, TokenError> {
        // A token's life begins no later than this, however long the answer takes.
        let asked_on = self.clock.now();
        self.politely(request, |response| token_response::parse(response, requested, asked_on)).await
    }

    /// Revokes a refresh token (RFC 7009).
    pub async fn revoke(&self, request: HttpRequest) -> Result<(), TokenError> {
        let response = self.send(request).await.map_err(|error| error::token_error(&error))?;
        revocation::parse(&response)
    }

    /// The bare exchange, for flows that read the answer themselves.
    pub async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        self.http.send(request).await
    }
}
