//! The client and the calls for programs that need tokens. Every method borrows a shared word and returns one; the wire
//! stays inside.

use std::{path::PathBuf, sync::Arc};

use http::Uri;
use token_broker_proto::{
    Account,
    calls::{
        BeginAuthorizationRequest, BegunAuthorization, CompleteAuthorizationRequest, Incomplete, OnBehalfOf,
        SignHttpRequest, SignInRequest, SignOutAnswer, SignOutRequest, SignedHttpRequest, Subject, TokenAnswer,
        TokenRequest,
    },
    oauth::ApplicationName,
    wire::v1::{self, token_broker_client::TokenBrokerClient},
};
use tonic::{Response, Status};

use crate::{
    ClientError, SignIn, SocketPath,
    error::Fault,
    link::{Door, Link},
};

/// Names another user than ours and root whose daemon is accepted.
const SERVER_UID: &str = "TOKEN_BROKER_SERVER_UID";
/// How often a call is sent in all while the daemon restarts: the call that breaks, and two more.
const ATTEMPTS: usize = 3;

/// Where the daemon is and who may serve. What is left out comes from the environment.
#[derive(Debug, Clone, Default)]
pub struct ClientOptions {
    /// Path of the socket; `None`: see [`SocketPath::resolve`].
    pub socket: Option<PathBuf>,
    /// A user id whose daemon is accepted besides ours and root's; `None`: `$TOKEN_BROKER_SERVER_UID`, else none.
    pub server_uid: Option<u32>,
}

/// A client of the daemon. Cheap to clone; clones share one connection, and belong to the runtime of the first call.
#[derive(Debug, Clone)]
pub struct Client {
    door: Arc<Door>,
}

/// Whether a call may be sent again when the connection broke while it was on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It asks; or doing it twice is the same as once.
    Harmless,
    /// Only if it never left.
    Never,
}

impl Repeat {
    /// A session whose key the daemon makes would begin twice, and nobody would know the first key.
    fn of(request: &TokenRequest) -> Self {
        match request.subject {
            Subject::OnBehalfOf(OnBehalfOf::Begin(_, None)) => Self::Never,
            Subject::OnBehalfOf(OnBehalfOf::Begin(_, Some(_)) | OnBehalfOf::Assertion(_) | OnBehalfOf::Session(_))
            | Subject::User(_)
            | Subject::Application => Self::Harmless,
        }
    }
}

impl Client {
    /// A client of the daemon that `options` name. Connects on the first call.
    ///
    /// Fails with [`ClientError::NoSocketPath`] if nothing says where the socket is.
    pub fn new(options: &ClientOptions) -> Result<Self, ClientError> {
        let socket = SocketPath::resolve(options.socket.as_deref())?;
        let from_environment = || std::env::var(SERVER_UID).ok()?.parse().ok();
        let server_uid = options.server_uid.or_else(from_environment);
        Ok(Self { door: Arc::new(Door::new(socket.as_path().to_owned(), server_uid)) })
    }

    /// A valid access token. Never opens a user interface.
    pub async fn token(&self, request: &TokenRequest) -> Result<TokenAnswer, ClientError> {
        let send = |link| {
            let wire = v1::GetTokenRequest::from(request);
            async move { broker(link).get_token(wire).await }
        };
        Ok(self.call(Repeat::of(request), send).await?.try_into()?)
    }

    /// Signs one HTTP request with the daemon's key, around a token that is bound to it; the answer is the value of the request's
    /// `Authorization` header. Sign each request anew.
    pub async fn sign_http_request(&self, request: &SignHttpRequest) -> Result<SignedHttpRequest, ClientError> {
        let send = |link| {
            let wire = v1::SignHttpRequestRequest::from(request);
            async move { broker(link).sign_http_request(wire).await }
        };
        Ok(self.call(Repeat::Harmless, send).await?.try_into()?)
    }

    /// Starts a sign-in; its events tell what the user has to do. Dropping the answer cancels the sign-in.
    pub async fn sign_in(&self, request: &SignInRequest) -> Result<SignIn, ClientError> {
        let send = |link| {
            let wire = v1::SignInRequest::from(request);
            async move { broker(link).sign_in(wire).await }
        };
        let events = self.call(Repeat::Never, send).await?;
        Ok(SignIn::new(events, self.clone()))
    }

