//! A server of another user at the socket's path, as in a folder that everybody may write to: client and command line refuse it by
//! name, and it hears nothing, neither a request nor the preface of HTTP/2.

use std::{
    fs,
    io::Read,
    os::unix::net::UnixListener,
    path::Path,
    thread::{self, JoinHandle},
};

use token_broker_client::{
    Client, ClientError, ClientOptions,
    calls::{SignInRequest, TokenRequest},
};
use token_broker_tests::{daemon::name, process::Home, requirements::require};

use super::{STRANGER, as_stranger, chmod, root};

/// A server of the stranger that notes the first bytes of each of so many connections, and hangs up.
fn squat(socket: &Path, connections: usize) -> JoinHandle<Vec<Vec<u8>>> {
    let folder = socket.parent().unwrap();
    fs::create_dir_all(folder).unwrap();
    for folder in folder.ancestors().take(3) {
        chmod(folder, 0o777);
    }
    let path = socket.to_owned();
    let listener = as_stranger(move || UnixListener::bind(path).unwrap());
    thread::spawn(move || {
        let hear = |_| {
            let (mut stream, _) = listener.accept().unwrap();
            let mut heard = vec![0; 16];
            let length = stream.read(&mut heard).unwrap();
            heard.truncate(length);
            heard
        };
        (0..connections).map(hear).collect()
    })
}

#[tokio::test]
async fn the_client_names_the_stranger_and_sends_nothing() {
    let Some(()) = require(root()) else { return };
    let home = Home::new();
    let squatter = squat(&home.socket(), 2);
    let options = ClientOptions { socket: Some(home.socket()), ..ClientOptions::default() };
    let client = Client::new(&options).expect("a client");
    let token = client.token(&TokenRequest::new(name("mail"))).await.map(|_| ());
    let sign_in = client.sign_in(&SignInRequest::new(name("mail"))).await.map(|_| ());
    for refused in [token, sign_in] {
        let Err(ClientError::ForeignServer { socket, uid }) = refused else { panic!("{refused:?}") };
        assert_eq!((socket, uid), (home.socket(), STRANGER));
    }
    assert_eq!(squatter.join().unwrap(), [b"", b""], "nothing was sent");
}

#[tokio::test]
async fn the_command_line_names_the_stranger_and_sends_nothing() {
    let Some(()) = require(root()) else { return };
    let home = Home::new();
    let squatter = squat(&home.socket(), 3);
    let socket = home.socket().display().to_string();
    let message = format!(
        "the server at {socket} belongs to another user (uid {STRANGER}); nothing was sent to it. \
         TOKEN_BROKER_SERVER_UID={STRANGER} would accept it"
    );
    for command in ["login mail", "app add mail --client-id i --issuer https://id.example --client-secret-stdin"] {
        let output = home.cli(command.split(' ')).input("a secret").run().await;
        assert_eq!((output.code, output.stderr), (4, format!("error: {message}\n")), "{command}");
    }
    let output = home.cli(["token", "mail", "--json"]).run().await;
    let answer: serde_json::Value = serde_json::from_str(&output.stdout).expect("JSON");
    assert_eq!(
        (output.code, &answer["error"]["reason"], &answer["error"]["message"]),
        (4, &"FOREIGN_SERVER".into(), &message.into())
    );
    assert_eq!(squatter.join().unwrap(), [b"", b"", b""], "nothing was sent");
}

#[tokio::test]
async fn a_server_that_was_named_on_purpose_is_spoken_to() {
    let Some(()) = require(root()) else { return };
    let home = Home::new();
    let squatter = squat(&home.socket(), 1);
    let cli = home.cli(["logout", "mail"]).env("TOKEN_BROKER_SERVER_UID", &STRANGER.to_string()).start().await;
    // It hangs up after a few bytes.
    assert!(squatter.join().unwrap()[0].starts_with(b"PRI"));
    assert_eq!(cli.end().await.code, 4);
}
