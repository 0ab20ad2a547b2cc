//! Streams that the daemon pushes: a followed token, and everything that happens. Both end without an error when the daemon
//! stops; whoever wants more calls again.

use token_broker_proto::{
    calls::{EventRecord, TokenEvent, TokenRequest},
    oauth::ApplicationName,
    wire::v1,
};
use tonic::Streaming;

use crate::{
    Client, ClientError,
    admin::admin,
    client::{Repeat, broker},
    error::Fault,
};

/// A followed token. Dropping it ends the stream.
#[derive(Debug)]
pub struct TokenWatch {
    events: Streaming<v1::WatchTokenResponse>,
    /// Keeps the connection of the stream alive.
    _client: Client,
}

impl TokenWatch {
    /// Waits for the next state of the token; the first is there at once. `None` when the daemon stops.
    pub async fn next(&mut self) -> Result<Option<TokenEvent>, ClientError> {
        match self.events.message().await {
            Ok(Some(event)) => Ok(Some(event.try_into()?)),
            Ok(None) => Ok(None),
            Err(status) => Err(Fault::from_status(&status).into()),
        }
    }
}

/// What happens at the daemon. Dropping it ends the stream.
#[derive(Debug)]
pub struct EventWatch {
    events: Streaming<v1::WatchEventsResponse>,
    /// Keeps the connection of the stream alive.
    _client: Client,
}

impl EventWatch {
    /// Waits for the next event; the first is [`Event::Resync`](crate::calls::Event::Resync). `None` when the daemon stops.
    pub async fn next(&mut self) -> Result<Option<EventRecord>, ClientError> {
        match self.events.message().await {
            Ok(Some(event)) => Ok(Some(event.try_into()?)),
            Ok(None) => Ok(None),
            Err(status) => Err(Fault::from_status(&status).into()),
        }
    }
}

impl Client {
    /// Follows a token: the current one, then each newer one as soon as the daemon has stored it. The daemon renews it before it
    /// runs out. What it refuses, it says in the first event.
    pub async fn watch_token(&self, request: &TokenRequest) -> Result<TokenWatch, ClientError> {
        let send = |link| {
            let wire = v1::WatchTokenRequest::from(request);
            async move { broker(link).watch_token(wire).await }
        };
        Ok(TokenWatch { events: self.call(Repeat::Harmless, send).await?, _client: self.clone() })
    }

    /// Follows what happens from now on, to one application or to all.
    pub async fn watch_events(&self, application: Option<&ApplicationName>) -> Result<EventWatch, ClientError> {
        let send = |link| {
            let application = application.map(ToString::to_string).unwrap_or_default();
            async move { admin(link).watch_events(v1::WatchEventsRequest { application }).await }
        };
        Ok(EventWatch { events: self.call(Repeat::Harmless, send).await?, _client: self.clone() })
    }
}