    /// Begins a sign-in through a web application's own redirect URI: send the user's browser to the answer's URL, and keep its
    /// state in the user's session.
    pub async fn begin_authorization(
        &self,
        request: &BeginAuthorizationRequest,
    ) -> Result<BegunAuthorization, ClientError> {
        let send = |link| {
            let wire = v1::BeginAuthorizationRequest::from(request);
            async move { broker(link).begin_authorization(wire).await }
        };
        // One that nobody completes is forgotten by itself.
        Ok(self.call(Repeat::Harmless, send).await?.try_into()?)
    }

    /// Completes it with the raw query or form body that came to the redirect URI; says who signed in. Compare the `state` in it
    /// with the one of this user's session first: the daemon cannot know whose browser brought it.
    pub async fn complete_authorization(&self, request: &CompleteAuthorizationRequest) -> Result<Account, ClientError> {
        let send = |link| {
            let wire = v1::CompleteAuthorizationRequest::from(request);
            async move { broker(link).complete_authorization(wire).await }
        };
        let answer = self.call(Repeat::Never, send).await?;
        Ok(answer.account.ok_or(Incomplete("account"))?.into())
    }

    /// Forgets an account of an application with all its tokens.
    pub async fn sign_out(&self, request: &SignOutRequest) -> Result<SignOutAnswer, ClientError> {
        let send = |link| {
            let wire = v1::SignOutRequest::from(request);
            async move { broker(link).sign_out(wire).await }
        };
        Ok(self.call(Repeat::Never, send).await?.try_into()?)
    }

    /// The accounts that are signed in, to one application or to all.
    pub async fn accounts(&self, application: Option<&ApplicationName>) -> Result<Vec<Account>, ClientError> {
        let send = |link| {
            let application = application.map(ToString::to_string).unwrap_or_default();
            async move { broker(link).list_accounts(v1::ListAccountsRequest { application }).await }
        };
        let answer = self.call(Repeat::Harmless, send).await?;
        Ok(answer.accounts.into_iter().map(Into::into).collect())
    }

    /// Sends a call on the open connection or a new one, and again as far as `repeat` allows.
    pub(crate) async fn call<T, F>(&self, repeat: Repeat, send: impl Fn(Link) -> F) -> Result<T, ClientError>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        self.exchange(repeat, send).await.map_err(|error| self.door.explain(error))
    }

    async fn exchange<T, F>(&self, repeat: Repeat, send: impl Fn(Link) -> F) -> Result<T, ClientError>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let mut attempts = 1;
        loop {
            let fault = match self.door.link().await {
                Ok(link) => match send(link).await {
                    Ok(answer) => return Ok(answer.into_inner()),
                    Err(status) => Fault::from_status(&status),
                },
                // It broke while it was being opened: a daemon that dies just then.
                Err(ClientError::Interrupted) => Fault::Unsent,
                Err(error) => return Err(error),
            };
            let again = match fault {
                Fault::Unsent => true,
                Fault::Lost => repeat == Repeat::Harmless,
                Fault::Final(_) => false,
            };
            if !again || attempts == ATTEMPTS {
                return Err(fault.into());
            }
            attempts += 1;
        }
    }
}

/// A Unix socket has no host; HTTP/2 wants a name all the same.
pub(crate) fn origin() -> Uri {
    Uri::from_static("http://localhost")
}

pub(crate) fn broker(link: Link) -> TokenBrokerClient<Link> {
    TokenBrokerClient::with_origin(link, origin())
}

#[cfg(test)]
mod tests {
    use token_broker_proto::{
        Secret,
        calls::{OnBehalfOf, SessionKey, Subject, TokenRequest},
        oauth::ApplicationName,
    };

    use super::Repeat;

    #[test]
    fn a_session_whose_key_the_daemon_makes_is_not_begun_twice() {
        let assertion = || Secret::new("assertion");
        let key = || SessionKey::parse("key").unwrap();
        for (subject, repeat) in [
            (Subject::User(None), Repeat::Harmless),
            (Subject::OnBehalfOf(OnBehalfOf::Assertion(assertion())), Repeat::Harmless),
            (Subject::OnBehalfOf(OnBehalfOf::Begin(assertion(), Some(key()))), Repeat::Harmless),
            (Subject::OnBehalfOf(OnBehalfOf::Session(key())), Repeat::Harmless),
            (Subject::OnBehalfOf(OnBehalfOf::Begin(assertion(), None)), Repeat::Never),
        ] {
            let application = ApplicationName::parse("application", "job").unwrap();
            let request = TokenRequest { subject, ..TokenRequest::new(application) };
            assert_eq!(Repeat::of(&request), repeat, "{request:?}");
        }
    }
}
