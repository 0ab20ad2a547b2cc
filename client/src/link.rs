//! HTTP/2 over one connection, and the door that keeps it: connects on the first call and again when the connection is gone.
//!
//! tonic's own channel would do, but brings load balancing, buffers and a second task; here a call goes straight to hyper, and
//! a request that never left is told from one that may have been done.

use std::{
    future::Future,
    os::fd::{AsFd as _, OwnedFd},
    path::PathBuf,
    pin::{Pin, pin},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    task,
};

use http::{HeaderValue, Request, Response, header};
use hyper::{body::Incoming, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::{sync::Mutex, task::JoinSet};
use tonic::body::Body;
use tower_service::Service;

use crate::{
    ClientError,
    connect::{connect, own_uid},
    error::causes,
};

const USER_AGENT: HeaderValue = HeaderValue::from_static(concat!("token-broker-client/", env!("CARGO_PKG_VERSION")));

/// Keeps the connection to one socket.
#[derive(Debug)]
pub(crate) struct Door {
    socket: PathBuf,
    server_uid: Option<u32>,
    /// Whose server answered last.
    serving: AtomicU32,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    open: Option<Open>,
    /// Drives the connections; an old one may still serve a stream while a stopping daemon drains. Dropped with the door.
    drivers: JoinSet<()>,
}

impl Door {
    pub(crate) fn new(socket: PathBuf, server_uid: Option<u32>) -> Self {
        Self { socket, server_uid, serving: AtomicU32::new(own_uid()), state: Mutex::default() }
    }

    /// The open connection, or a new one.
    pub(crate) async fn link(&self) -> Result<Link, ClientError> {
        let mut state = self.state.lock().await;
        if let Some(open) = state.open.as_ref().filter(|open| open.is_alive()) {
            return Ok(open.link.clone());
        }
        while state.drivers.try_join_next().is_some() {}
        let (stream, uid) = connect(&self.socket, self.server_uid).await?;
        self.serving.store(uid, Ordering::Relaxed);
        let socket = stream.as_fd().try_clone_to_owned().map_err(|_| ClientError::Interrupted)?;
        let (sender, driver) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .map_err(|error| not_http2(&error).map_or(ClientError::Interrupted, ClientError::Protocol))?;
        let link = Link { sender, foreign: Arc::default() };
        let foreign = Arc::clone(&link.foreign);
        state.drivers.spawn(async move {
            let mut driver = pin!(driver);
            // Said before the driver is dropped, which is what ends the calls that wait. Of a mere break each call learns itself.
            if let Some(what) = driver.as_mut().await.err().as_ref().and_then(not_http2) {
                let _ = foreign.set(what);
            }
        });
        state.open = Some(Open { link: link.clone(), socket });
        Ok(link)
    }

    /// A broken connection, explained where the server is another user's: it serves nobody but that user.
    pub(crate) fn explain(&self, error: ClientError) -> ClientError {
        let uid = self.serving.load(Ordering::Relaxed);
        match error {
            ClientError::Interrupted if uid != own_uid() => {
                ClientError::TurnedAway { socket: self.socket.clone(), uid }
            }
            other => other,
        }
    }
}

/// The connection in use, with a second handle of its socket to see whether the other side is still there.
#[derive(Debug)]
struct Open {
    link: Link,
    socket: OwnedFd,
}

impl Open {
    /// Asks the kernel too: in a program that was idle nobody has read the end of the connection yet, and a call that must not
    /// be sent twice would fail for nothing.
    fn is_alive(&self) -> bool {
        let mut watched = [PollFd::new(&self.socket, PollFlags::empty())];
        let hung_up = poll(&mut watched, Some(&Timespec::default())).is_ok_and(|events| events > 0);
        !hung_up && !self.link.sender.is_closed()
    }
}

/// An open connection, as the generated clients take it.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    sender: http2::SendRequest<Body>,
    /// Set when the connection ended because the other side does not speak HTTP/2.
    foreign: Arc<OnceLock<String>>,
}

/// Why a request on a connection had no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    /// It never left.
    #[error("the connection was closed before the request was sent")]
    Unsent,
    /// The connection broke on the way.
    #[error("the connection broke")]
    Lost(#[source] hyper::Error),
    /// The other side does not speak HTTP/2.
    #[error("{0}")]
    NotHttp2(String),
}

impl Service<Request<Body>> for Link {
    type Response = Response<Incoming>;
    type Error = LinkError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, LinkError>> + Send>>;

    /// Always ready: a closed connection is an error of the call, where its cause is kept.
    fn poll_ready(&mut self, _: &mut task::Context<'_>) -> task::Poll<Result<(), LinkError>> {
        task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        request.headers_mut().insert(header::USER_AGENT, USER_AGENT);
        let answer = self.sender.try_send_request(request);
        let foreign = Arc::clone(&self.foreign);
        Box::pin(async move {
            answer.await.map_err(|unanswered| match not_http2(unanswered.error()).or_else(|| foreign.get().cloned()) {
                Some(what) => LinkError::NotHttp2(what),
                None if unanswered.message().is_some() => LinkError::Unsent,
                None => LinkError::Lost(unanswered.into_error()),
            })
        })
    }
}

/// Says what came, if the bytes of the other side are not HTTP/2 at all.
fn not_http2(error: &hyper::Error) -> Option<String> {
    let cause = causes(error).find_map(|cause| {
        let h2 = cause.downcast_ref::<h2::Error>()?;
        let reason = h2.reason().filter(|_| h2.is_library())?;
        (reason == h2::Reason::FRAME_SIZE_ERROR || reason == h2::Reason::PROTOCOL_ERROR).then_some(reason)
    })?;
    Some(format!("the server at the socket does not speak gRPC: {}", cause.description()))
}
