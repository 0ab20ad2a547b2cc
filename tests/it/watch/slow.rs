//! Readers that do not read: nothing is kept for who follows a token, who gets the latest; who follows events gets a bounded number
//! and is told to resync. Below the socket, where no buffer of the transport stands between.

use std::sync::Arc;

use tempfile::TempDir;
use token_broker::{
    access::{Caller, Limits, Peer},
    acquire::{Desk, Followed, Outside, Tasks, TokenWatch},
    metrics::Metrics,
    model::{Credential, RegisteredApplication},
    ports::{
        Clock, Entropy,
        clock::SystemClock,
        entropy::SystemEntropy,
        http::{HttpClient, HttpLimits},
        machine::SystemMachine,
    },
    store::{Vault, VaultOptions, WriterMode},
};
use token_broker_client::calls::{Event, ExistingApplication, Subject, TokenRequest, WatchRequest};
use token_broker_proto::{Secret, calls::ApplicationOptions};
use token_broker_tests::{
    authorization_server::{AuthorizationServer, Options as Server},
    daemon::application,
    within,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::mail;

/// More than the feed keeps.
const MANY: usize = 300;

struct Stage {
    _server: AuthorizationServer,
    _folder: TempDir,
    desk: Arc<Desk>,
    caller: Caller,
}

/// A desk of its own with a service registered.
async fn stage() -> Stage {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let server = AuthorizationServer::start(Server::default());
    let folder = tempfile::tempdir().expect("a folder");
    let entropy = SystemEntropy::default();
    let options = VaultOptions {
        folder: folder.path().join("data"),
        randomness: Arc::new(move |buffer: &mut [u8]| entropy.fill(buffer)),
        writer: WriterMode::Thread,
        now: SystemClock.now(),
    };
    let vault = Vault::start(options).expect("a vault");
    let secret = "service secret: +/%&=?~";
    let new = application("mail", server.issuer(), ("service-app", Some(secret)), "api:read");
    let registration = RegisteredApplication {
        name: new.name,
        client_id: new.client_id,
        authority: new.authority,
        credential: Credential::Secret(Secret::new(secret)),
        scopes: new.scopes,
        redirect_uri: None,
        client_capabilities: new.client_capabilities,
        keep_alive: new.keep_alive,
        options: ApplicationOptions::default(),
    };
    vault.save_application(registration, ExistingApplication::Refuse).await.expect("saved");
    let outside = Outside {
        http: Arc::new(HttpClient::new(HttpLimits::default())),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy::default()),
        machine: Arc::new(SystemMachine),
    };
    let tasks = Tasks { tracker: TaskTracker::new(), stop: CancellationToken::new() };
    let caller = Caller::at_owner_door(Peer::Unix { uid: 1, pid: None }, 1).expect("the owner");
    let metrics = Arc::new(Metrics::new("test", vault.timings()));
    let desk = Desk::new(vault, outside, tasks, &Limits::default(), metrics);
    Stage { _server: server, _folder: folder, desk, caller }
}

fn service() -> TokenRequest {
    TokenRequest { subject: Subject::Application, ..mail() }
}

async fn next(watch: &mut TokenWatch) -> String {
    match within(watch.next()).await {
        Some(Ok(Followed::Token(answer))) => answer.access_token.expose().to_owned(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn who_does_not_read_gets_the_latest_and_is_told_what_was_missed() {
    let Stage { desk, caller, .. } = &stage().await;
    let request = WatchRequest::try_from(service()).expect("can be followed");
    let mut watch = desk.watch_token(caller, &request, desk.new_correlation_id());
    next(&mut watch).await;
    let mut events = desk.watch_events(caller, None);
    let forced = TokenRequest { force_refresh: true, ..service() };
    let mut latest = String::new();
    for _ in 0..MANY {
        let answer = desk.acquire_token(caller, &forced).await.expect("a token");
        answer.access_token.expose().clone_into(&mut latest);
    }
    assert_eq!(next(&mut watch).await, latest);
    tokio::select! {
        biased;
        more = watch.next() => panic!("{more:?}"),
        () = tokio::task::yield_now() => {}
    }
    let event = async |events: &mut token_broker::acquire::EventWatch| within(events.next()).await.map(|it| it.event);
    assert_eq!(event(&mut events).await, Some(Event::Resync { missed: 0 }));
    let Some(Event::Resync { missed }) = event(&mut events).await else { panic!("it lags") };
    let mut rest = 0;
    while u64::try_from(rest).expect("small") + missed < u64::try_from(MANY).expect("small") {
        assert!(matches!(event(&mut events).await, Some(Event::TokenRenewed(_))));
        rest += 1;
    }
    assert!(missed > 0 && rest > 0);
}
