//! Secrets do not leak: every flow runs through the real programs with values that stand out, at the highest log level, and then
//! they are searched for wherever they must not be. A search that could not find anything would prove nothing, so each one is
//! shown to find what is there.

mod debug;
mod evidence;
mod flows;
mod managed_identity;
mod markers;
mod memory;

use token_broker_tests::{
    authorization_server::{AuthorizationServer, Client, Options},
    process::{DaemonProcess, Home, Signal},
};

use self::{
    evidence::Evidence,
    markers::{FULL_NAME, Markers, PASSWORD, SCOPES, SECRET, clients},
};

/// A provider, a daemon that logs everything, and what was seen of them.
struct Stage {
    server: AuthorizationServer,
    home: Home,
    daemon: DaemonProcess,
    evidence: Evidence,
}

impl Stage {
    async fn set(log_format: &str) -> Self {
        let server = AuthorizationServer::start(Options {
            clients: vec![
                Client::native(clients::NATIVE),
                Client::confidential(clients::CONFIDENTIAL, SECRET),
                Client::confidential(clients::SERVICE, SECRET),
            ],
            scopes: SCOPES.split(' ').chain(["openid", "profile", "offline_access"]).map(str::to_owned).collect(),
            id_token_claims: [("name".to_owned(), FULL_NAME.into())].into_iter().collect(),
            password: PASSWORD.to_owned(),
            device_interval: 1,
            ..Options::default()
        });
        let home = Home::new();
        let daemon = DaemonProcess::start_with(&home, |command| {
            command.env("RUST_LOG", "trace").args(["--log-format", log_format]);
        })
        .await;
        Self { server, home, daemon, evidence: Evidence::default() }
    }
}

async fn nothing_leaks(log_format: &str) {
    let mut stage = Stage::set(log_format).await;
    flows::run(&mut stage).await;
    let pid = stage.daemon.pid();
    stage.evidence.process("the daemon", pid);
    stage.evidence.folder("the data folder, in use", &stage.home.data_dir());
    let (status, log) = stage.daemon.end(Signal::TERM).await;
    assert!(status.success(), "{status:?}");
    assert!(log.contains("DEBUG") && log.matches("signed in").count() > 2, "the log is that of all flows: {log}");
    stage.evidence.add("the log", log.into_bytes());
    stage.evidence.folder("the data folder, at rest", &stage.home.data_dir());

    let markers = Markers::of(&stage.server, &stage.evidence);
    markers.are_complete();
    stage.evidence.search_works(&markers);
    let found = stage.evidence.search(&markers);
    assert!(found.is_empty(), "leaked:\n{}", found.join("\n"));
}

#[tokio::test]
async fn nothing_leaks_into_files_processes_errors_and_a_log_for_people() {
    nothing_leaks("text").await;
}

#[tokio::test]
async fn nothing_leaks_into_files_processes_errors_and_a_log_for_programs() {
    nothing_leaks("json").await;
}
