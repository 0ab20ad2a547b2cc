//! The broker in a scenario: a daemon with the test's clock, and `broker-cli --json` for every step, as people use it. Its answers
//! become the same words that the driver has for MSAL's.

use std::sync::Arc;

use serde_json::Value;
use token_broker_tests::{
    daemon::{Options, TestDaemon},
    folder,
    process::{Cli, Home, Output},
};

use super::scenario::{Stage, scopes_of, text_of};

/// Facts of an application that are options of `app add`.
const TEXTS: [(&str, &str); 7] = [
    ("authority", "--authority"),
    ("issuer", "--issuer"),
    ("certificate", "--certificate"),
    ("redirect_uri", "--redirect-uri"),
    ("region", "--region"),
    ("app_name", "--app-name"),
    ("app_version", "--app-version"),
];

/// A daemon of its own, and a home for the command line.
pub(super) struct Broker {
    pub(super) daemon: TestDaemon,
    home: Home,
}

impl Broker {
    /// Starts it on this stage.
    pub(super) async fn start(stage: &Stage) -> Self {
        let options = Options { clock: Arc::new(stage.clock.clone()), ..Options::default() };
        let daemon = TestDaemon::start_behind(options, Some(stage.entra.http())).await;
        Self { daemon, home: Home::new() }
    }

    /// Plays a step; returns what it gave.
    pub(super) async fn step(&mut self, stage: &Stage, step: &Value) -> String {
        let application = step.get("application").and_then(Value::as_str).unwrap_or("app");
        match text_of(step, "do") {
            "open" => self.register(&step["applications"]).await,
            "sign_in" => self.sign_in(stage, application, step).await,
            "device_code" => self.device_code(stage, application, step).await,
            "token" => self.token(application, step, &[], "").await,
            "password" => self.without_page(application, step, ("password", "--password-stdin")).await,
            "user_credential" => self.without_page(application, step, ("assertion", "--user-assertion-stdin")).await,
            "import_token" => self.without_page(application, step, ("refresh_token", "--refresh-token-stdin")).await,
            "app_only" => self.token(application, step, &["--app-only"], "").await,
            "on_behalf_of" => self.token(application, step, &["--on-behalf-of-stdin"], &stage.assertion(step)).await,
            // Begins with an assertion, and goes on without one.
            "session" if step.get("of").is_some() => {
                let more = ["--on-behalf-of-stdin", "--session-key", text_of(step, "key")];
                self.token(application, step, &more, &stage.assertion(step)).await
            }
            "session" => self.token(application, step, &["--session-key", text_of(step, "key")], "").await,
            "accounts" => self.accounts(application).await,
            "sign_out" => self.sign_out(application, step).await,
            "wait" => stage.asked(step).await,
            "begin" => self.begin(stage, application, step).await,
            "complete" => self.complete(stage, application, step).await,
            other => panic!("the broker has no step {other:?}"),
        }
    }

    fn cli(&self, arguments: &[&str]) -> Cli {
        let socket = self.daemon.socket();
        let start = ["--socket", socket.to_str().expect("a path that is text"), "--json"];
        self.home.cli(start.iter().chain(arguments))
    }

    async fn register(&self, applications: &Value) -> String {
        for (name, facts) in applications.as_object().expect("a table") {
            let mut arguments = vec!["app", "add", name, "--client-id", text_of(facts, "client_id")];
            for (fact, option) in TEXTS {
                if facts.get(fact).is_some() {
                    arguments.extend([option, text_of(facts, fact)]);
                }
            }
            for (list, option) in [("capabilities", "--capability"), ("exclude_scopes", "--exclude-scope")] {
                for text in facts.get(list).and_then(Value::as_array).into_iter().flatten() {
                    arguments.extend([option, text.as_str().expect("text")]);
                }
            }
            let claims = facts.get("client_claims").map(Value::to_string);
            if let Some(claims) = &claims {
                arguments.extend(["--assertion-claims", claims]);
            }
            // MSAL sends the chain whenever it has the certificate.
            if facts.get("certificate").is_some() {
                arguments.push("--send-x5c");
            }
            if facts.get("instance_discovery") == Some(&Value::Bool(false)) {
                arguments.push("--no-instance-discovery");
            }
            let secret = facts.get("secret").and_then(Value::as_str);
            if secret.is_some() {
                arguments.push("--client-secret-stdin");
            }
            let output = self.cli(&arguments).input(secret.unwrap_or_default()).run().await;
            if output.code != 0 {
                return failure(&output);
            }
        }
        "registered".to_owned()
    }

    async fn sign_in(&self, stage: &Stage, application: &str, step: &Value) -> String {
        let arguments = login(application, step, "--no-browser");
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let mut cli = self.cli(&arguments).start().await;
        let first = cli.line(|line| line.contains("open_url") || line.contains("\"error\"")).await;
        let first: Value = serde_json::from_str(&first).expect("a line of JSON");
        if let Some(url) = first["url"].as_str() {
            stage.browse(url, step).await;
        }
        signed_in(&cli.end().await)
    }

    /// A sign-in that nobody is in front of, by what comes on standard input.
    async fn without_page(&self, application: &str, step: &Value, (fact, option): (&str, &str)) -> String {
        let arguments = login(application, step, option);
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        signed_in(&self.cli(&arguments).input(text_of(step, fact)).run().await)
    }

