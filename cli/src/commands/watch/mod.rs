//! `watch`: follows a token. Standard output has tokens only, in the form that `token` has; what else is to say goes to standard
//! error, or is an object of its own with JSON.

mod events;

use std::io;

use token_broker_client::{
    ClientError, SocketPath,
    calls::{TokenAnswer, TokenEvent},
};

pub(super) use events::run as events;

use super::Session;
use crate::{
    arguments::watch::WatchArguments,
    failure::{Exit, Failed},
    output::{
        self, Output,
        json_form::{TokenEventJson, TokenJson},
        visible,
    },
};

/// Follows until the daemon stops.
pub(super) async fn run(session: &Session, arguments: WatchArguments) -> Result<Exit, Failed> {
    let request = arguments.into_request()?;
    let mut watch = session.client()?.watch_token(&request).await?;
    while let Some(event) = watch.next().await? {
        match event {
            TokenEvent::Token(answer) => print(session.output, &answer)?,
            TokenEvent::SignInNeeded(needed) if session.output.is_json() => {
                output::json(&TokenEventJson::from(&needed))?;
            }
            TokenEvent::SignInNeeded(needed) => session.output.note(&visible(&needed.message)),
            TokenEvent::Expired(expired) if session.output.is_json() => {
                output::json(&TokenEventJson::from(&expired))?;
            }
            TokenEvent::Expired(expired) => {
                let why = format!("the token has expired: {}; it is tried again", expired.message);
                session.output.note(&visible(&why));
            }
        }
    }
    Err(stopped(session))
}

/// The stream ended because the daemon stops.
fn stopped(session: &Session) -> Failed {
    let resolved = SocketPath::resolve(session.options.socket.as_deref());
    let stopped = |socket: SocketPath| {
        let cause = io::Error::other("it has stopped");
        ClientError::NoDaemon { socket: socket.as_path().to_owned(), cause }
    };
    resolved.map_or_else(Failed::from, |socket| stopped(socket).into())
}

fn print(output: Output, answer: &TokenAnswer) -> Result<(), Failed> {
    if output.is_json() {
        output::json(&TokenJson::from(answer))?;
    } else {
        output::secret_line(&answer.access_token)?;
    }
    Ok(())
}
