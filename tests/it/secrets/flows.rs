//! Every flow there is, through the command line: each sign-in, each kind of token, each look into the cache, and each way to fail.

use token_broker_tests::{
    authorization_server::{Endpoint, Fault},
    process::Output,
    user::User,
};

use super::{
    Stage,
    markers::{OTHER_SCOPE, PASSWORD, SCOPES, SECRET, USER, WRONG_PASSWORD, WRONG_SECRET, WRONG_TOKEN, apps, clients},
};

/// Runs them all.
pub(super) async fn run(stage: &mut Stage) {
    register(stage).await;
    sign_in_by_browser(stage, apps::MAIL).await;
    sign_in_by_browser(stage, apps::WEB).await;
    tokens(stage).await;
    look(stage).await;
    sign_in_by_device(stage).await;
    sign_in_without_page(stage).await;
    stage.evidence.folder("the data folder, after the sign-ins", &stage.home.data_dir());
    failures(stage).await;
    declined(stage).await;
    sign_out(stage).await;
}

impl Stage {
    async fn done(&self, typed: &[&str], input: &str) -> Output {
        let output = self.home.cli(typed).env("RUST_LOG", "trace").input(input).run().await;
        assert_eq!(output.code, 0, "{typed:?}: {output:?}");
        output
    }

    /// Fails for people and for programs.
    async fn fails(&mut self, typed: &[&str], code: i32, fault: Option<(Endpoint, Fault)>) {
        for json in [&[][..], &["--json"]] {
            if let Some((endpoint, fault)) = &fault {
                self.server.fail_next(*endpoint, fault.clone());
                if matches!(fault, Fault::DropBefore) {
                    // A lost answer is asked for once more.
                    self.server.fail_next(*endpoint, fault.clone());
                }
            }
            let typed: Vec<_> = typed.iter().chain(json).copied().collect();
            let output = self.home.cli(typed.iter().copied()).env("RUST_LOG", "trace").run().await;
            self.evidence.failed(&typed, &output, code);
            if fault.is_some() && code == 6 {
                // A new sign-in ends the pause that follows.
                sign_in_by_browser(self, apps::MAIL).await;
            }
        }
    }
}

async fn register(stage: &Stage) {
    let issuer = stage.server.issuer().to_owned();
    for (app, client, secret) in [
        (apps::MAIL, clients::NATIVE, ""),
        (apps::WEB, clients::CONFIDENTIAL, SECRET),
        (apps::JOB, clients::SERVICE, SECRET),
        (apps::WRONG, clients::SERVICE, WRONG_SECRET),
    ] {
        let scopes = if client == clients::SERVICE { SCOPES.to_owned() } else { format!("profile {SCOPES}") };
        let mut typed = vec!["app", "add", app, "--client-id", client, "--issuer", &issuer, "--scope", &scopes];
        if !secret.is_empty() {
            typed.push("--client-secret-stdin");
        }
        // One registration for each client at an authority: the wrong one takes the other way to name it.
        let token_endpoint = format!("{issuer}/token");
        if app == apps::WRONG {
            typed[5..7].copy_from_slice(&["--token-endpoint", &token_endpoint]);
        }
        stage.done(&typed, secret).await;
    }
}

async fn sign_in_by_browser(stage: &mut Stage, app: &str) {
    let typed = ["login", app, "--no-browser", "--login-hint", USER];
    let mut cli = stage.home.cli(typed).env("RUST_LOG", "trace").start().await;
    let url = cli.line(|line| line.starts_with("http")).await;
    stage.evidence.command_line(&typed, cli.pid());
    let daemon = stage.daemon.pid();
    stage.evidence.process("the daemon during a sign-in", daemon);
    User::named(USER).sign_in(&url).await;
    let output = cli.end().await;
    assert!(output.code == 0 && output.stdout.contains(USER), "{output:?}");
}

