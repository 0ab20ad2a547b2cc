//! What happens around a command: daemon, provider and user, as the lines with `% ` say.

use std::{fs, time::Duration};

use token_broker_tests::{
    authorization_server::{AuthorizationServer, Endpoint, Fault, Options},
    process::{DaemonProcess, Home, Output, RunningCli, Signal},
    user::User,
};

use super::{placeholders, words::Typed};

/// The provider's address in a command; a port is different each time.
const ISSUER: &str = "http://127.0.0.1:[PORT]";

/// Around one transcript.
pub(super) struct Stage {
    server: AuthorizationServer,
    home: Home,
    daemon: Option<DaemonProcess>,
    /// What the user does in the next command that waits for one.
    user: Option<Deed>,
    /// What is typed elsewhere while the next command follows something, which is then interrupted,
    /// unless the daemon stops.
    meanwhile: Vec<String>,
    /// The file that lines with `> ` go to.
    file: Option<String>,
    /// The access token that was printed last, for the input of a command.
    printed: String,
}

/// What a user does.
enum Deed {
    SignIn(String),
    Decline,
    Interrupt,
}

impl Stage {
    pub(super) async fn set() -> Self {
        let server = AuthorizationServer::start(Options {
            // Half a minute more than a round number: the test may take that long.
            access_token_lifetime: Duration::from_secs(3630),
            device_code_lifetime: Duration::from_secs(630),
            device_interval: 1,
            id_token_claims: [("name".to_owned(), "Ada Lovelace".into())].into_iter().collect(),
            ..Options::default()
        });
        let home = Home::new();
        let daemon = Some(DaemonProcess::start(&home).await);
        Self { server, home, daemon, user: None, meanwhile: Vec::new(), file: None, printed: String::new() }
    }

    /// A line with `% `.
    pub(super) async fn prepare(&mut self, event: &str) {
        match event.split(' ').collect::<Vec<_>>()[..] {
            ["the", "daemon", "stops"] => self.stop().await,
            ["the", "daemon", "starts"] => self.daemon = Some(DaemonProcess::start(&self.home).await),
            ["the", "user", "signs", "in", "as", name] => self.user = Some(Deed::SignIn(name.to_owned())),
            ["the", "user", "declines"] => self.user = Some(Deed::Decline),
            ["the", "user", "presses", "Ctrl-C"] => self.user = Some(Deed::Interrupt),
            ["the", "provider", "revokes", "all", "grants"] => self.server.revoke_all(),
            ["the", "provider's", "next", place, "answer", "is", ref what @ ..] => {
                self.server.fail_next(endpoint(place), fault(what));
            }
            ["meanwhile:", ref command @ ..] => self.meanwhile.push(command.join(" ")),
            ["the", "key", "is", "exchanged"] => {
                self.stop().await;
                fs::write(self.home.data_dir().join("key"), [7; 32]).unwrap();
                self.daemon = Some(DaemonProcess::start(&self.home).await);
            }
            ["a", "file", name] => {
                fs::write(self.home.path().join(name), "").unwrap();
                self.file = Some(name.to_owned());
            }
            _ => panic!("nobody knows how to do this: {event}"),
        }
    }

    /// A line with `> ` belongs to the file that was named.
    pub(super) fn keep(&mut self, line: &str) {
        let Some(text) = line.strip_prefix('>') else { return };
        let path = self.home.path().join(self.file.as_deref().expect("a line `% a file NAME` comes first"));
        let all = fs::read_to_string(&path).unwrap() + &text.trim_start().replace(ISSUER, self.server.issuer()) + "\n";
        fs::write(path, all).unwrap();
    }

    async fn stop(&mut self) {
        let daemon = self.daemon.take().expect("a daemon runs");
        let (status, log) = daemon.end(Signal::TERM).await;
        assert!(status.success(), "{log}");
    }

