//! The README's chapter "Install": every command in it is typed here, in order, as the user who reads it.

use std::fs;

use token_broker_tests::{folder, peers::systemd::until};

use super::package::unpacked;

/// The lines of the shell blocks in the chapter.
fn commands() -> Vec<String> {
    let readme = fs::read_to_string(folder("../README.md")).unwrap();
    let (_, rest) = readme.split_once("\n## Install\n").unwrap();
    let (chapter, _) = rest.split_once("\n## ").unwrap();
    let blocks = chapter.split("```sh\n").skip(1).map(|block| block.split_once("```").unwrap().0);
    blocks.flat_map(str::lines).map(str::to_owned).collect()
}

#[tokio::test]
async fn every_command_of_the_chapter_works() {
    let Some(session) = unpacked().await else { return };
    let ci = fs::read_to_string(folder("../.ci/run")).unwrap();
    let commands = commands();
    assert!(commands.len() >= 6, "{commands:?}");
    for command in &commands {
        if let Some(what) = command.strip_prefix("cargo install --locked ") {
            // Takes minutes: .ci/run does it.
            assert!(ci.contains(what), "{command} is in .ci/run");
            continue;
        }
        let command = match command.as_str() {
            // What was built already; .ci/run builds it.
            "packaging/install" => "packaging/install --from ~/built",
            other => other,
        };
        session.script(&format!("cd ~/source && {command}")).await;
    }
    until(async || session.states().await == ("inactive".into(), "inactive".into())).await;
}
