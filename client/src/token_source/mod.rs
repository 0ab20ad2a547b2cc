//! A token that is always at hand: one task follows it at the daemon and keeps the last one that was pushed; reading it is a look
//! into memory and at the clock, no call and no system call.

mod follow;
mod slot;

use std::{sync::Arc, time::Duration};

use token_broker_proto::{
    Failure,
    calls::{SignInNeeded, TokenAnswer, TokenExpired, TokenRequest},
    oauth::UnixTime,
};
use tokio::{sync::watch, task::JoinSet};

use self::slot::Slot;
use crate::{Client, ClientError};

/// Follows a token at the daemon and keeps it at hand. Clones share one task, which ends with the last of them.
///
/// - [`token`](Self::token) answers at once: the last token that the daemon pushed, or why there is none. It never hands out one
///   that has run out, and never an older one after a newer one.
/// - The daemon renews the token before it runs out, and pushes every newer one, whoever caused it.
/// - While the daemon is away (it restarts, it is upgraded) the last token stays good until it runs out; the task connects again
///   by itself. When the account signs out or the application is removed the token is dropped at once.
///
/// ```no_run
/// use token_broker_client::{Client, ClientOptions, TokenSource, calls::TokenRequest, oauth::ApplicationName};
///
/// # async fn follow() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::new(&ClientOptions::default())?;
/// let source = client.token_source(TokenRequest::new(ApplicationName::parse("application", "work")?));
/// source.ready().await?;
/// // From here on, as often as you like, from any thread:
/// match source.token() {
///     Ok(token) => println!("valid until {}", token.expires_on.seconds()),
///     Err(why) => eprintln!("no token: {why}"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct TokenSource {
    slot: Arc<Slot>,
    seen: watch::Receiver<()>,
    _task: Arc<JoinSet<()>>,
}

/// Why a [`TokenSource`] has no token to hand out.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TokenUnavailable {
    /// The daemon has not answered yet.
    #[error("the daemon has not answered yet")]
    NotYet,
    /// The user has to sign in; what to run is in the message.
    #[error("{}", .0.message)]
    SignInNeeded(Arc<SignInNeeded>),
    /// The token ran out, and the daemon has no newer one: the provider is away.
    #[error("the token has expired: {}", .0.message)]
    Expired(Arc<TokenExpired>),
    /// The token ran out before the daemon pushed a newer one, such as after the machine slept.
    #[error("the token has expired and no newer one has come yet")]
    Overdue,
    /// The daemon cannot be reached; it is tried again and again.
    #[error("{0}")]
    Disconnected(Arc<ClientError>),
    /// The daemon refuses to serve this token; it is asked again now and then.
    #[error("{}", .0.message)]
    Refused(Arc<Failure>),
}

impl Client {
    /// Follows a token and keeps it at hand. `force_refresh`, `claims` and a user assertion cannot be followed.
    ///
    /// # Panics
    /// Outside of a tokio runtime, or in one without timers: the task that follows runs there.
    #[must_use]
    pub fn token_source(&self, request: TokenRequest) -> TokenSource {
        let (slot, seen) = Slot::new(request.min_validity.unwrap_or(Duration::ZERO));
        let slot = Arc::new(slot);
        let mut task = JoinSet::new();
        task.spawn(follow::follow(self.clone(), request, Arc::clone(&slot)));
        TokenSource { slot, seen, _task: Arc::new(task) }
    }
}

impl TokenSource {
    /// The token, if there is one that is valid (and stays so for the `min_validity` of the request, if tokens live that long); else
    /// why there is none. Never waits.
    pub fn token(&self) -> Result<Arc<TokenAnswer>, TokenUnavailable> {
        self.slot.token(now())
    }

    /// Waits for the first token, through a daemon that is not there yet. Ends early when somebody has to act: with
    /// [`SignInNeeded`](TokenUnavailable::SignInNeeded) or [`Refused`](TokenUnavailable::Refused).
    pub async fn ready(&self) -> Result<Arc<TokenAnswer>, TokenUnavailable> {
        let mut seen = self.seen.clone();
        loop {
            seen.mark_unchanged();
            match self.token() {
                Err(
                    TokenUnavailable::NotYet
                    | TokenUnavailable::Disconnected(_)
                    | TokenUnavailable::Expired(_)
                    | TokenUnavailable::Overdue,
                ) => {}
                answer => return answer,
            }
            if seen.changed().await.is_err() {
                return self.token();
            }
        }
    }

    /// Waits until something has changed since this was called last: a newer token, or another reason why there is none.
    pub async fn changed(&mut self) {
        // An error: the task is gone, so nothing will ever change.
        if self.seen.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the client crate has no Clock port; `Slot` takes the time as an argument"
)]
fn now() -> UnixTime {
    std::time::SystemTime::now().into()
}
