//! A second daemon on the same data folder or the same socket: it names the first one and leaves everything to it.

use std::fs;

use token_broker_tests::process::{DaemonProcess, Home, Signal};

use super::snapshot;

/// The data folder without the journal, in which the first daemon itself writes.
fn data(home: &Home) -> Vec<super::Seen> {
    let mut files = snapshot(&home.data_dir());
    files.retain(|(path, ..)| !path.ends_with("-wal") && !path.ends_with("-shm"));
    files
}

#[tokio::test]
async fn on_one_data_folder_the_second_names_the_first_ones_process() {
    let home = Home::new();
    let first = DaemonProcess::start(&home).await;
    let before = data(&home);
    let other_socket = home.path().join("run/other/broker.sock");
    let (status, said) = DaemonProcess::refused(&home, |command| {
        command.arg("--socket").arg(&other_socket);
    })
    .await;
    let sentence =
        format!("token-brokerd: the data folder {} is in use by process {}\n", home.data_dir().display(), first.pid());
    assert_eq!((status.code(), said), (Some(1), sentence));
    assert!(!other_socket.exists(), "no socket was opened");
    assert_eq!(data(&home), before);
    first.client().status().await.expect("the first serves as before");
}

#[tokio::test]
async fn on_one_socket_the_second_names_the_first_ones_process() {
    let home = Home::new();
    let first = DaemonProcess::start(&home).await;
    let (files, run) = (data(&home), snapshot(home.socket().parent().unwrap()));
    let (status, said) = DaemonProcess::refused(&home, |command| {
        command.arg("--data-dir").arg(home.path().join("other-data"));
    })
    .await;
    let sentence =
        format!("token-brokerd: another daemon answers at {} (process {})\n", home.socket().display(), first.pid());
    assert_eq!((status.code(), said), (Some(1), sentence));
    assert_eq!((data(&home), snapshot(home.socket().parent().unwrap())), (files, run));
    first.client().status().await.expect("the first serves as before");
}

#[tokio::test]
async fn what_a_killed_daemon_left_is_taken_over() {
    let home = Home::new();
    let first = DaemonProcess::start(&home).await;
    let killed = first.pid();
    first.end(Signal::KILL).await;
    assert!(home.socket().exists(), "a killed daemon removes nothing");
    let second = DaemonProcess::start(&home).await;
    second.client().status().await.expect("it serves at the same place");
    let lock = fs::read_to_string(home.data_dir().join("lock")).unwrap();
    assert_eq!(lock.trim(), second.pid().to_string());
    assert_ne!(killed, second.pid());
}
