//! A daemon that dies or hangs is started again at the same socket, and who calls meanwhile is answered.

use token_broker_tests::peers::systemd::until;
use tokio::task::JoinSet;

use super::{drop_in, installed};

const CALLERS: usize = 8;

#[tokio::test]
async fn a_crash_is_followed_by_a_start_on_the_same_socket() {
    let Some(session) = installed().await else { return };
    session.ok("broker-cli status").await;
    let (first, inode) =
        (session.main_pid().await, session.ok("stat --format=%i /run/user/61234/token-broker/broker.sock").await);
    session.systemctl("kill --signal=ABRT token-broker.service").await;
    session.service_becomes("NRestarts", "1").await;
    session.service_becomes("ActiveState", "active").await;
    session.ok("broker-cli status").await;
    assert_ne!(session.main_pid().await, first);
    assert_eq!(session.ok("stat --format=%i /run/user/61234/token-broker/broker.sock").await, inode);
    let core = session.home().join("core");
    assert!(!core.exists(), "{}", core.display());
}

#[tokio::test]
async fn callers_during_a_restart_are_all_answered() {
    let Some(session) = installed().await else { return };
    session.ok("broker-cli status").await;
    for blow in ["restart token-broker.service", "kill --signal=KILL token-broker.service"] {
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            let mut caller = session.command("broker-cli");
            caller.args(["--json", "status"]);
            callers.spawn(async move { caller.output().await.unwrap() });
        }
        session.systemctl(blow).await;
        while let Some(ended) = callers.join_next().await {
            let output = ended.unwrap();
            assert!(output.status.success(), "{blow}: {output:?}\n{}", session.log());
        }
    }
}

#[tokio::test]
async fn a_daemon_that_hangs_is_killed_and_started_again() {
    let Some(session) = installed().await else { return };
    drop_in(&session, "watchdog.conf", "[Service]\nWatchdogSec=2\n");
    session.systemctl("daemon-reload").await;
    session.ok("broker-cli status").await;
    let first = session.main_pid().await;
    session.systemctl("kill --signal=STOP token-broker.service").await;
    // Asked while it hangs, answered by the next one.
    session.ok("broker-cli status").await;
    until(async || session.property("service", "NRestarts").await == "1").await;
    assert_ne!(session.main_pid().await, first);
}

#[tokio::test]
async fn a_living_daemon_feeds_its_watchdog() {
    let Some(session) = installed().await else { return };
    drop_in(&session, "watchdog.conf", "[Service]\nWatchdogSec=1\n");
    session.systemctl("daemon-reload").await;
    session.ok("broker-cli status").await;
    let stamp = async || session.property("service", "WatchdogTimestampMonotonic").await;
    let mut last = stamp().await;
    // Five feedings take longer than the manager would wait for one.
    for _ in 0..5 {
        until(async || stamp().await != last).await;
        last = stamp().await;
    }
    assert_eq!(session.property("service", "NRestarts").await, "0");
}
