//! The streams of `WatchToken` and `WatchEvents` on the wire. They are pulled: what a reader does not take is not made. An open
//! stream is nothing that a stop waits for: it ends.

use std::{pin::Pin, sync::Arc};

use futures_util::stream::unfold;
use token_broker_proto::{
    calls::{SignInNeeded, TokenEvent, TokenExpired, WatchRequest},
    oauth::CorrelationId,
    wire::v1,
};
use tokio_stream::Stream;
use tonic::{Request, Response, Status};

use super::{call::Call, failure::failure, token_broker::optional_name};
use crate::acquire::{Desk, EventWatch, Followed, TokenWatch};

/// A stream of answers.
pub(super) type Answers<W> = Pin<Box<dyn Stream<Item = Result<W, Status>> + Send>>;

/// Follows a token.
pub(super) fn token(
    desk: &Arc<Desk>,
    request: Request<v1::WatchTokenRequest>,
) -> Result<Response<Answers<v1::WatchTokenResponse>>, Status> {
    let given = request.get_ref().token.as_ref().map_or("", |token| token.correlation_id.as_str());
    let call = Call::begin(&request, "WatchToken", given, desk)?;
    let started = call.run(|| {
        let request = WatchRequest::try_from(request.into_inner())?;
        Ok(desk.watch_token(&call.caller, &request, call.correlation_id))
    });
    let watch = started.map_err(|error| call.fail(error))?;
    Ok(Response::new(Box::pin(unfold((watch, call.waits_only()), next_token))))
}

async fn next_token(
    (mut watch, call): (TokenWatch, Call),
) -> Option<(Result<v1::WatchTokenResponse, Status>, (TokenWatch, Call))> {
    let answer = match watch.next().await? {
        Ok(followed) => Ok(told(followed, call.correlation_id).into()),
        Err(error) => Err(call.fail(error)),
    };
    Some((answer, (watch, call)))
}

/// The state in the words of the wire: the text of an error is the same as in a failed call.
fn told(followed: Followed, correlation_id: CorrelationId) -> TokenEvent {
    match followed {
        Followed::Token(answer) => TokenEvent::Token(answer),
        Followed::SignInNeeded { error, token_expires_on } => {
            let failure = failure(error, correlation_id);
            let claims = failure.provider.and_then(|provider| provider.claims);
            TokenEvent::SignInNeeded(SignInNeeded { message: failure.message, claims, token_expires_on })
        }
        Followed::Expired { expires_on, error } => {
            let failure = failure(error, correlation_id);
            TokenEvent::Expired(TokenExpired { expires_on, reason: failure.reason, message: failure.message })
        }
    }
}

/// Follows what happens.
pub(super) fn events(
    desk: &Arc<Desk>,
    request: &Request<v1::WatchEventsRequest>,
) -> Result<Response<Answers<v1::WatchEventsResponse>>, Status> {
    let call = Call::begin(request, "WatchEvents", "", desk)?;
    let started = call.run(|| Ok(desk.watch_events(&call.caller, optional_name(&request.get_ref().application)?)));
    let watch = started.map_err(|error| call.fail(error))?;
    let next = |mut watch: EventWatch| async {
        let record = watch.next().await?;
        Some((Ok(record.into()), watch))
    };
    Ok(Response::new(Box::pin(unfold(watch, next))))
}
