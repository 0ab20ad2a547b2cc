//! Accepted connections of the owner's socket: the kernel says whose process is at the other end, and a stranger's connection
//! is closed before a byte is read. A caller that says half of something and no more is hung up on.

mod authority;
mod frames;
mod gate;

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{UnixListener, UnixStream},
    sync::mpsc,
    task::JoinSet,
    time::{Sleep, sleep},
};
use tokio_stream::{Stream, wrappers::ReceiverStream};
use tonic::transport::server::Connected;

use self::{
    authority::AuthorityMender,
    frames::Frames,
    gate::{Entry, Gate, Standing},
};
use super::whole_request::LIMIT;
use crate::{
    access::{Caller, Limits},
    metrics::{Metrics, One},
};

/// How much is read at once while the mender looks.
const PART: usize = 4096;
/// How long to wait when a connection cannot be accepted.
const PAUSE: Duration = Duration::from_millis(100);
/// How long a connection over the limit may take to be told so.
const TELLING: Duration = Duration::from_secs(2);

/// A connection whose caller is known.
#[derive(Debug)]
pub(super) struct Connection {
    stream: UnixStream,
    entry: Entry,
    mender: AuthorityMender,
    /// Read and looked through, but not passed on yet.
    mended: Vec<u8>,
    frames: Frames,
    patience: Duration,
    /// When it is hung up on, unless it goes on.
    deadline: Option<Pin<Box<Sleep>>>,
    metrics: Arc<Metrics>,
    _counted: One,
}

/// What each of a connection's calls is told of it.
#[derive(Debug, Clone)]
pub(super) struct Admitted {
    /// Who calls.
    pub(super) caller: Caller,
    /// The limit that keeps its calls from being served.
    pub(super) refused: Option<Arc<str>>,
}

/// The connections of the owner's own processes, accepted by a task of this set.
pub(super) fn accepted(
    listener: UnixListener,
    owner: u32,
    limits: &Limits,
    metrics: &Arc<Metrics>,
    tasks: &mut JoinSet<()>,
) -> impl Stream<Item = io::Result<Connection>> + use<> {
    let (sender, connections) = mpsc::channel(1);
    let (mut gate, patience) = (Gate::new(owner, limits, Arc::clone(metrics)), limits.half_open);
    let metrics = Arc::clone(metrics);
    tasks.spawn(async move {
        let mut is_failing = false;
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    is_failing = false;
                    let Some(entry) = gate.admit(&stream) else { continue };
                    let connection = Connection::new(stream, entry, patience, &metrics);
                    if sender.send(Ok(connection)).await.is_err() {
                        return;
                    }
                }
                Err(error) => {
                    // Out of file descriptors, in general: others must close theirs first.
                    if !is_failing {
                        tracing::warn!(%error, "a connection could not be accepted; trying on");
                    }
                    is_failing = true;
                    sleep(PAUSE).await;
                }
            }
        }
    });
    ReceiverStream::new(connections)
}

impl Connection {
    fn new(stream: UnixStream, entry: Entry, patience: Duration, metrics: &Arc<Metrics>) -> Self {
        let first = if matches!(entry.standing, Standing::Refused { .. }) { TELLING } else { patience };
        Self {
            stream,
            entry,
            mender: AuthorityMender::new(),
            mended: Vec::new(),
            frames: Frames::new(),
            patience,
            deadline: Some(Box::pin(sleep(first))),
            metrics: Arc::clone(metrics),
            _counted: metrics.limits.connections.one(),
        }
    }

    /// Looks at what was read: half of something has to become whole in time.
    fn note(&mut self, read: &[u8]) {
        if read.is_empty() || matches!(self.entry.standing, Standing::Refused { .. }) {
            return;
        }
        let completed = self.frames.pass(read);
        if self.frames.is_between() {
            self.deadline = None;
        } else if completed || self.deadline.is_none() {
            self.deadline = Some(Box::pin(sleep(self.patience)));
        }
    }

    /// Reads, and looks through what was read for as long as that may be needed.
    fn poll_parts(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        while self.mended.is_empty() {
            if self.mender.is_done() {
                let before = buf.filled().len();
                ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
                self.note(buf.filled().get(before..).unwrap_or_default());
                return Poll::Ready(Ok(()));
            }
            let mut part = [0; PART];
            let mut part = ReadBuf::new(&mut part);
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut part))?;
            if part.filled().is_empty() {
                return Poll::Ready(Ok(())); // the end
            }
            self.note(part.filled());
            self.mender.pass(part.filled(), &mut self.mended);
        }
        let length = self.mended.len().min(buf.remaining());
        buf.put_slice(self.mended.get(..length).unwrap_or_default());
        self.mended.drain(..length);
        Poll::Ready(Ok(()))
    }
}

impl Connected for Connection {
    type ConnectInfo = Admitted;

    fn connect_info(&self) -> Admitted {
        let refused = match &self.entry.standing {
            Standing::Served { .. } => None,
            Standing::Refused { limit, .. } => Some(Arc::clone(limit)),
        };
        Admitted { caller: self.entry.caller.clone(), refused }
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = self.poll_parts(cx, buf);
        if read.is_pending()
            && let Some(deadline) = &mut self.deadline
            && deadline.as_mut().poll(cx).is_ready()
        {
            if let Standing::Served { .. } = self.entry.standing {
                self.metrics.limits.met(LIMIT);
            }
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
