//! A stop lets the running calls finish; only then does the process end.

use token_broker_tests::within;

use super::{held_call, installed};

#[tokio::test]
async fn a_stop_waits_for_the_running_call() {
    let Some(session) = installed().await else { return };
    let (_server, gate) = held_call(&session).await;
    let mut call = session.command("broker-cli");
    call.args(["token", "job", "--app-only"]);
    let call = tokio::spawn(async move { call.output().await.unwrap() });
    within(gate.reached(1)).await;
    session.systemctl("stop --no-block token-broker.service").await;
    session.service_becomes("ActiveState", "deactivating").await;
    assert!(!call.is_finished());
    gate.open();
    let output = within(call).await.unwrap();
    assert!(output.status.success(), "{output:?}\n{}", session.log());
    session.service_becomes("ActiveState", "inactive").await;
    assert_eq!(session.property("service", "Result").await, "success");
    // The token was stored before it was given away: the next daemon has it.
    let again = session.ok("broker-cli --json token job --app-only").await;
    assert!(again.contains(r#""token_source":"cache""#), "{again}");
}
