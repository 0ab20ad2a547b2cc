//! The real programs against the platform: `token-brokerd` finds proxy and certificate authority in its environment or in its
//! configuration, as on any machine behind a company's proxy.

use std::{fs, sync::Arc};

use token_broker::ports::{Clock as _, clock::SystemClock};
use token_broker_tests::{
    clock::ManualClock,
    entra::{Application, Entra, Place},
    process::{DaemonProcess, Home, Signal},
    user::User,
    within,
};

/// The platform, on the clock of this machine.
fn entra() -> Arc<Entra> {
    let now = u64::try_from(SystemClock.now().seconds()).unwrap();
    let entra = Arc::new(Entra::start(&ManualClock::at(now)));
    entra.register(Application { client_id: "c1".to_owned(), ..Application::default() });
    entra
}

#[tokio::test]
async fn they_reach_it_by_proxy_and_certificate_of_their_configuration() {
    let (entra, home) = (entra(), Home::new());
    let config = home.path().join("config/token-broker/config.toml");
    fs::create_dir_all(config.parent().unwrap()).unwrap();
    let authorities = entra.certificate_file();
    let text = format!("[http]\nproxy = '{}'\nca_file = '{}'\n", entra.proxy(), authorities.display());
    fs::write(&config, &text).unwrap();
    // A proxy of the environment does not count beside it.
    let daemon = DaemonProcess::start_with(&home, |command| {
        command.env("HTTPS_PROXY", "http://127.0.0.1:9");
    })
    .await;
    let added = home.cli(["app", "add", "work", "--client-id", "c1", "--scope", "User.Read"]).run().await;
    assert_eq!(added.code, 0, "{}", added.stderr);
    let diagnosis = home.cli(["doctor"]).run().await.stdout;
    assert!(diagnosis.contains(&format!("[http] proxy names {}", entra.proxy())), "{diagnosis}");
    assert!(!diagnosis.contains("HTTPS_PROXY"), "{diagnosis}");

    fs::write(&config, text.replace("ca_file = '", "ca_file = '/nowhere")).unwrap();
    daemon.tell(Signal::HUP);
    within(async {
        while !daemon.printed().contains("[http] has changed") {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let refused = home.cli(["app", "add", "more", "--client-id", "c1", "--tenant", "contoso.example"]).run().await;
    let words = "no certificate authorities could be read from [http] ca_file, /nowhere/";
    assert!(refused.code == 6 && refused.stderr.contains(words), "{refused:?}");
    let diagnosis = home.cli(["doctor"]).run().await.stdout;
    assert!(diagnosis.contains(words) && diagnosis.contains("[http] ca_file of its configuration"), "{diagnosis}");
}

#[tokio::test]
async fn the_programs_reach_it_by_proxy_and_certificate_of_their_environment() {
    let entra = entra();
    let home = Home::new();
    let daemon = DaemonProcess::start_with(&home, |command| {
        command.env("HTTPS_PROXY", entra.proxy()).env("SSL_CERT_FILE", entra.certificate_file());
    })
    .await;
    let added = home.cli(["app", "add", "work", "--client-id", "c1", "--scope", "User.Read"]).run().await;
    assert_eq!(added.code, 0, "{}", added.stderr);
    let mut login = home.cli(["login", "work", "--no-browser"]).start().await;
    let url = login.line(|line| line.starts_with("https://")).await;
    let page = User::named("ada").with_client(entra.browser()).sign_in(&url).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let done = login.end().await;
    assert!(done.code == 0 && done.stdout.contains("ada@contoso.example"), "{done:?}");
    let token = home.cli(["token", "work"]).run().await;
    assert_eq!((token.code, token.stdout.as_str()), (0, "access-1\n"), "{}", token.stderr);
    let places: Vec<_> = entra.requests().iter().map(|request| request.place).collect();
    assert!(places.contains(&Place::Authorize) && places.contains(&Place::Token), "{places:?}");
    let (status, log) = daemon.end(Signal::TERM).await;
    assert!(status.success(), "{log}");
}
