//! A task that lives as long as the daemon and ends before it is a crash: the daemon does not go on without it.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration, time::Instant};

use token_broker::{
    access::Limits,
    acquire::Outside,
    daemon::{Daemon, Settings, Socket},
    ports::{
        Clock,
        clock::SystemClock,
        entropy::SystemEntropy,
        http::{HttpClient, HttpLimits},
        machine::SystemMachine,
    },
};
use token_broker_client::oauth::UnixTime;
use token_broker_tests::{process::Home, within};

/// A clock that breaks down when somebody wants to sleep as long as the removal of expired tokens does between its rounds.
struct Broken;

impl Clock for Broken {
    fn now(&self) -> UnixTime {
        SystemClock.now()
    }

    fn monotonic(&self) -> Instant {
        SystemClock.monotonic()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        assert!(duration != Duration::from_secs(600), "seeded");
        SystemClock.sleep(duration)
    }
}

#[tokio::test]
async fn the_daemon_ends_with_a_standing_task_that_dies() {
    let home = Home::new();
    let settings =
        Settings { data_dir: home.data_dir(), socket: Socket::Path(home.socket()), limits: Limits::default() };
    let outside = Outside {
        http: Arc::new(HttpClient::new(HttpLimits::default())),
        clock: Arc::new(Broken),
        entropy: Arc::new(SystemEntropy::default()),
        machine: Arc::new(SystemMachine),
    };
    let mut daemon = Daemon::start(settings, outside).await.expect("it starts");
    let ended = within(daemon.ended()).await.to_string();
    assert!(ended.starts_with("a task of the daemon ended by itself") && ended.contains("seeded"), "{ended}");
    daemon.stop().await.expect("what is left stops");
}
