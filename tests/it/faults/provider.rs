//! What a provider answers, or does not: its table of faults, run at every moment.

use std::time::Duration;

use token_broker::ports::http::HttpLimits;
use token_broker_tests::{
    authorization_server::{Fault, Gate, Options as Server},
    daemon::Options,
};

use super::{
    Left, Outcome, Row, cached,
    moment::{MOMENTS, Moment, Scene},
};

/// Longer than any pause that a fault causes.
const LATER: Duration = Duration::from_secs(900);
/// How long the daemon waits for an answer here.
const PATIENCE: Duration = Duration::from_millis(400);

/// The faults, by what the next requests meet.
fn faults() -> Vec<(&'static str, Vec<Fault>)> {
    let gate = Gate::closed;
    let open = || {
        let gate = Gate::closed();
        gate.open();
        gate
    };
    let plain = |status| Fault::answer(status, "text/plain", "no");
    let one = |fault| vec![fault];
    vec![
        ("answers too late", vec![Fault::HoldBefore(gate()), Fault::HoldBefore(gate())]),
        ("drops the connection before it acts, once", one(Fault::DropBefore)),
        ("drops the connection before it acts, twice", vec![Fault::DropBefore; 2]),
        ("drops the connection after it acted, once", one(Fault::DropAfter)),
        ("drops the connection after it acted, twice", vec![Fault::DropAfter; 2]),
        ("400 invalid_request", one(Fault::oauth_error(400, "invalid_request"))),
        ("401 invalid_client", one(Fault::oauth_error(401, "invalid_client"))),
        ("403 with text", one(plain(403))),
        ("404 with text", one(plain(404))),
        ("429 with Retry-After: 7", one(plain(429).with_header("retry-after", "7"))),
        ("500 with text", one(plain(500))),
        ("503 with Retry-After: 7", one(plain(503).with_header("retry-after", "7"))),
        ("a body cut off in the middle, twice", vec![Fault::Stall(br#"{"access_token":"#.to_vec(), open()); 2]),
        ("JSON that ends early", one(Fault::answer(200, "application/json", r#"{"access_token":"#))),
        ("JSON as text/plain", one(Fault::answer(200, "text/plain", "{}"))),
        ("an HTML page", one(Fault::answer(200, "text/html", "<h1>Welcome to the hotel</h1>"))),
    ]
}

/// Lifetimes of a week, so that nothing is renewed meanwhile.
pub(super) async fn scene() -> Scene {
    let server = Server {
        access_token_lifetime: Duration::from_secs(7 * 86_400),
        device_code_lifetime: Duration::from_secs(4 * 3600),
        ..Server::default()
    };
    let http = HttpLimits { total: PATIENCE, ..HttpLimits::default() };
    Scene::set(server, Options { http, ..Options::default() }).await
}

pub(super) async fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for moment in MOMENTS {
        let mut scene = scene().await;
        for (fault, planned) in faults() {
            let row = row(&scene, fault, (moment, planned)).await;
            if row.afterwards != Outcome::Works || moment == Moment::Keys {
                scene = self::scene().await;
            }
            rows.push(row);
        }
    }
    rows
}

async fn row(scene: &Scene, fault: &str, (moment, planned): (Moment, Vec<Fault>)) -> Row {
    let stage = &scene.stage;
    let token = cached(&stage.daemon.client()).await;
    let server = scene.server(moment);
    let plan = || planned.iter().cloned().for_each(|fault| server.fail_next(moment.endpoint(), fault));
    let outcome = moment.act(scene, plan).await;
    // A call that worked in spite of it has brought a new token, if it was for one.
    let is_renewed = outcome == Outcome::Works && moment == Moment::Refresh;
    let token = if is_renewed { cached(&stage.daemon.client()).await } else { token };
    let left = Some(Left::of(stage, &token).await);
    server.fail_no_more();
    stage.clock.advance(LATER);
    let afterwards = moment.act(scene, || ()).await;
    Row { fault: fault.to_owned(), moment: moment.name(), outcome, left, afterwards }
}
