//! The configuration read again while the daemon runs.

use token_broker_tests::peers::systemd::until;

use super::installed;

#[tokio::test]
async fn a_reload_says_what_changed_and_a_broken_file_changes_nothing() {
    let Some(session) = installed().await else { return };
    session.ok("broker-cli status").await;
    let pid = session.main_pid().await;
    for (text, said) in [
        ("[http]\ntimeout_seconds = 7\n", "[http] has changed"),
        ("[http]\ntimeout_second = 9\n", "unknown field `timeout_second`"),
        ("data_dir = '/elsewhere'\n[http]\ntimeout_seconds = 7\n", "waiting for the next start: data_dir"),
    ] {
        session.write(".config/token-broker/config.toml", text);
        session.systemctl("reload token-broker.service").await;
        until(async || session.property("service", "StatusText").await.contains(said)).await;
        assert!(session.log().contains(said), "{}", session.log());
    }
    assert!(session.ok("broker-cli status").await.contains(".local/share/token-broker"));
    assert_eq!(session.main_pid().await, pid, "the same process all along");
}
