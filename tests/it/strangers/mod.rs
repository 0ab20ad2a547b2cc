//! Strangers, refused by name: processes of another user at our socket, servers of another user at its path, folders that others
//! own or can change, and a second daemon. The other user is a uid that no account has; only root can become it.

mod callers;
mod folders;
mod second_daemon;
mod squatters;

use std::{fs, os::unix::fs::PermissionsExt, path::Path, thread, time::SystemTime};

use rustix::{
    process::{Gid, Uid, geteuid},
    thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid},
};
use token_broker_tests::requirements::Missing;

/// A throw-away uid.
const STRANGER: u32 = 54_321;

/// Whether this process may become somebody else.
fn root() -> Result<(), Missing> {
    geteuid()
        .is_root()
        .then_some(())
        .ok_or_else(|| Missing::new("only root can play another user: run the tests as root"))
}

/// Does something as the stranger: on Linux each thread has credentials of its own, and a socket keeps those of the thread that
/// made it.
fn as_stranger<T: Send + 'static>(deed: impl FnOnce() -> T + Send + 'static) -> T {
    let become_stranger = || {
        let (uid, gid) = (Uid::from_raw(STRANGER), Gid::from_raw(STRANGER));
        set_thread_groups(&[]).unwrap();
        set_thread_res_gid(gid, gid, gid).unwrap();
        set_thread_res_uid(uid, uid, uid).unwrap();
    };
    thread::spawn(move || {
        become_stranger();
        deed()
    })
    .join()
    .expect("the stranger does not panic")
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A file: path, mode, time of change, content.
type Seen = (String, u32, SystemTime, Vec<u8>);

/// The files of a folder, to see that nobody touched them.
fn snapshot(folder: &Path) -> Vec<Seen> {
    let mut found: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let facts = fs::symlink_metadata(&path).unwrap();
            let content = if facts.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
            (path.display().to_string(), facts.permissions().mode(), facts.modified().unwrap(), content)
        })
        .collect();
    found.sort();
    found
}