async fn sign_in_by_device(stage: &mut Stage) {
    let typed = ["login", apps::MAIL, "--device-code"];
    let mut cli = stage.home.cli(typed).env("RUST_LOG", "trace").start().await;
    let is_code = |line: &str| line.trim().len() == 9 && line.trim().as_bytes().get(4) == Some(&b'-');
    let code = cli.error_line(is_code).await.trim().to_owned();
    stage.evidence.command_line(&typed, cli.pid());
    stage.server.approve_device(&code, USER);
    stage.evidence.user_codes.push(code);
    let output = cli.end().await;
    assert!(output.code == 0 && output.stdout.contains(USER), "{output:?}");
}

/// By a password, and by a refresh token that was issued for one elsewhere; and both refused.
async fn sign_in_without_page(stage: &mut Stage) {
    let by_password = ["login", apps::MAIL, "--username", USER, "--password-stdin"];
    let before = stage.server.secrets();
    stage.done(&by_password, PASSWORD).await;
    let is_new = |token: &String| token.starts_with("rt-") && !before.contains(token);
    let moved = stage.server.secrets().into_iter().find(is_new).expect("a refresh token");
    let by_token = ["login", apps::MAIL, "--refresh-token-stdin"];
    stage.done(&by_token, &moved).await;
    let echo = format!("<html><body>{PASSWORD} {WRONG_PASSWORD} {WRONG_TOKEN} {USER}</body></html>");
    for (typed, input) in [(&by_password[..], WRONG_PASSWORD), (&by_token[..], WRONG_TOKEN)] {
        for json in [&[][..], &["--json"]] {
            for fault in [None, Some(Fault::answer(200, "text/html", echo.clone()))] {
                if let Some(fault) = fault {
                    stage.server.fail_next(Endpoint::Token, fault);
                }
                let typed: Vec<_> = typed.iter().chain(json).copied().collect();
                let output = stage.home.cli(typed.iter().copied()).env("RUST_LOG", "trace").input(input).run().await;
                stage.evidence.failed(&typed, &output, 1);
            }
        }
    }
}

async fn tokens(stage: &mut Stage) {
    for format in ["raw", "json", "header", "env", "xoauth2", "oauthbearer"] {
        let output = stage.done(&["token", apps::MAIL, "--format", format], "").await;
        stage.evidence.shown.push_str(&output.stdout);
    }
    for app in [apps::MAIL, apps::WEB] {
        stage.done(&["token", app, "--force-refresh"], "").await;
        let printed = stage.done(&["token", app, "--id-token", "--json"], "").await.stdout;
        let printed: serde_json::Value = serde_json::from_str(&printed).unwrap();
        stage.evidence.id_tokens.push(printed["id_token"].as_str().unwrap().to_owned());
    }
    stage.done(&["token", apps::JOB, "--app-only"], "").await;
    // A user's token, as a client sends it to the service.
    let sent = stage.done(&["token", apps::MAIL], "").await.stdout;
    for more in [&[][..], &["--json"], &["--audience", "marker-audience", "--force-refresh"]] {
        let typed = [&["token", apps::JOB, "--on-behalf-of-stdin"], more].concat();
        let output = stage.done(&typed, &sent).await;
        stage.evidence.shown.push_str(&output.stdout);
    }
}

async fn look(stage: &mut Stage) {
    for typed in ["status", "accounts", "cache list", "cache verify", "app list"] {
        let output = stage.done(&typed.split(' ').collect::<Vec<_>>(), "").await;
        stage.evidence.shown.push_str(&output.stdout);
    }
    let list = stage.done(&["cache", "list", "--json"], "").await.stdout;
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    let entries = list["entries"].as_array().unwrap();
    assert!(entries.len() >= 7, "{list}");
    for entry in entries {
        stage.done(&["cache", "show", entry["id"].as_str().unwrap()], "").await;
    }
    stage.done(&["app", "show", apps::WEB], "").await;
}

