//! A caller that says HTTP/2 byte by byte: it can stop in the middle, never read, and be there ten thousand times, which no library
//! would do for a test.

use std::{io, path::Path};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};

/// How every HTTP/2 connection begins (RFC 9113, section 3.4), with empty settings.
pub const BEGIN: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// A PING (section 6.7).
const PING: &[u8] = b"\0\0\x08\x06\0\0\0\0\0pingpong";
/// The begin of its answer: the same type with the flag ACK.
const PONG: &[u8] = b"\0\0\x08\x06\x01\0\0\0\0pingpong";

/// A connection of bytes.
#[derive(Debug)]
pub struct RawFrames(UnixStream);

impl RawFrames {
    /// Connects and says this much. It waits for its place in the queue of the listening socket, where a connect that must not
    /// block fails as soon as the daemon lags behind.
    ///
    /// # Errors
    /// When the daemon hangs up at once.
    ///
    /// # Panics
    /// When nobody listens at the socket.
    pub async fn connect(socket: &Path, bytes: &[u8]) -> io::Result<Self> {
        let socket = socket.to_owned();
        let waiting = tokio::task::spawn_blocking(move || std::os::unix::net::UnixStream::connect(socket));
        let stream = waiting.await.expect("it does not panic").expect("somebody listens");
        stream.set_nonblocking(true)?;
        let mut stream = UnixStream::from_std(stream)?;
        stream.write_all(bytes).await?;
        Ok(Self(stream))
    }

    /// Resolves when the daemon hangs up.
    ///
    /// # Panics
    /// When reading fails in another way than by a connection that broke.
    pub async fn hung_up(&mut self) {
        let mut said = Vec::new();
        if let Err(error) = self.0.read_to_end(&mut said).await {
            assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        }
    }

    /// Asks the daemon's HTTP/2 for a sign of life, and waits for it.
    ///
    /// # Errors
    /// When the daemon has hung up.
    pub async fn ping(&mut self) -> io::Result<()> {
        self.0.write_all(PING).await?;
        let mut said = Vec::new();
        while !said.windows(PONG.len()).any(|part| part == PONG) {
            if self.0.read_buf(&mut said).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(())
    }

    /// Sends requests for the status and reads no answer, until the daemon takes no more of them, or so many. How many it took.
    pub fn ask_without_reading(&self, most: u32) -> u32 {
        for request in 0..most {
            match self.0.try_write(&status_request(2 * request + 1)) {
                Ok(_) => {}
                Err(_) => return request,
            }
        }
        most
    }
}

/// A `GetStatus` on this stream: a block of plain headers (RFC 7541, section 6.2.2), then an empty message.
#[must_use]
pub fn status_request(stream: u32) -> Vec<u8> {
    let mut block = vec![0x83, 0x86]; // POST, http
    let mut literal = |head: &[u8], text: &str| {
        block.extend(head);
        block.push(u8::try_from(text.len()).expect("a short text"));
        block.extend(text.bytes());
    };
    literal(&[0x04], "/token_broker.v1.BrokerAdmin/GetStatus");
    literal(&[0x01], "localhost");
    literal(&[0x0f, 0x10], "application/grpc");
    literal(b"\0\x02te", "trailers");
    let stream = stream.to_be_bytes();
    let length = u8::try_from(block.len()).expect("a short block");
    let head = [&[0, 0, length, 1, 4][..], &stream, &block].concat();
    [&head[..], &[0, 0, 5, 0, 1], &stream, &[0; 5]].concat()
}
