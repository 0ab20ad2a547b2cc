//! An upgrade: the daemon notices that its program file was replaced, ends when nobody needs it, and the next call starts the
//! new program. A sign-in that waits for its user is not cut off.

use std::process::Stdio;

use serde_json::Value;
use token_broker_tests::{
    authorization_server::{AuthorizationServer, Options},
    peers::systemd::{UserSession, built, until},
    user::User,
    within,
};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::{BIN, installed};

/// Puts a new file at the place of the daemon's program.
fn upgrade(session: &UserSession) {
    session.put(&built("token-brokerd"), &format!("{BIN}/token-brokerd"));
}

async fn running(session: &UserSession) -> Value {
    let status: Value = serde_json::from_str(&session.ok("broker-cli --json service status").await).unwrap();
    status["running"].clone()
}

#[tokio::test]
async fn a_replaced_program_is_started_by_the_next_call() {
    let Some(session) = installed().await else { return };
    session.ok("broker-cli status").await;
    let first = session.main_pid().await;
    upgrade(&session);
    let seen = running(&session).await;
    assert_eq!(seen["executable_is_installed"], false, "{seen}");
    let said = session.ok("broker-cli service status").await;
    assert!(said.contains("still runs an older"), "{said}");
    // Installing again is what an upgrade ends with.
    session.ok("broker-cli service install").await;
    session.service_becomes("ActiveState", "inactive").await;
    assert_eq!(session.property("service", "Result").await, "success");
    session.ok("broker-cli status").await;
    assert_ne!(session.main_pid().await, first);
    assert_eq!(running(&session).await["executable_is_installed"], true);
}

#[tokio::test]
async fn a_sign_in_that_waits_for_its_user_comes_first() {
    let Some(session) = installed().await else { return };
    let server = AuthorizationServer::start(Options::default());
    let issuer = server.issuer();
    session.ok(&format!("broker-cli app add mail --issuer {issuer} --client-id native-app --scope openid")).await;
    let pid = session.main_pid().await;
    let mut login = session.command("broker-cli");
    login.args(["login", "mail", "--no-browser"]).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut login = login.spawn().unwrap();
    let mut lines = BufReader::new(login.stdout.take().unwrap()).lines();
    let url = within(lines.next_line()).await.unwrap().expect("the URL to open");
    upgrade(&session);
    session.systemctl("reload token-broker.service").await;
    until(async || session.log().contains("the program file was replaced")).await;
    session.ok("broker-cli status").await;
    assert_eq!(session.main_pid().await, pid, "it waits for the user\n{}", session.log());
    let page = within(User::named("ada").sign_in(&url)).await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(within(login.wait()).await.unwrap().success());
    session.systemctl("reload token-broker.service").await;
    session.service_becomes("ActiveState", "inactive").await;
    assert!(session.ok("broker-cli accounts").await.contains("mail"));
    assert_ne!(session.main_pid().await, pid);
}
