//! What is bound to a key is a secret all the same: neither the log at its highest level nor the data folder shows a certificate, a
//! bound token or a signed request, and the private key is nowhere, since nobody outside of the daemon's memory has ever seen it.

use std::path::Path;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use token_broker_tests::{
    clock::ManualClock,
    entra::{CONTOSO, Entra},
    folder,
    process::{DaemonProcess, Home, Signal},
    user::User,
};

use super::{CLIENTS, SCOPE, registered};

#[tokio::test]
async fn nothing_that_is_bound_leaks() {
    let (entra, home) = (Entra::start(&ManualClock::now_and_still()), Home::new());
    entra.register(registered(CLIENTS[0].0, None));
    let daemon = DaemonProcess::start_with(&home, |command| {
        command
            .env("RUST_LOG", "trace")
            .env("HTTPS_PROXY", entra.proxy())
            .env("SSL_CERT_FILE", entra.certificate_file());
    })
    .await;
    let run = async |typed: &[&str]| {
        let output = home.cli(typed).env("RUST_LOG", "trace").run().await;
        assert_eq!(output.code, 0, "{typed:?}: {output:?}");
        output
    };
    run(&["app", "add", "work", "--client-id", CLIENTS[0].0, "--tenant", CONTOSO, "--scope", SCOPE]).await;
    let mut login = home.cli(["login", "work", "--no-browser"]).start().await;
    let url = login.line(|line| line.starts_with("http")).await;
    User::named("ada").with_client(entra.browser()).sign_in(&url).await;
    assert_eq!(login.end().await.code, 0);

    let key = folder("peers/msal/id_rsa_1.pub");
    let certificate = run(&["token", "work", "--ssh-cert", key.to_str().unwrap(), "--out", "-"]).await.stdout;
    let signed =
        run(&["token", "work", "--pop", "GET", "https://api.example/", "--client-claims", "{\"m\":\"m4rker\"}"]);
    let signed = signed.await.stdout;
    let claims = URL_SAFE_NO_PAD.decode(signed.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    let mut secrets = vec![certificate.split(' ').nth(1).unwrap().trim_end()[..64].to_owned(), "m4rker".to_owned()];
    secrets.extend(signed.trim_end().split('.').skip(1).map(str::to_owned));
    secrets.extend(claims["at"].as_str().unwrap().split('.').skip(1).map(str::to_owned));

    let kept = in_folder(&home.data_dir());
    let (status, log) = daemon.end(Signal::TERM).await;
    assert!(status.success() && log.contains("DEBUG") && log.contains("sign an HTTP request"), "{log}");
    for secret in &secrets {
        assert!(secret.len() > 5 && !log.contains(secret.as_str()), "the log has {secret}");
        let form = secret.as_bytes();
        assert!(!kept.windows(form.len()).any(|window| window == form), "the data folder has {secret}");
    }
    // The search finds what is there.
    assert!(kept.windows(6).any(|window| window == b"SQLite"));
}

fn in_folder(folder: &Path) -> Vec<u8> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.is_file()).flat_map(|path| std::fs::read(path).unwrap()).collect()
}