    /// Runs a command; what it printed, as the transcript has it.
    pub(super) async fn run(&mut self, command: &str) -> String {
        let typed = Typed::parse(&command.replace(ISSUER, self.server.issuer()));
        let input = typed.input.replace("[ACCESS_TOKEN]", &self.printed);
        let mut cli = self.home.cli(&typed.arguments).input(&input).start().await;
        match self.user.take() {
            None if self.meanwhile.is_empty() => {}
            None => self.change_what_is_followed(&mut cli, &typed.arguments).await,
            Some(deed) => self.act(&mut cli, deed, &typed.arguments).await,
        }
        let Output { code, mut stdout, stderr } = cli.end().await;
        if stdout.starts_with("at-") && stdout.lines().count() == 1 {
            stdout.trim_end().clone_into(&mut self.printed);
        }
        if let Some(lines) = typed.lines {
            stdout = stdout.split_inclusive('\n').take(lines).collect();
        }
        let stdout: String = stdout.split_inclusive('\n').flat_map(|line| [escape(line), line]).collect();
        let errors: Vec<_> = stderr.lines().map(|line| format!("! {line}").trim_end().to_owned() + "\n").collect();
        let errors = errors.concat();
        let code = if code == 0 { String::new() } else { format!("=> {code}\n") };
        let pid = self.daemon.as_ref().map(DaemonProcess::pid);
        placeholders::put(&format!("{stdout}{errors}{code}"), self.home.path(), pid, command)
    }

    /// Each command brings one more line of what is followed.
    async fn change_what_is_followed(&mut self, cli: &mut RunningCli, typed: &[String]) {
        let tells_people = typed == ["events"];
        if tells_people {
            cli.error_line(|_| true).await
        } else {
            cli.line(|_| true).await
        };
        for command in std::mem::take(&mut self.meanwhile) {
            if command == "the daemon stops" {
                return self.stop().await;
            }
            let other = Typed::parse(&command.replace(ISSUER, self.server.issuer()));
            self.home.cli(&other.arguments).run().await;
            cli.line(|_| true).await;
        }
        cli.interrupt();
    }

    async fn act(&self, cli: &mut RunningCli, deed: Deed, typed: &[String]) {
        if typed.iter().any(|word| word == "--device-code") {
            let code = self.user_code(cli, typed).await;
            match deed {
                Deed::SignIn(name) => self.server.approve_device(&code, &name),
                Deed::Decline => self.server.decline_device(&code),
                Deed::Interrupt => cli.interrupt(),
            }
            return;
        }
        let line = cli.line(|line| line.contains("http")).await;
        let url = member(&line, "url").unwrap_or(line);
        match deed {
            Deed::SignIn(name) => drop(User::named(&name).sign_in(&url).await),
            Deed::Decline => drop(User::named("ada").decline(&url).await),
            Deed::Interrupt => cli.interrupt(),
        }
    }

    async fn user_code(&self, cli: &mut RunningCli, typed: &[String]) -> String {
        if typed.iter().any(|word| word == "--json") {
            let line = cli.line(|line| line.contains("user_code")).await;
            return member(&line, "user_code").expect("a code");
        }
        let is_code = |line: &str| line.trim().len() == 9 && line.trim().as_bytes().get(4) == Some(&b'-');
        cli.error_line(is_code).await.trim().to_owned()
    }
}

/// Before a printed line that would look like one of the transcript's own.
fn escape(line: &str) -> &'static str {
    if line.starts_with(['#', '$', '%', '>', '!', '=', '\\']) { "\\" } else { "" }
}

fn member(line: &str, name: &str) -> Option<String> {
    let object: serde_json::Value = serde_json::from_str(line).ok()?;
    object.get(name)?.as_str().map(str::to_owned)
}

fn endpoint(place: &str) -> Endpoint {
    match place {
        "token" => Endpoint::Token,
        "revocation" => Endpoint::Revocation,
        "metadata" => Endpoint::Discovery,
        _ => panic!("no place {place}"),
    }
}

fn fault(what: &[&str]) -> Fault {
    match what {
        ["an", "outage"] => Fault::answer(503, "text/html", "<h1>503</h1>").with_header("retry-after", "30"),
        ["HTML"] => Fault::answer(200, "text/html; charset=utf-8", "<h1>Welcome to the hotel</h1>"),
        ["none"] => Fault::DropBefore,
        [error] => Fault::oauth_error(400, error),
        _ => panic!("no fault {what:?}"),
    }
}
