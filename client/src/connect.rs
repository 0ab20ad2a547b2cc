//! One connection to the socket, made only to a server that may serve us: our own user or root, or the user named on
//! purpose. The check reads the peer's credentials from the kernel, before a byte is sent.

use std::{io, path::Path};

use tokio::net::UnixStream;

use crate::ClientError;

/// Connects, and refuses a server of another user than ours, root and `also`. Returns whose server it is, too.
pub(crate) async fn connect(socket: &Path, also: Option<u32>) -> Result<(UnixStream, u32), ClientError> {
    let no_daemon = |cause| ClientError::NoDaemon { socket: socket.to_owned(), cause };
    let stream = open(socket).await.map_err(no_daemon)?;
    let uid = stream.peer_cred().map_err(no_daemon)?.uid();
    if uid == 0 || uid == own_uid() || Some(uid) == also {
        Ok((stream, uid))
    } else {
        Err(ClientError::ForeignServer { socket: socket.to_owned(), uid })
    }
}

/// The uid of this process.
pub(crate) fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Many callers at once can fill the queue of the listening socket, and a socket that must not block then fails at once. A
/// connect that may block waits in the kernel until there is room; no timer is needed.
async fn open(socket: &Path) -> io::Result<UnixStream> {
    match UnixStream::connect(socket).await {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            let socket = socket.to_owned();
            let waiting = tokio::task::spawn_blocking(move || std::os::unix::net::UnixStream::connect(socket));
            let stream = waiting.await.map_err(io::Error::other)??;
            stream.set_nonblocking(true)?;
            UnixStream::from_std(stream)
        }
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::connect;
    use crate::ClientError;

    #[tokio::test]
    async fn a_full_queue_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("s");
        let listener = UnixListener::bind(&socket).unwrap();
        rustix::net::listen(&listener, 0).unwrap();
        let first = connect(&socket, None).await.unwrap();
        let accepting = tokio::task::spawn_blocking(move || (listener.accept().unwrap(), listener.accept().unwrap()));
        let second = connect(&socket, None).await.unwrap();
        drop((first, second, accepting.await.unwrap()));
    }

    #[tokio::test]
    async fn a_missing_socket_is_no_daemon() {
        let folder = tempfile::tempdir().unwrap();
        let error = connect(&folder.path().join("s"), None).await.map(|_| ()).unwrap_err();
        assert!(matches!(error, ClientError::NoDaemon { .. }), "{error}");
    }
}
