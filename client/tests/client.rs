//! The client against a stand-in daemon on a real Unix socket: answers, failures, restarts, and servers that are not ours.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test fails by panicking and says what it skips")]

mod daemon;

use std::{
    io::{Read as _, Write as _},
    os::unix::{net::UnixListener, process::CommandExt as _},
    process::{Command, Stdio},
};

use daemon::{Daemon, Script};
use token_broker_client::{
    Client, ClientError, ClientOptions, Reason,
    calls::{SignInEvent, SignInRequest, SignOutRequest, TokenRequest},
    oauth::ApplicationName,
};

fn name() -> ApplicationName {
    ApplicationName::parse("application", "work").unwrap()
}

fn request() -> TokenRequest {
    TokenRequest::new(name())
}

fn sign_out() -> SignOutRequest {
    SignOutRequest { application: name(), account: None, revoke: false, correlation_id: None }
}

#[tokio::test]
async fn a_token_comes_back_as_words() {
    let daemon = Daemon::start(&[Script::Answer]);
    let answer = daemon.client().token(&request()).await.unwrap();
    assert_eq!(answer.access_token.expose(), "token-1");
    assert_eq!(answer.account.unwrap().username, "alice");
}

#[tokio::test]
async fn a_failure_keeps_its_facts() {
    let daemon = Daemon::start(&[Script::Fail(Reason::InteractionRequired)]);
    match daemon.client().token(&request()).await {
        Err(ClientError::Broker(failure)) => {
            assert_eq!(failure.reason, Reason::InteractionRequired);
            assert_eq!(failure.advice.as_deref(), Some("broker-cli login work"));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_restart_between_two_calls_goes_unnoticed() {
    let mut daemon = Daemon::start(&[Script::Answer]);
    let client = daemon.client();
    client.token(&request()).await.unwrap();
    for script in [Script::Answer, Script::Answer] {
        daemon.restart(&[script]).await;
        client.sign_out(&sign_out()).await.unwrap();
        client.token(&request()).await.unwrap();
    }
}

#[tokio::test]
async fn a_question_is_asked_again_when_the_daemon_dies_meanwhile() {
    let daemon = Daemon::start(&[Script::Die, Script::Die, Script::Answer]);
    daemon.client().token(&request()).await.unwrap();
    assert_eq!(daemon.calls(), 3);
}

#[tokio::test]
async fn a_daemon_that_always_dies_is_not_asked_for_ever() {
    let daemon = Daemon::start(&[Script::Die]);
    let error = daemon.client().token(&request()).await.unwrap_err();
    assert!(matches!(error, ClientError::Interrupted), "{error:?}");
    assert_eq!(daemon.calls(), 3);
}

#[tokio::test]
async fn a_change_is_not_sent_twice() {
    let daemon = Daemon::start(&[Script::Die, Script::Answer]);
    let error = daemon.client().sign_out(&sign_out()).await.unwrap_err();
    assert!(matches!(error, ClientError::Interrupted), "{error:?}");
    assert_eq!(daemon.calls(), 1);
}

#[tokio::test]
async fn a_sign_in_streams_its_events() {
    let daemon = Daemon::start(&[Script::Answer]);
    let mut events = daemon.client().sign_in(&SignInRequest::new(name())).await.unwrap();
    assert!(matches!(events.next().await, Ok(Some(SignInEvent::OpenUrl(_)))));
    assert!(matches!(events.next().await, Ok(Some(SignInEvent::SignedIn(account))) if account.username == "alice"));
    assert!(matches!(events.next().await, Ok(None)));
}

#[tokio::test]
async fn a_dropped_sign_in_is_cancelled() {
    let daemon = Daemon::start(&[Script::Wait]);
    let client = daemon.client();
    let mut events = client.sign_in(&SignInRequest::new(name())).await.unwrap();
    events.next().await.unwrap();
    drop(events);
    daemon.cancelled().await;
    client.token(&request()).await.unwrap();
}

#[tokio::test]
async fn a_sign_in_that_loses_its_daemon_says_so() {
    let mut daemon = Daemon::start(&[Script::Wait]);
    let mut events = daemon.client().sign_in(&SignInRequest::new(name())).await.unwrap();
    events.next().await.unwrap();
    daemon.stop().await;
    let error = events.next().await.unwrap_err();
    assert!(matches!(error, ClientError::Interrupted), "{error:?}");
}

#[tokio::test]
async fn a_call_that_the_daemon_does_not_know_makes_it_older() {
    let daemon = Daemon::start(&[]);
    let error = daemon.client().status().await.unwrap_err();
    assert!(matches!(&error, ClientError::Protocol(what) if what.contains("older")), "{error:?}");
}

#[tokio::test]
async fn an_answer_without_its_fields_is_of_another_version() {
    let daemon = Daemon::start(&[Script::Bare]);
    let error = daemon.client().token(&request()).await.unwrap_err();
    assert!(matches!(&error, ClientError::Protocol(what) if what.contains("of this version")), "{error:?}");
}

#[tokio::test]
async fn a_web_server_is_not_taken_for_a_daemon() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("s");
    let listener = UnixListener::bind(&socket).unwrap();
    let serving = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").unwrap();
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let client = Client::new(&ClientOptions { socket: Some(socket), server_uid: None }).unwrap();
    let error = client.token(&request()).await.unwrap_err();
    drop(client);
    serving.join().unwrap();
    assert!(matches!(error, ClientError::Protocol(_)), "{error:?}");
}

/// Needs root, to start a server of another user; elsewhere the decision itself has nobody to be made about.
#[tokio::test]
async fn a_server_of_another_user_is_sent_nothing() {
    const OTHER: u32 = 54_321;
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: needs root to start a server of another user");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::chown(folder.path(), Some(OTHER), None).unwrap();
    let socket = folder.path().join("s");
    let script = "import socket, sys\ns = socket.socket(socket.AF_UNIX)\ns.bind(sys.argv[1])\ns.listen()\nprint(flush=True)\n\
                  while True: print(len(s.accept()[0].recv(1)), flush=True)";
    let mut python = Command::new("python3");
    let mut server =
        python.args(["-c", script]).arg(&socket).uid(OTHER).stdout(Stdio::piped()).spawn().expect("python3 is there");
    let mut said = server.stdout.take().unwrap();
    said.read_exact(&mut [0]).unwrap();

    let ask = async |server_uid| {
        let options = ClientOptions { socket: Some(socket.clone()), server_uid };
        Client::new(&options).unwrap().token(&request()).await.unwrap_err()
    };
    let error = ask(None).await;
    assert!(matches!(error, ClientError::ForeignServer { uid: OTHER, .. }), "{error:?}");
    let mut received = [0; 2];
    said.read_exact(&mut received).unwrap();
    assert_eq!(&received, b"0\n");
    let error = ask(Some(OTHER)).await;
    assert!(!matches!(error, ClientError::ForeignServer { .. }), "{error:?}");
    server.kill().unwrap();
    server.wait().unwrap();
}

#[test]
fn calls_can_move_between_threads() {
    fn movable(_: impl Send) {}
    let client = Client::new(&ClientOptions { socket: Some("/nowhere".into()), server_uid: None }).unwrap();
    let (request, sign_in) = (request(), SignInRequest::new(name()));
    movable(client.token(&request));
    movable(client.sign_in(&sign_in));
    movable(client.accounts(None));
    movable(client.status());
}
