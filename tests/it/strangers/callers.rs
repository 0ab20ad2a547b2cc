//! Another user's process at the owner's socket: the closed folder keeps it out, and where somebody opened that, the daemon closes
//! the connection before it reads or says anything.

use std::{
    fs,
    io::{ErrorKind, Read, Write},
    os::unix::{net::UnixStream, process::CommandExt},
};

use token_broker_tests::{
    process::{DaemonProcess, Home, Signal, program},
    requirements::require,
};

use super::{STRANGER, as_stranger, chmod, root};

/// What an HTTP/2 client says first (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

#[tokio::test]
async fn the_closed_folder_keeps_others_out() {
    let Some(()) = require(root()) else { return };
    let home = Home::new();
    let _daemon = DaemonProcess::start(&home).await;
    chmod(home.path(), 0o755);
    chmod(&home.path().join("run"), 0o755);
    let socket = home.socket();
    let error = as_stranger(move || UnixStream::connect(socket)).expect_err("the folder is closed");
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    let data = home.data_dir();
    let files = ["cache.db", "key"].map(|name| data.join(name));
    let errors = as_stranger(move || files.map(|file| fs::read(file).map_err(|error| error.kind())));
    assert_eq!(errors, [Err(ErrorKind::PermissionDenied), Err(ErrorKind::PermissionDenied)]);
}

#[tokio::test]
async fn behind_an_opened_folder_the_daemon_turns_others_away_without_a_byte() {
    let Some(()) = require(root()) else { return };
    let home = Home::new();
    let daemon = DaemonProcess::start(&home).await;
    open(&home);
    let socket = home.socket();
    let (sent, heard) = as_stranger(move || {
        let mut stream = UnixStream::connect(socket).expect("the folder is open");
        let sent = stream.write_all(PREFACE).map_err(|error| error.kind());
        let mut heard = Vec::new();
        let ended = stream.read_to_end(&mut heard).map_err(|error| error.kind());
        assert!(matches!(ended, Ok(0) | Err(ErrorKind::ConnectionReset)), "{ended:?}");
        (sent, heard)
    });
    assert!(heard.is_empty(), "a stranger heard {heard:?}");
    assert!(matches!(sent, Ok(()) | Err(ErrorKind::BrokenPipe)), "{sent:?}");
    daemon.client().status().await.expect("the owner is served as before");
    let (status, log) = daemon.end(Signal::TERM).await;
    assert!(status.success(), "{status:?}");
    let line = format!("a process of uid {STRANGER} tried the socket of uid 0");
    assert!(log.contains(&line) && log.contains("turned away"), "{log}");
}

#[tokio::test]
async fn the_command_line_tells_a_stranger_whose_daemon_it_is() {
    let Some(()) = require(root()) else { return };
    let home = Home::new();
    let _daemon = DaemonProcess::start(&home).await;
    open(&home);
    // The folder that it was built in may be closed to others.
    let program_file = home.path().join("broker-cli");
    fs::copy(program("broker-cli"), &program_file).unwrap();
    let mut command = std::process::Command::new(program_file);
    command.arg("--socket").arg(home.socket()).arg("status").env_clear().uid(STRANGER).gid(STRANGER);
    let output = tokio::process::Command::from(command).output().await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(4), "{said}");
    let socket = home.socket().display().to_string();
    assert_eq!(
        said,
        format!(
            "error: the daemon at {socket} belongs to another user (uid 0) and closed the connection: a daemon serves its own user only\n"
        )
    );
    assert!(output.stdout.is_empty());
}

/// Somebody was careless with every mode on the way.
fn open(home: &Home) {
    chmod(home.path(), 0o755);
    chmod(&home.path().join("run"), 0o755);
    chmod(home.socket().parent().unwrap(), 0o755);
    chmod(&home.socket(), 0o666);
}