async fn failures(stage: &mut Stage) {
    let refresh = ["token", apps::MAIL, "--force-refresh"];
    // A provider that repeats all it knows: the failed request's secrets are never taken into a message of ours.
    let echo = stage.server.secrets().join(" ");
    let html = format!("<html><body>Server error. Your request was: {echo} {SECRET} {USER}</body></html>");
    for (code, fault) in [
        (6, Fault::answer(500, "text/html", html.clone())),
        (1, Fault::answer(200, "text/html", html.clone())),
        (1, Fault::answer(200, "application/json", html.clone())),
        (1, Fault::answer(200, "application/json", format!("{{\"access_token\": [\"{echo}\"]}}"))),
        (6, Fault::DropBefore),
    ] {
        stage.fails(&refresh, code, Some((Endpoint::Token, fault))).await;
    }
    stage.fails(&["token", apps::WRONG, "--app-only"], 1, None).await;
    exchange_fails(stage, &echo).await;
    stage.fails(&["token", apps::MAIL, "--scope", OTHER_SCOPE], 3, None).await;
    stage.fails(&["token", apps::JOB], 3, None).await;
    stage.fails(&["token", apps::MAIL, "--account", "marker-nobody"], 1, None).await;
    stage.fails(&["token", "marker-unknown"], 1, None).await;
    stage.fails(&["token", apps::MAIL, "--scope", "bad\"scope"], 2, None).await;
    stage.fails(&["cache", "show", "at-999"], 2, None).await;
    stage.fails(&["app", "add", apps::MAIL, "--client-id", "other", "--tenant", "t"], 1, None).await;
    stage.server.revoke_all();
    stage.fails(&refresh, 3, None).await;
}

/// What is handed over for a user is in no error, whoever refuses it and whatever it repeats.
async fn exchange_fails(stage: &mut Stage, echo: &str) {
    let good = stage.done(&["token", apps::MAIL], "").await.stdout;
    let typed = ["token", apps::JOB, "--on-behalf-of-stdin", "--scope", "marker-scope:read", "--force-refresh"];
    let echoing = Fault::answer(
        200,
        "application/json",
        format!("{{\"access_token\": \"at\", \"issued_token_type\": \"{echo}\"}}"),
    );
    for (input, code, fault) in [
        (good.as_str(), 1, Some(echoing)),
        ("at-marker-unknown-subject", 1, None),
        ("at-marker unusable subject", 2, None),
    ] {
        if let Some(fault) = fault {
            stage.server.fail_next(Endpoint::Token, fault);
        }
        let output = stage.home.cli(typed).env("RUST_LOG", "trace").input(input).run().await;
        stage.evidence.failed(&typed, &output, code);
    }
    let public = ["token", apps::MAIL, "--on-behalf-of-stdin"];
    let output = stage.home.cli(public).env("RUST_LOG", "trace").input(&good).run().await;
    stage.evidence.failed(&public, &output, 2);
}

async fn declined(stage: &mut Stage) {
    for json in [&[][..], &["--json"]] {
        let typed: Vec<_> = ["login", apps::MAIL, "--no-browser"].iter().chain(json).copied().collect();
        let mut cli = stage.home.cli(typed.iter().copied()).start().await;
        let line = cli.line(|line| line.contains("http")).await;
        let event = serde_json::from_str::<serde_json::Value>(&line).ok();
        let url = event.map_or(line, |event| event["url"].as_str().unwrap().to_owned());
        User::named(USER).decline(&url).await;
        let mut output = cli.end().await;
        // What was printed to sign in with is no error.
        output.stdout = output.stdout.lines().skip(1).collect();
        stage.evidence.failed(&typed, &output, 5);
    }
}

async fn sign_out(stage: &mut Stage) {
    stage.server.fail_next(Endpoint::Revocation, Fault::answer(503, "text/html", format!("<p>{SECRET} {USER}</p>")));
    let typed = ["logout", apps::WEB, "--revoke"];
    let output = stage.home.cli(typed).run().await;
    // Who was signed out is the answer; the rest is the error.
    assert!(output.stdout.contains(USER), "{output:?}");
    stage.evidence.failed(&typed, &Output { stdout: String::new(), ..output }, 6);
    stage.done(&["logout", apps::MAIL, "--revoke"], "").await;
    stage.done(&["app", "remove", apps::JOB], "").await;
}
