//! A loopback listener as a native application has one: takes a single request and shows a page.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    thread::{self, JoinHandle},
};

/// Waits for one request.
pub(super) struct Loopback {
    pub(super) redirect_uri: String,
    thread: JoinHandle<String>,
}

impl Loopback {
    pub(super) fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let redirect_uri = format!("http://{}/cb", listener.local_addr().unwrap());
        Self { redirect_uri, thread: thread::spawn(move || serve_one(&listener)) }
    }

    /// What came: the parameters of query or form.
    pub(super) fn parameters(self) -> String {
        self.thread.join().unwrap()
    }
}

fn serve_one(listener: &TcpListener) -> String {
    let (mut stream, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    let mut length = 0;
    for line in reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()) {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\nconnection: close\r\n\r\nsigned in").unwrap();
    let query = first.split_once('?').map(|(_, rest)| rest.split(' ').next().unwrap_or_default().to_owned());
    query.unwrap_or_else(|| String::from_utf8(body).unwrap())
}
