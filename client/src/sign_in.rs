//! A sign-in that is under way: the stream of its events.

use token_broker_proto::{calls::SignInEvent, wire::v1};
use tonic::Streaming;

use crate::{Client, ClientError, error::Fault};

/// A sign-in that is under way. Dropping it cancels the sign-in at the daemon.
#[derive(Debug)]
#[must_use = "dropping it cancels the sign-in"]
pub struct SignIn {
    events: Streaming<v1::SignInResponse>,
    /// Keeps the connection of the stream alive.
    _client: Client,
}

impl SignIn {
    pub(crate) fn new(events: Streaming<v1::SignInResponse>, client: Client) -> Self {
        Self { events, _client: client }
    }

    /// Waits for the next event; `None` after the last one, [`SignInEvent::SignedIn`].
    pub async fn next(&mut self) -> Result<Option<SignInEvent>, ClientError> {
        match self.events.message().await {
            Ok(Some(event)) => Ok(Some(event.try_into()?)),
            Ok(None) => Ok(None),
            Err(status) => Err(Fault::from_status(&status).into()),
        }
    }
}
