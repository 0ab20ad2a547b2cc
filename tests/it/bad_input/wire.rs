//! Bytes on the socket that are no request, or too many of them: the caller is told, or hung up on, and everybody else is
//! served on, over connections old and new.

use std::io::ErrorKind;

use token_broker_client::{
    Client, Reason, Secret,
    calls::{OnBehalfOf, SignInRequest, Subject, TokenRequest},
};
use token_broker_proto::wire::v1;
use token_broker_tests::{
    daemon::name,
    machine::raw_client::{RawClient, failure},
    within,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};

use super::{Stage, refused, says};

/// How every HTTP/2 connection begins (RFC 9113, section 3.4), with empty settings.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

fn with_assertion(bytes: usize) -> TokenRequest {
    TokenRequest {
        subject: Subject::OnBehalfOf(OnBehalfOf::Assertion(Secret::new("x".repeat(bytes)))),
        ..TokenRequest::new(name("mail"))
    }
}

/// The client of a program that was connected before the trouble came.
async fn everybody_is_served(stage: &Stage, before: &Client) {
    stage.ada.is_served(before).await;
    stage.still_serves().await;
}

#[tokio::test]
async fn a_request_over_the_limit() {
    let mut stage = Stage::set().await;
    let client = stage.daemon.client();
    let words = ["the request is larger than 262144 bytes", "nothing was done"];
    for bytes in [262_144, 300 * 1024, 8 << 20] {
        let failure = refused(within(client.token(&with_assertion(bytes))).await);
        says(&failure, Reason::LimitExceeded, &words);
        assert_eq!(failure.limit.as_deref(), Some("bytes of a request: 262144"));
        let hint = Some("x".repeat(bytes));
        let sign_in = SignInRequest { login_hint: hint, ..SignInRequest::new(name("mail")) };
        says(&refused(within(client.sign_in(&sign_in)).await), Reason::LimitExceeded, &words);
    }
    // Below the limit the request itself is judged.
    let failure = refused(client.token(&with_assertion(250 * 1024)).await);
    says(&failure, Reason::InvalidRequest, &["on_behalf_of", "longer than 16384 bytes"]);
    everybody_is_served(&stage, &client).await;
    stage.still_refreshes().await;
}

#[tokio::test]
async fn a_message_of_another_kind() {
    let stage = Stage::set().await;
    let client = stage.daemon.client();
    stage.ada.is_served(&client).await;
    let raw = RawClient::connect(&stage.daemon.socket()).await;
    // A field that is a number in one message and a text in the other.
    let status =
        within(raw.call::<_, v1::GetTokenResponse>("GetToken", v1::UserCode { expires_on: 7, ..Default::default() }));
    let failure = failure(&status.await.expect_err("it cannot be read"));
    says(&failure, Reason::InvalidRequest, &["the request is not a message of this call", "nothing was done"]);
    everybody_is_served(&stage, &client).await;
}

/// The daemon hangs up on what is not HTTP/2.
#[tokio::test]
async fn garbage() {
    let stage = Stage::set().await;
    let client = stage.daemon.client();
    stage.ada.is_served(&client).await;
    let mut noise = vec![0xA5; 64 * 1024];
    noise.extend(0..=255);
    let texts: [&[u8]; 4] = [
        &noise,
        b"GET / HTTP/1.1\r\nhost: x\r\n\r\n",
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
        b"{}\n{}\n{}\n{}\n{}\n{}\n{}\n",
    ];
    for bytes in texts {
        let mut stream = UnixStream::connect(stage.daemon.socket()).await.expect("connected");
        // An error: the daemon has hung up before it was all said.
        let _ = stream.write_all(bytes).await;
        let mut said = Vec::new();
        match within(stream.read_to_end(&mut said)).await {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        }
        everybody_is_served(&stage, &client).await;
    }
}

/// A caller that says half of something and leaves, or says nothing more.
#[tokio::test]
async fn half_a_request() {
    let stage = Stage::set().await;
    let client = stage.daemon.client();
    stage.ada.is_served(&client).await;
    // The head of a frame of 100 bytes of headers, and the first three of them.
    let half_a_head = [PREFACE, b"\0\0\x64\x01\x04\0\0\0\x01\x83\x86\x44"].concat();
    let mut silent = Vec::new();
    for bytes in [b"".as_slice(), b"PRI * HT", PREFACE, &half_a_head] {
        for stays in [false, true] {
            let mut stream = UnixStream::connect(stage.daemon.socket()).await.expect("connected");
            stream.write_all(bytes).await.expect("written");
            if stays {
                silent.push(stream);
            }
            everybody_is_served(&stage, &client).await;
        }
    }
}
