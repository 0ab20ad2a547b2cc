//! Accepted connections of the owner's socket: the kernel says whose process is at the other end, and a stranger's connection
//! is closed before a byte is read.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{UnixListener, UnixStream},
};
use tokio_stream::{Stream, StreamExt, wrappers::UnixListenerStream};
use tonic::transport::server::Connected;

use super::authority::AuthorityMender;
use crate::access::{Caller, Peer};

/// A connection whose caller is known.
#[derive(Debug)]
pub(super) struct Connection {
    stream: UnixStream,
    caller: Caller,
    mender: AuthorityMender,
    /// Read and looked through, but not passed on yet.
    mended: Vec<u8>,
}

/// How much is read at once while the mender looks.
const PART: usize = 4096;

/// The connections of the owner's own processes.
pub(super) fn accepted(listener: UnixListener, owner: u32) -> impl Stream<Item = io::Result<Connection>> {
    UnixListenerStream::new(listener).filter_map(move |accepted| match accepted {
        Ok(stream) => admitted(stream, owner).map(Ok),
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            None
        }
    })
}

fn admitted(stream: UnixStream, owner: u32) -> Option<Connection> {
    let peer = match stream.peer_cred() {
        Ok(credentials) => Peer::Unix { uid: credentials.uid(), pid: credentials.pid() },
        Err(error) => {
            tracing::warn!(%error, "a caller without credentials was turned away");
            return None;
        }
    };
    match Caller::at_owner_door(peer, owner) {
        Ok(caller) => Some(Connection { stream, caller, mender: AuthorityMender::new(), mended: Vec::new() }),
        Err(stranger) => {
            tracing::warn!(%stranger, "turned away");
            None
        }
    }
}

impl Connected for Connection {
    type ConnectInfo = Caller;

    fn connect_info(&self) -> Caller {
        self.caller.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Self { stream, mender, mended, .. } = &mut *self;
        while mended.is_empty() {
            if mender.is_done() {
                return Pin::new(stream).poll_read(cx, buf);
            }
            let mut part = [0; PART];
            let mut part = ReadBuf::new(&mut part);
            ready!(Pin::new(&mut *stream).poll_read(cx, &mut part))?;
            if part.filled().is_empty() {
                return Poll::Ready(Ok(())); // the end
            }
            mender.pass(part.filled(), mended);
        }
        let length = mended.len().min(buf.remaining());
        buf.put_slice(mended.get(..length).unwrap_or_default());
        mended.drain(..length);
        Poll::Ready(Ok(()))
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
