//! README.md cannot drift: every command of its shell blocks is run, in order and in one home, with the example addresses replaced
//! by an embedded provider's. A command that nobody knows how to run fails the test. The chapter "Install" is typed by
//! `service/readme.rs`, which has a systemd for it; the Rust block is a test of the client crate.

use std::{fs, os::unix::fs::PermissionsExt, process::Command};

use token_broker_tests::{
    authorization_server::{AuthorizationServer, Client, Options},
    folder,
    process::{DaemonProcess, Home, program},
    user::User,
};

/// The client secret of the README's service.
const SECRET: &str = "the service's secret";

/// Where the commands run.
struct Stage {
    server: AuthorizationServer,
    home: Home,
    /// As the chapter "Install" leaves it.
    _daemon: DaemonProcess,
}

#[tokio::test]
async fn every_command_of_the_readme_does_what_it_says() {
    let clients = vec![Client::native("YOUR-CLIENT-ID"), Client::confidential("YOUR-SERVICE-ID", SECRET)];
    let server = AuthorizationServer::start(Options { clients, ..Options::default() });
    let home = Home::new();
    let daemon = DaemonProcess::start(&home).await;
    let stage = Stage { server, home, _daemon: daemon };
    fs::write(stage.home.path().join("secret-file"), format!("{SECRET}\n")).unwrap();
    let commands = commands();
    assert!(commands.len() > 6, "the shell blocks were found: {commands:?}");
    for command in &commands {
        stage.run(command).await;
    }
    // The sign-in, and the service's own token.
    assert_eq!(stage.server.requests("token:authorization_code"), 1);
    assert_eq!(stage.server.requests("token:client_credentials"), 1);
    assert_eq!(stage.server.requests("token:urn:ietf:params:oauth:grant-type:token-exchange"), 1);
}

impl Stage {
    async fn run(&self, command: &str) {
        if command.ends_with("< callers-token") {
            // What the client of a user sent to the service.
            let sent = self.home.cli(["token", "mail"]).run().await.stdout;
            fs::write(self.home.path().join("callers-token"), sent).unwrap();
        }
        match command.split(' ').collect::<Vec<_>>()[..] {
            ["cargo", "run", "--bin", "demo"] => {
                let demo = self.home.command("demo").output().await.expect("the demo runs");
                let told = String::from_utf8_lossy(&demo.stdout);
                assert!(demo.status.success() && told.contains("That is the whole job"), "{told}");
            }
            // This very program is what it runs.
            ["tests/run"] => is_a_script("tests/run"),
            ["broker-cli", "login", application] => {
                // The user's browser is a script here.
                let mut login = self.home.cli(["login", application, "--no-browser"]).start().await;
                User::named("ada").sign_in(&login.line(|line| line.starts_with("http")).await).await;
                let output = login.end().await;
                assert_eq!((output.code, output.stdout.contains("Signed in")), (0, true), "{output:?}");
            }
            ["broker-cli", ..] => self.shell(command).await,
            _ => panic!("README.md has a command that this test cannot run: {command}"),
        }
    }

    /// Runs a line as its reader would, with the programs in `PATH`.
    async fn shell(&self, command: &str) {
        let metadata = format!("{}/.well-known/openid-configuration", self.server.issuer());
        let line = command
            .replace("https://id.example.com", self.server.issuer())
            .replace("https://api.example.com/me", &metadata)
            .replace("curl ", "curl --silent --show-error --fail ");
        let mut shell =
            self.home.command("broker-cli").as_std().get_envs().fold(Command::new("bash"), |mut shell, env| {
                if let (name, Some(value)) = env {
                    shell.env(name, value);
                }
                shell
            });
        let programs = program("broker-cli");
        let path = std::env::var("PATH").unwrap_or_default();
        shell.env("PATH", format!("{}:{path}", programs.parent().unwrap().display()));
        shell.args(["-euo", "pipefail", "-c", &line]).current_dir(self.home.path());
        let output = tokio::process::Command::from(shell).output().await.expect("bash runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && !output.stdout.is_empty(), "{line}: {said}");
        if command.contains("curl ") {
            let seen = self.server.last_request("discovery").expect("curl came there");
            assert_eq!(seen.headers.get("authorization").map(String::as_str), Some("Bearer"), "{seen:?}");
        }
    }
}

fn text() -> String {
    fs::read_to_string(folder("../README.md")).unwrap()
}

/// The lines of the shell blocks outside of "Install".
fn commands() -> Vec<String> {
    let text = text();
    let (before, install) = text.split_once("\n## Install\n").expect("the chapter");
    let after = install.split_once("\n## ").expect("a chapter after it").1;
    let text = format!("{before}\n{after}");
    let blocks = text.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default());
    let lines = blocks.flat_map(str::lines).map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(str::to_owned).collect()
}

fn is_a_script(path: &str) {
    let file = folder("..").join(path);
    assert!(file.metadata().unwrap().permissions().mode() & 0o111 != 0, "{path} is executable");
    let syntax = Command::new("bash").arg("-n").arg(file).status().unwrap();
    assert!(syntax.success(), "{path} is a script");
}

#[tokio::test]
async fn every_command_of_the_readmes_table_exists() {
    let text = text();
    let rows = text.lines().skip_while(|line| *line != "## Commands").filter(|line| line.starts_with("| `"));
    let cells = rows.filter_map(|row| row.split(" | ").next());
    let commands: Vec<_> = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    assert!(commands.len() > 12, "the table was found: {commands:?}");
    let home = Home::new();
    for command in commands {
        let is_word = |word: &&str| {
            word.starts_with(|c: char| c.is_ascii_lowercase())
                && word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
        };
        let words: Vec<_> = command.split(' ').filter(is_word).collect();
        let options = command.split(['[', ']']).filter(|part| part.starts_with("--"));
        let output = home.cli(words.into_iter().chain(["--help"])).run().await;
        assert_eq!(output.code, 0, "{command}: {output:?}");
        options.for_each(|option| assert!(output.stdout.contains(option), "{command}: {output:?}"));
    }
}
