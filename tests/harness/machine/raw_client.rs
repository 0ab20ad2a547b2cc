//! A gRPC caller that sends whatever message it is given: the client crate's words are valid by construction, so it cannot say
//! a negative duration or an enum value of the year after next.

use std::{
    path::Path,
    pin::Pin,
    task::{Context, Poll},
};

use http::{Request, Response, Uri, uri::PathAndQuery};
use hyper::{body::Incoming, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use token_broker_client::Failure;
use token_broker_proto::wire::v1::token_broker_client::TokenBrokerClient;
use tokio::{net::UnixStream, task::JoinSet};
use tonic::{Status, body::Body, client::Grpc};
use tonic_prost::ProstCodec;
use tower_service::Service;

/// One connection to the daemon's socket.
#[derive(Debug)]
pub struct RawClient {
    link: Link,
    _driver: JoinSet<()>,
}

impl RawClient {
    /// Connects.
    ///
    /// # Panics
    /// When nobody answers at the socket.
    pub async fn connect(socket: &Path) -> Self {
        let stream = UnixStream::connect(socket).await.expect("the daemon's socket");
        let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.expect("HTTP/2");
        let mut driver = JoinSet::new();
        driver.spawn(async move {
            let _ = connection.await; // an error: the calls hear of it
        });
        Self { link: Link(sender), _driver: driver }
    }

    /// The generated client on this connection.
    #[must_use]
    pub fn broker(&self) -> TokenBrokerClient<Link> {
        TokenBrokerClient::with_origin(self.link.clone(), origin())
    }

    /// Sends any message, whatever this call of `TokenBroker` takes.
    ///
    /// # Errors
    /// What the daemon answers.
    ///
    /// # Panics
    /// When the call's name cannot stand in a path.
    pub async fn call<M, A>(&self, name: &str, message: M) -> Result<A, Status>
    where
        M: prost::Message + Default + 'static,
        A: prost::Message + Default + 'static,
    {
        let mut grpc = Grpc::with_origin(self.link.clone(), origin());
        grpc.ready().await.map_err(|error| Status::from_error(error.into()))?;
        let path = PathAndQuery::try_from(format!("/token_broker.v1.TokenBroker/{name}")).expect("a path");
        let answer = grpc.unary(tonic::Request::new(message), path, ProstCodec::<M, A>::default()).await?;
        Ok(answer.into_inner())
    }
}

/// A Unix socket has no host; HTTP/2 wants a name all the same.
fn origin() -> Uri {
    Uri::from_static("http://localhost")
}

/// What the daemon says of a call that it refuses.
///
/// # Panics
/// When it is not in the daemon's own words.
#[must_use]
pub fn failure(status: &Status) -> Failure {
    Failure::from_status(status).unwrap_or_else(|| panic!("not in the daemon's words: {status:?}"))
}

/// The connection as the generated client takes it.
#[derive(Debug, Clone)]
pub struct Link(http2::SendRequest<Body>);

impl Service<Request<Body>> for Link {
    type Response = Response<Incoming>;
    type Error = hyper::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, hyper::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), hyper::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.0.send_request(request))
    }
}