    /// Lets the time pass that each poll waits for, until the device has been polled often enough.
    async fn device_code(&self, stage: &Stage, application: &str, step: &Value) -> String {
        let arguments = login(application, step, "--device-code");
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let cli = self.cli(&arguments).start().await;
        let end = cli.end();
        tokio::pin!(end);
        loop {
            // Two timers of the daemon always stand; the third is the poll's.
            tokio::select! {
                output = &mut end => return signed_in(&output),
                () = stage.clock.timers_set(3) => {}
            }
            stage.clock.advance_to_next_timer().await;
        }
    }

    async fn token(&self, application: &str, step: &Value, more: &[&str], input: &str) -> String {
        let mut arguments: Vec<_> =
            ["token", application].into_iter().chain(more.iter().copied()).map(str::to_owned).collect();
        for (fact, option) in [
            ("claims", "--claims"),
            ("tenant", "--tenant"),
            ("username", "--account"),
            ("client_claims", "--forwarded-client-claims"),
            ("fmi_path", "--fmi-path"),
        ] {
            if step.get(fact).is_some() {
                arguments.extend([option.to_owned(), text_of(step, fact).to_owned()]);
            }
        }
        if step.get("force_refresh") == Some(&Value::Bool(true)) {
            arguments.push("--force-refresh".to_owned());
        }
        if step.get("ssh_key").is_some() {
            let key = folder(&format!("peers/msal/{}", text_of(step, "ssh_key")));
            let certificate = self.home.path().join("certificate.pub");
            for (option, path) in [("--ssh-cert", key), ("--out", certificate)] {
                arguments.extend([option.to_owned(), path.to_str().expect("a path that is text").to_owned()]);
            }
        }
        for scope in scopes_of(step) {
            arguments.extend(["--scope".to_owned(), scope]);
        }
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let output = self.cli(&arguments).input(input).run().await;
        if output.code != 0 {
            return failure(&output);
        }
        let answer = last_line(&output);
        let source = if answer["token_source"] == "cache" { "cached" } else { "issued" };
        format!("{source} {}", text_of(&answer, "access_token"))
    }

    async fn accounts(&self, application: &str) -> String {
        let output = self.cli(&["accounts", application]).run().await;
        let listed = last_line(&output);
        let accounts = listed["accounts"].as_array().expect("a list").iter();
        let mut names: Vec<_> = accounts.map(|account| text_of(account, "username").to_owned()).collect();
        names.sort();
        if names.is_empty() { "nobody".to_owned() } else { names.join(" ") }
    }

    async fn sign_out(&self, application: &str, step: &Value) -> String {
        let mut arguments = vec!["logout", application];
        if step.get("username").is_some() {
            arguments.extend(["--account", text_of(step, "username")]);
        }
        let output = self.cli(&arguments).run().await;
        if output.code == 0 { "signed out".to_owned() } else { failure(&output) }
    }
}

/// The arguments of a sign-in.
fn login(application: &str, step: &Value, way: &str) -> Vec<String> {
    let mut arguments: Vec<_> = ["login", application, way].map(str::to_owned).to_vec();
    for (fact, option) in [
        ("prompt", "--prompt"),
        ("login_hint", "--login-hint"),
        ("domain_hint", "--domain-hint"),
        ("claims", "--claims"),
        ("username", "--username"),
        ("user_object_id", "--user-object-id"),
    ] {
        if step.get(fact).is_some() {
            arguments.extend([option.to_owned(), text_of(step, fact).to_owned()]);
        }
    }
    for scope in scopes_of(step) {
        arguments.extend(["--scope".to_owned(), scope]);
    }
    arguments
}

fn signed_in(output: &Output) -> String {
    if output.code != 0 {
        return failure(output);
    }
    format!("signed in {}", text_of(&last_line(output)["account"], "username"))
}

/// The words of a failure that the command line printed.
fn failure(output: &Output) -> String {
    let said = last_line(output);
    let error = &said["error"];
    let provider = error.get("provider").map(|provider| Provider {
        error: text_of(provider, "error"),
        suberror: text_of(provider, "suberror"),
        has_claims: provider.get("claims").is_some(),
    });
    in_words(text_of(error, "reason"), text_of(error, "message"), provider)
}

/// What the provider said, as far as it is told in words.
#[derive(Default)]
pub(super) struct Provider<'a> {
    pub(super) error: &'a str,
    pub(super) suberror: &'a str,
    pub(super) has_claims: bool,
}

/// The words of a failure: the reason, or what the provider said.
pub(super) fn in_words(reason: &str, message: &str, provider: Option<Provider<'_>>) -> String {
    match (reason, provider.filter(|provider| !provider.error.is_empty())) {
        ("DECLINED", _) => "declined".to_owned(),
        ("EXPIRED", _) => "expired".to_owned(),
        ("AUTHORITY_UNAVAILABLE", _) => "unavailable".to_owned(),
        ("ACCOUNT_AMBIGUOUS", _) => "ambiguous".to_owned(),
        ("INTERACTION_REQUIRED", None) => "sign-in needed".to_owned(),
        ("AUTHORITY_REFUSED" | "INTERACTION_REQUIRED", Some(Provider { error, suberror, has_claims })) => {
            let suberror = if suberror.is_empty() { String::new() } else { format!("/{suberror}") };
            format!("refused {error}{suberror}{}", if has_claims { " with claims" } else { "" })
        }
        _ => format!("{reason}: {message}"),
    }
}

/// The last line of standard output, which is the answer.
fn last_line(output: &Output) -> Value {
    let line = output.stdout.trim_end().lines().last().unwrap_or_default();
    serde_json::from_str(line).unwrap_or_else(|_| panic!("no line of JSON: {output:?}"))
}
