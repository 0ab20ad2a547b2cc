//! Connections: too many of all, too many of one process, ten thousand, half said, never read.

use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use token_broker::access::Limits;
use token_broker_client::calls::TokenRequest;
use token_broker_tests::{
    daemon::name,
    machine::raw_frames::{BEGIN, RawFrames, status_request},
    process::{DaemonProcess, Home},
    within,
};

use super::{Stage, is_served, limit, metric, until_metric};

const LIMIT_HITS: &str = "token_broker_limit_hits_total{limit=\"connections\"}";

#[tokio::test]
async fn a_connection_over_the_limit_is_told_which_one_it_met() {
    let stage = Stage::set(Limits { connections: 5, ..Limits::default() }).await;
    let before = stage.daemon.client();
    is_served(&before).await;
    until_metric(&before, "token_broker_connections", 1.0).await;
    let mut idle = Vec::new();
    for _ in 0..4 {
        idle.push(RawFrames::connect(&stage.daemon.socket(), BEGIN).await.expect("a connection"));
    }
    let refused = within(stage.daemon.client().token(&TokenRequest::new(name("mail")))).await;
    assert_eq!(limit(refused), "connections at once: 5 ([limits] connections)");
    assert!(metric(&before, LIMIT_HITS).await >= 1.0);
    is_served(&before).await;
    // Each that leaves makes room.
    idle.clear();
    until_metric(&before, "token_broker_connections", 1.0).await;
    is_served(&stage.daemon.client()).await;
}

#[tokio::test]
async fn one_process_does_not_lock_out_the_others() {
    let stage = Stage::set(Limits { connections_per_process: 3, ..Limits::default() }).await;
    let before = stage.daemon.client();
    is_served(&before).await;
    until_metric(&before, "token_broker_connections", 1.0).await;
    let mut idle = Vec::new();
    for _ in 0..2 {
        idle.push(RawFrames::connect(&stage.daemon.socket(), BEGIN).await.expect("a connection"));
    }
    let refused = within(stage.daemon.client().token(&TokenRequest::new(name("mail")))).await;
    assert_eq!(limit(refused), "connections of one process at once: 3 ([limits] connections_per_process)");
    // Another process, at the same moment.
    let socket = stage.daemon.socket();
    let output = Home::new().cli(["--socket".as_ref(), socket.as_os_str(), "accounts".as_ref()]).run().await;
    assert_eq!((output.code, output.stdout.contains("ada")), (0, true), "{output:?}");
    is_served(&before).await;
}

#[tokio::test]
async fn ten_thousand_connections_cost_the_others_nothing() {
    const CONNECTIONS: usize = 10_000;
    let files = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: files.maximum, ..files }).expect("as many as the system allows");
    let home = Home::new();
    let daemon = DaemonProcess::start(&home).await;
    let before = daemon.client();
    within(before.status()).await.expect("served");
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS {
        // An error: hung up on while it spoke.
        held.extend(RawFrames::connect(&home.socket(), BEGIN).await.ok());
    }
    within(before.status()).await.expect("the connection from before");
    let output = home.cli(["status"]).run().await;
    assert_eq!(output.code, 0, "another process: {output:?}");
    // Those that were told so, and did not ask, are hung up on by and by.
    until_metric(&before, "token_broker_connections", 1024.0).await;
    let refused = metric(&before, "token_broker_limit_hits_total{limit=\"connections_per_process\"}").await;
    assert!(refused >= 8_000.0, "{refused}");
    let log = daemon.printed();
    assert_eq!(log.matches("more connections than the limit").count(), 1, "a line a burst: {log}");
    drop(held);
    until_metric(&before, "token_broker_connections", 1.0).await;
}

#[tokio::test]
async fn half_of_anything_is_hung_up_on_and_silence_between_requests_is_not() {
    let stage = Stage::set(Limits { half_open: Duration::from_millis(50), ..Limits::default() }).await;
    let before = stage.daemon.client();
    let mut patient = RawFrames::connect(&stage.daemon.socket(), BEGIN).await.expect("a connection");
    let request = status_request(1);
    let mut halves = Vec::new();
    for half in [&b""[..], b"PRI * HT", &BEGIN[..24], &[BEGIN, &request[..40]].concat()] {
        halves.push(RawFrames::connect(&stage.daemon.socket(), half).await.expect("a connection"));
    }
    for half in &mut halves {
        within(half.hung_up()).await;
        is_served(&before).await;
    }
    // A whole block of headers, and no message: the call ends, the connection stays.
    let hits = "token_broker_limit_hits_total{limit=\"half_open\"}";
    let so_far = metric(&before, hits).await;
    assert!(so_far >= 4.0, "{so_far}");
    let headers = [BEGIN, &request[..request.len() - 14]].concat();
    let mut begun = RawFrames::connect(&stage.daemon.socket(), &headers).await.expect("a connection");
    until_metric(&before, hits, so_far + 1.0).await;
    within(begun.ping()).await.expect("it may go on with another request");
    within(patient.ping()).await.expect("it has said nothing for as long, and is served");
}

#[tokio::test]
async fn a_caller_that_never_reads_costs_the_others_nothing() {
    let stage = Stage::set(Limits::default()).await;
    let before = stage.daemon.client();
    is_served(&before).await;
    let deaf = RawFrames::connect(&stage.daemon.socket(), BEGIN).await.expect("a connection");
    let mut asked = 0;
    for _ in 0..50 {
        asked += deaf.ask_without_reading(200);
        is_served(&before).await;
    }
    let answered = metric(&before, "token_broker_calls_total{rpc=\"GetStatus\",code=\"OK\"}").await;
    assert!(asked > 0 && answered >= 1.0, "{asked} were asked, {answered} answered");
    is_served(&stage.daemon.client()).await;
}
