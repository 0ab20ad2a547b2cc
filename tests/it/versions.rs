//! Programs and daemons of different versions at one socket: what the daemon does not know is refused as gRPC says it, or passed
//! over, and the connection lives on. What a client says of an older or a newer daemon is tested with the client.

use http_body_util::{BodyExt as _, Full};
use hyper::{Request, body::Bytes, client::conn::http2::SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use token_broker_tests::daemon::{Options, TestDaemon};
use tokio::{net::UnixStream, task::JoinSet};

/// gRPC's `OK` and `UNIMPLEMENTED`.
const OK: &str = "0";
const UNIMPLEMENTED: &str = "12";

/// A gRPC call by hand: its path, and the bytes of its message. Returns the status.
async fn call(connection: &mut SendRequest<Full<Bytes>>, path: &str, message: &[u8]) -> String {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    let body = [&[0], &length[..], message].concat();
    let request = Request::post(format!("http://localhost{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    let answer = connection.send_request(request.body(Full::from(body)).unwrap()).await.unwrap();
    let (head, body) = answer.into_parts();
    let trailers = body.collect().await.unwrap().trailers().cloned().unwrap_or_default();
    let status = head.headers.get("grpc-status").or_else(|| trailers.get("grpc-status")).cloned();
    status.expect("a gRPC status").to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_newer_program_is_answered_clearly() {
    let daemon = TestDaemon::start(Options::default()).await;
    let stream = UnixStream::connect(daemon.socket()).await.unwrap();
    let (mut connection, driver) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(driver);
    // A field of number 1000, which no request of today has.
    let unknown_field = [0xc2, 0x3e, 0x01, b'x'];
    for (path, message, status) in [
        ("/token_broker.v1.TokenBroker/CallOfNextYear", &[][..], UNIMPLEMENTED),
        ("/token_broker.v1.BrokerAdmin/CallOfNextYear", &[], UNIMPLEMENTED),
        ("/token_broker.v2.TokenBroker/GetToken", &[], UNIMPLEMENTED),
        ("/token_broker.v1.BrokerAdmin/GetStatus", &unknown_field, OK),
    ] {
        assert_eq!(call(&mut connection, path, message).await, status, "{path}");
    }
}
