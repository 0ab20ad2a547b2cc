//! Folders and files that are not what the daemon made: it refuses to start, says in what way they are unsafe, and leaves them as
//! they are.

use std::{fs, os::unix::fs::symlink, path::Path};

use token_broker_tests::{
    process::{DaemonProcess, Home},
    requirements::require,
};

use super::{STRANGER, chmod, root, snapshot};

/// The daemon refuses with this sentence, and what is there stays as it is.
async fn refused(home: &Home, watched: &Path, sentence: &str) {
    let before = snapshot(watched);
    let (status, said) = DaemonProcess::refused(home, |_| ()).await;
    assert_eq!((status.code(), said.as_str()), (Some(1), format!("token-brokerd: {sentence}\n").as_str()));
    assert_eq!(snapshot(watched), before, "{sentence}");
}

#[tokio::test]
async fn a_socket_folder_that_others_can_change() {
    let home = Home::new();
    let folder = home.path().join("run/token-broker");
    fs::create_dir(&folder).unwrap();
    for mode in [0o770, 0o707, 0o750] {
        chmod(&folder, mode);
        let why = format!("its mode is {mode:03o}; close it with: chmod 700 {0}", folder.display());
        refused(&home, &folder, &format!("the socket folder {} is not safe: {why}", folder.display())).await;
    }
}

#[tokio::test]
async fn a_socket_folder_that_is_a_link() {
    let home = Home::new();
    let [folder, target] = ["run/token-broker", "elsewhere"].map(|name| home.path().join(name));
    fs::create_dir(&target).unwrap();
    chmod(&target, 0o700);
    symlink(&target, &folder).unwrap();
    let why = "it is a symbolic link or no folder at all";
    refused(&home, &target, &format!("the socket folder {} is not safe: {why}", folder.display())).await;
}

#[tokio::test]
async fn a_socket_folder_of_somebody_else() {
    let Some(()) = require(root()) else { return };
    let home = Home::new();
    let folder = home.path().join("run/token-broker");
    fs::create_dir(&folder).unwrap();
    chmod(&folder, 0o700);
    std::os::unix::fs::chown(&folder, Some(STRANGER), None).unwrap();
    let why = format!("it belongs to uid {STRANGER}, not to uid 0");
    refused(&home, &folder, &format!("the socket folder {} is not safe: {why}", folder.display())).await;
}

#[tokio::test]
async fn a_file_at_the_place_of_the_socket() {
    let home = Home::new();
    let folder = home.path().join("run/token-broker");
    fs::create_dir(&folder).unwrap();
    chmod(&folder, 0o700);
    let file = home.socket();
    let sentence = format!("{} exists and is not a socket; remove it or choose another --socket", file.display());
    fs::write(&file, "somebody's notes").unwrap();
    refused(&home, &folder, &sentence).await;
    fs::remove_file(&file).unwrap();
    symlink("/dev/null", &file).unwrap();
    refused(&home, &folder, &sentence).await;
}

#[tokio::test]
async fn a_data_folder_that_others_can_change() {
    let home = Home::new();
    let folder = home.data_dir();
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("notes"), "mine").unwrap();
    for mode in [0o770, 0o702] {
        chmod(&folder, mode);
        let why = format!("can be written by others (mode {mode:04o}): chmod 700 it");
        refused(&home, &folder, &format!("the data folder {} {why}", folder.display())).await;
    }
}

#[tokio::test]
async fn a_data_folder_that_is_a_link() {
    let home = Home::new();
    let (folder, target) = (home.data_dir(), home.path().join("elsewhere"));
    fs::create_dir(&target).unwrap();
    symlink(&target, &folder).unwrap();
    let why = "is a symbolic link: name the folder that it leads to";
    refused(&home, &target, &format!("the data folder {} {why}", folder.display())).await;
}

#[tokio::test]
async fn a_data_folder_of_somebody_else() {
    let Some(()) = require(root()) else { return };
    let home = Home::new();
    let folder = home.data_dir();
    fs::create_dir(&folder).unwrap();
    std::os::unix::fs::chown(&folder, Some(STRANGER), None).unwrap();
    let why = format!("belongs to user {STRANGER}, not to user 0 who runs the daemon");
    refused(&home, &folder, &format!("the data folder {} {why}", folder.display())).await;
}

#[tokio::test]
async fn links_in_the_data_folder_are_not_followed() {
    for name in ["cache.db", "key", "lock"] {
        let home = Home::new();
        let (folder, target) = (home.data_dir(), home.path().join("target"));
        fs::create_dir(&folder).unwrap();
        chmod(&folder, 0o700);
        fs::write(&target, "somebody's file").unwrap();
        symlink(&target, folder.join(name)).unwrap();
        if name == "key" {
            // No refusal to start: the daemon is up, locked, and says why.
            let daemon = DaemonProcess::start(&home).await;
            let reason = daemon.client().status().await.unwrap().lock_reason.expect("locked");
            assert!(reason.contains("key") && reason.contains("cannot be read"), "{reason}");
        } else {
            let (status, said) = DaemonProcess::refused(&home, |_| ()).await;
            assert!(status.code() == Some(1) && said.contains(name), "{said}");
        }
        assert_eq!(fs::read_to_string(&target).unwrap(), "somebody's file", "{name}");
    }
}
