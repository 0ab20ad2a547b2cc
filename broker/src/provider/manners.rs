//! Manners towards Microsoft's token endpoints: what was just refused is not asked again, and each request says how those before
//! it went. Other providers are sent what the flow built.

use std::{
    collections::HashMap,
    sync::{MutexGuard, PoisonError},
};

use token_broker_proto::oauth::{Authority, ClientId, clouds};

use super::{Provider, error};
use crate::{
    flow::{
        microsoft::{
            telemetry::{self, Call, Since},
            throttle::{Throttle, Watched},
        },
        oauth::TokenError,
    },
    model::{HttpRequest, HttpResponse},
    ports::http::HttpError,
};

/// Most clients whose calls are remembered.
const MAX_CLIENTS: usize = 64;

/// What is remembered; nothing of it outlives the daemon.
#[derive(Debug, Default)]
pub(super) struct Manners {
    throttle: Throttle,
    since: HashMap<(String, String), Since>,
}

impl Manners {
    fn since(&mut self, host: &str, client_id: &str) -> &mut Since {
        let key = (clouds::name(host), client_id.to_owned());
        if self.since.len() >= MAX_CLIENTS && !self.since.contains_key(&key) {
            self.since.clear();
        }
        self.since.entry(key).or_default()
    }
}

impl Provider {
    /// Counts a token that came from the cache, for the next request of the client.
    pub fn note_hit(&self, authority: &Authority, client_id: &ClientId) {
        if let Authority::Microsoft(microsoft) = authority {
            self.manners().since(&microsoft.host, client_id.as_str()).hit();
        }
    }

    pub(super) async fn politely<T>(
        &self,
        mut request: HttpRequest,
        read: impl FnOnce(&HttpResponse) -> Result<T, TokenError>,
    ) -> Result<T, TokenError> {
        let Some(call) = request.extensions().get::<Call>().cloned() else {
            return read(&self.sent(request).await?);
        };
        let host = request.uri().host().unwrap_or_default().to_owned();
        let id = request.headers().get("client-request-id").and_then(|id| id.to_str().ok());
        let asked = (call, id.unwrap_or_default().to_owned());
        let watched = Watched::of(&request);
        let refusal = watched.and_then(|watched| self.manners().throttle.refusal(&watched, self.clock.now()));
        if let Some(refusal) = refusal {
            tracing::info!("the provider refused this very request lately; it is not sent again yet");
            return read(&refusal);
        }
        telemetry::stamp(&mut request, &asked.0, self.manners().since(&host, asked.0.client_id()));
        let response = self.sent(request).await?;
        if let Some(watched) = watched {
            self.manners().throttle.note(&watched, &response, self.clock.now());
        }
        let outcome = read(&response);
        let error = outcome.as_ref().err().map(|error| error.provider().map_or("unknown", |words| &words.error));
        self.manners().since(&host, asked.0.client_id()).ended(&asked, error);
        outcome
    }

    /// Sends one poll of many. It says how calls went before it, and does not count as one: most are answered that it is early.
    pub async fn poll(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        if let Some(call) = request.extensions().get::<Call>().cloned() {
            let host = request.uri().host().unwrap_or_default().to_owned();
            telemetry::stamp(&mut request, &call, self.manners().since(&host, call.client_id()));
        }
        self.send(request).await
    }

    async fn sent(&self, request: HttpRequest) -> Result<HttpResponse, TokenError> {
        self.send(request).await.map_err(|error| error::token_error(&error))
    }

    /// Never left half changed, so a poisoned lock is still good.
    fn manners(&self) -> MutexGuard<'_, Manners> {
        self.manners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
