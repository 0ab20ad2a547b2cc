//! Managed identity: the secrets that a host gives its sources, and the tokens that those give out, are in the daemon's environment,
//! in its memory and on the wire, and nowhere else: with every source that a daemon of this machine's user can have, well and not.

use std::sync::Arc;

use token_broker::ports::clock::SystemClock;
use token_broker_client::oauth::ManagedIdentitySource;
use token_broker_tests::{
    authorization_server::Fault,
    managed_identity::Host,
    process::{DaemonProcess, Home, Signal},
};

use super::markers::Marker;

/// Sources whose variables can be set side by side.
const TOGETHER: [&[ManagedIdentitySource]; 2] = [
    &[ManagedIdentitySource::Imds, ManagedIdentitySource::AppService, ManagedIdentitySource::MachineLearning],
    &[ManagedIdentitySource::ServiceFabric, ManagedIdentitySource::CloudShell],
];

/// What was seen: a place, and what was in it.
type Places = Vec<(String, Vec<u8>)>;

async fn daemon_with(home: &Home, host: &Host, sources: &[ManagedIdentitySource]) -> DaemonProcess {
    DaemonProcess::start_with(home, |command| {
        command.env("RUST_LOG", "trace");
        for source in sources {
            command.envs(host.environment(*source).variables());
        }
    })
    .await
}

/// A token of this source, and every way in which it can fail; the token is what only the last place may have.
async fn play(home: &Home, host: &Host, source: ManagedIdentitySource, places: &mut Places) -> String {
    let word = source.as_str();
    let add = ["app", "add", word, "--managed-identity", "--mi-source", word, "--scope", "https://vault.azure.net"];
    assert_eq!(home.cli(add).run().await.code, 0);
    let token = home.cli(["token", word]).run().await;
    assert_eq!(token.code, 0, "{word}: {token:?}");
    for command in ["cache list", "cache list --json", "app list --json", "status --json", "metrics"] {
        let output = home.cli(command.split(' ')).run().await;
        places.push((format!("{word}: {command}"), format!("{}{}", output.stdout, output.stderr).into_bytes()));
    }
    // Two of them are asked without any secret: what the machine never sent cannot come back.
    let is_open = matches!(source, ManagedIdentitySource::Imds | ManagedIdentitySource::CloudShell);
    let sent = if is_open { "no secret" } else { Host::SECRET };
    let echo = format!("you sent {sent} and had {}", token.stdout.trim());
    for fault in [
        Fault::answer(400, "application/json", format!(r#"{{"message":"you sent {sent}"}}"#)),
        Fault::answer(403, "text/html", echo.clone()),
        Fault::answer(200, "application/json", format!(r#"{{"access_token":["{echo}"]}}"#)),
        Fault::redirect(&format!("http://127.0.0.1:1/?{}", Host::SECRET)),
    ] {
        host.plan(fault);
        let output = home.cli(["token", word, "--force-refresh"]).env("RUST_LOG", "trace").run().await;
        assert_eq!(output.code, 1, "{word}: {output:?}");
        places.push((format!("{word}: an error"), format!("{}{}", output.stdout, output.stderr).into_bytes()));
    }
    token.stdout.trim().to_owned()
}

#[tokio::test]
async fn nothing_of_a_managed_identity_leaks() {
    for sources in TOGETHER {
        let (host, home) = (Host::start(Arc::new(SystemClock)).await, Home::new());
        let daemon = daemon_with(&home, &host, sources).await;
        let (mut places, mut tokens) = (Places::new(), Vec::new());
        for source in sources {
            tokens.push(play(&home, &host, *source, &mut places).await);
        }
        places.push(("cmdline".to_owned(), std::fs::read(format!("/proc/{}/cmdline", daemon.pid())).unwrap()));
        for entry in std::fs::read_dir(home.data_dir()).unwrap() {
            let path = entry.unwrap().path();
            places.push((path.display().to_string(), std::fs::read(path).unwrap()));
        }
        let (status, log) = daemon.end(Signal::TERM).await;
        assert!(status.success() && log.contains("DEBUG"), "{status:?}");
        places.push(("the log".to_owned(), log.into_bytes()));
        let markers: Vec<_> =
            tokens.iter().map(String::as_str).chain([Host::SECRET]).map(|text| Marker::new(text, true)).collect();
        assert!(tokens.iter().all(|token| token.starts_with("marker-mi-token-")), "{tokens:?}");
        assert!(places.len() > 10 && places.iter().any(|(_, bytes)| bytes.starts_with(b"SQLite format 3")));
        for marker in &markers {
            let found: Vec<_> =
                places.iter().filter(|(_, bytes)| marker.is_in(bytes)).map(|(place, _)| place).collect();
            assert!(found.is_empty(), "{} is in {found:?}", marker.value);
        }
    }
}
