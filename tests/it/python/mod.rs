//! The Python client of client/python: its own tests, in its own language, against the real daemon; and its types. `stage` plays
//! the provider and the users for them.

mod stage;

use std::path::PathBuf;

use token_broker_tests::{
    folder,
    process::program,
    requirements::{Missing, require},
};
use tokio::process::Command;

use self::stage::Stage;

/// The interpreter with the pinned packages.
pub(crate) fn python() -> Result<PathBuf, Missing> {
    let python = folder("peers/.venv/bin/python");
    let installed = folder("peers/.venv/lib").is_dir()
        && std::process::Command::new(&python)
            .args(["-c", "import azure.core, bottle, flask, grpc, httpx, msgraph, mypy, pytest, requests"])
            .stderr(std::process::Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
    let why = "tests/peers/.venv is not set up: tests/run does it, with python3 and its venv module";
    installed.then_some(python).ok_or_else(|| Missing::new(why))
}

/// Runs a module of Python in the package's folder to its end; it must succeed.
async fn run(python: PathBuf, arguments: &[&str], change: impl FnOnce(&mut Command)) {
    let mut command = Command::new(python);
    command.arg("-m").args(arguments).current_dir(folder("../client/python")).kill_on_drop(true);
    command.env("PYTHONDONTWRITEBYTECODE", "1").env_remove("TOKEN_BROKER_SOCKET");
    change(&mut command);
    let output = command.output().await.expect("python starts");
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{arguments:?} failed ({}):\n{stdout}{stderr}", output.status);
}

#[tokio::test]
async fn the_package_keeps_its_promises() {
    let Some(python) = require(python()) else { return };
    let stage = Stage::set().await;
    let pytest = run(python, &["pytest", "-q", "--tb=short"], |command| {
        command.env("TOKEN_BROKER_TEST_STAGE", stage.control());
        command.env("TOKEN_BROKER_TEST_RUST_SAMPLE", program("examples/graph_sample"));
    });
    tokio::select! {
        () = pytest => {}
        () = stage.play() => {}
    }
}

#[tokio::test]
async fn its_types_are_strict() {
    let Some(python) = require(python()) else { return };
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let cache = scratch.path().to_str().expect("text").to_owned();
    run(python, &["mypy", "--strict", "--cache-dir", &cache, "src", "samples"], |_| ()).await;
}
