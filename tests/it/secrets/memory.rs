//! The daemon's memory stays its own: no core file however it dies and whatever the limits say, and to the kernel it is not
//! dumpable, so that the files of its process belong to root and not to its user.

use std::{
    fs,
    os::unix::{
        fs::MetadataExt,
        process::{CommandExt, ExitStatusExt},
    },
    process::Command,
};

use token_broker_tests::{
    process::{DaemonProcess, Home, Signal, program},
    requirements::{Missing, require},
};

/// Lifts the limit as far as it goes, then becomes another program.
const WITHOUT_LIMIT: &str = r#"ulimit -c "$(ulimit -H -c)" && exec "$@""#;

/// Whether a program that dies here leaves a core file.
fn cores() -> Result<(), Missing> {
    let scratch = tempfile::tempdir().unwrap();
    let mut dying = Command::new("sh");
    dying.args(["-c", WITHOUT_LIMIT, "sh", "sh", "-c", "kill -ABRT $$"]).current_dir(scratch.path());
    let status = dying.status().unwrap();
    let why = "no program leaves a core file here: raise the hard limit of core files, and set core_pattern to `core`";
    status.core_dumped().then_some(()).ok_or_else(|| Missing::new(why))
}

#[tokio::test]
async fn an_aborted_daemon_leaves_no_core_file() {
    let Some(()) = require(cores()) else { return };
    let home = Home::new();
    let daemon = DaemonProcess::start_with(&home, |command| {
        let daemon = program("token-brokerd");
        let mut guarded = home.command("token-brokerd");
        std::mem::swap(command, &mut guarded);
        let mut shell = Command::new("sh");
        shell.args(["-c", WITHOUT_LIMIT, "sh"]).arg(daemon).current_dir(home.path()).env_clear();
        for (name, value) in guarded.as_std().get_envs() {
            value.map(|value| shell.env(name, value));
        }
        *command = shell.into();
        command.kill_on_drop(true);
    })
    .await;
    let limits = fs::read_to_string(format!("/proc/{}/limits", daemon.pid())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().collect::<Vec<_>>()[4..6], ["0", "0"], "{core}");
    let (status, _) = daemon.end(Signal::ABORT).await;
    assert_eq!((status.signal(), status.core_dumped()), (Some(6), false));
    let core = fs::read_dir(home.path())
        .unwrap()
        .find(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("core"));
    assert!(core.is_none(), "{core:?}");
}

#[tokio::test]
async fn its_user_cannot_look_into_the_process() {
    const USER: u32 = 54_322;
    let root = rustix::process::geteuid().is_root().then_some(());
    let Some(()) = require(root.ok_or_else(|| Missing::new("only root can run it as another user"))) else { return };
    let home = Home::new();
    for folder in ["", "config", "data", "run", "cache"] {
        std::os::unix::fs::chown(home.path().join(folder), Some(USER), Some(USER)).unwrap();
    }
    let copy = home.path().join("token-brokerd");
    fs::copy(program("token-brokerd"), &copy).unwrap();
    let daemon = DaemonProcess::start_with(&home, |command| {
        let mut other = Command::new(&copy);
        other.env_clear().current_dir(home.path()).uid(USER).gid(USER);
        for (name, value) in command.as_std().get_envs() {
            value.map(|value| other.env(name, value));
        }
        *command = other.into();
        command.kill_on_drop(true);
    })
    .await;
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.pid())).unwrap();
    assert!(status.lines().any(|line| line.starts_with(&format!("Uid:\t{USER}\t"))), "{status}");
    for file in ["environ", "mem", "maps", "exe"] {
        let path = format!("/proc/{}/{file}", daemon.pid());
        assert_eq!(fs::symlink_metadata(&path).unwrap().uid(), 0, "{path} belongs to root");
        let mut look = Command::new("cat");
        let looked = look.arg(&path).uid(USER).gid(USER).output().unwrap();
        assert!(!looked.status.success() && looked.stdout.is_empty(), "{path}");
    }
    // Another process of that user does belong to it: the check can fail.
    let mut control = Command::new("sleep").arg("60").uid(USER).gid(USER).spawn().unwrap();
    assert_eq!(fs::metadata(format!("/proc/{}/environ", control.id())).unwrap().uid(), USER);
    control.kill().unwrap();
    control.wait().unwrap();
}
