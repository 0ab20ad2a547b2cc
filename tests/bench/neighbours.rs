//! What others feel: hits of one account while another's refresh hangs at its provider, and hits beside thousands of connections
//! that are open and say nothing.

use std::{
    fs,
    time::{Duration, Instant},
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tempfile::TempDir;
use token_broker_client::{
    Client,
    calls::{Subject, TokenRequest, TokenSource},
};
use token_broker_tests::{
    authorization_server::{AuthorizationServer, Endpoint, Fault, Gate, Options},
    daemon::{application, name, sign_in_by_browser},
    machine::raw_frames::{BEGIN, RawFrames},
    user::User,
};

use crate::{
    daemon::Running,
    fill::Filled,
    report::{Idle, Report},
    sample::Sample,
};

/// Hits in the series beside idle connections.
const HITS: usize = 5_000;
/// Most connections at once that the daemon is told to take.
const LIMITS: &str = "[limits]\nconnections = 16000\nconnections_per_process = 16000\n";

fn of(application: &str, user: &str) -> TokenRequest {
    TokenRequest { subject: Subject::User(Some(user.to_owned())), ..TokenRequest::new(name(application)) }
}

/// Hits of ada's token, one after the other, for as long as grace's refresh hangs.
pub(crate) async fn measure_hanging(hangs: Duration, report: &mut Report) {
    let folder = tempfile::Builder::new().prefix("token-broker-bench-").tempdir().expect("a folder");
    let server = AuthorizationServer::start(Options {
        access_token_lifetime: Duration::from_secs(24 * 3600),
        ..Options::default()
    });
    let running = Running::spawn(&folder, None).await;
    let client = running.client();
    for (app, user) in [("mail", "ada"), ("notes", "grace")] {
        let new = application(app, server.issuer(), ("native-app", None), "openid api:read");
        client.add_application(&new).await.expect("registered");
        sign_in_by_browser(&client, app, &User::named(user)).await.expect("signed in");
    }
    let gate = Gate::closed();
    server.fail_next(Endpoint::Token, Fault::HoldAfter(gate.clone()));
    let hanging = running.client();
    let refresh = TokenRequest { force_refresh: true, ..of("notes", "grace") };
    let measure = async {
        gate.reached(1).await;
        let measured = hits(&client, &of("mail", "ada"), |begun, _| begun.elapsed() < hangs).await;
        gate.open();
        measured
    };
    let (refreshed, measured) = tokio::join!(hanging.token(&refresh), measure);
    assert_eq!(refreshed.expect("a new token at last").source, TokenSource::IdentityProvider);
    report.beside_hanging = Some(measured);
}

/// Hits beside so many connections that are open and silent.
pub(crate) async fn measure_idle(filled: &Filled, connections: usize, report: &mut Report) {
    let files = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: files.maximum, ..files }).expect("as many as the system allows");
    let config = TempDir::new().expect("a folder");
    let file = config.path().join("config.toml");
    fs::write(&file, LIMITS).expect("a configuration");
    let running = Running::spawn(&filled.folder, Some(&file)).await;
    let client = running.client();
    let request = crate::daemon::request(&filled.some_account());
    let enough = |_: Instant, hits: usize| hits < HITS;
    let (rss_before, before) = (running.rss_kib(), hits(&client, &request, enough).await);
    let mut idle = Vec::with_capacity(connections);
    for _ in 0..connections {
        let mut connection = RawFrames::connect(&running.socket, BEGIN).await.expect("a connection");
        connection.ping().await.expect("it is served");
        idle.push(connection);
    }
    let beside = hits(&client, &request, enough).await;
    report.idle = Some(Idle { connections, before, beside, rss_before_kib: rss_before, rss_kib: running.rss_kib() });
}

async fn hits(client: &Client, request: &TokenRequest, go_on: impl Fn(Instant, usize) -> bool) -> Sample {
    let (mut measured, begun) = (Vec::new(), Instant::now());
    while go_on(begun, measured.len()) {
        let asked = Instant::now();
        let answer = client.token(request).await.expect("a hit");
        measured.push(asked.elapsed());
        assert_eq!(answer.source, TokenSource::Cache);
    }
    Sample::of(measured)
}
