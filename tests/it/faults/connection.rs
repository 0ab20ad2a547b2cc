//! Providers that cannot be reached at all at the place that their metadata name: no such host, nobody at the port, no TLS where
//! TLS is expected. The metadata are a day old when they change, so that they are read anew.

use std::time::Duration;

use serde_json::json;
use token_broker_tests::daemon::{application, name};

use super::{
    Left, Outcome, Row, cached,
    moment::{MOMENTS, Moment, Scene},
    provider::scene,
};

/// Metadata are read anew after this.
const A_DAY: Duration = Duration::from_secs(25 * 3600);

pub(super) async fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for moment in MOMENTS {
        for fault in ["its name is not known (DNS)", "nobody listens there", "it does not speak TLS"] {
            rows.push(row(fault, moment).await);
        }
    }
    rows
}

async fn row(fault: &str, moment: Moment) -> Row {
    let scene = scene().await;
    let base = match fault {
        "its name is not known (DNS)" => "https://no-such-host.invalid".to_owned(),
        "nobody listens there" => "http://127.0.0.1:1".to_owned(),
        _ => scene.stage.server.issuer().replace("http://", "https://"),
    };
    let token = cached(&scene.stage.daemon.client()).await;
    let outcome = match moment.member() {
        None => added_at(&scene, &base).await,
        Some(member) => {
            scene.server(moment).change(|options| {
                options.metadata.insert(member.to_owned(), json!(format!("{base}/somewhere")));
            });
            scene.stage.clock.advance(A_DAY);
            moment.act(&scene, || ()).await
        }
    };
    let left = Some(Left::of(&scene.stage, &token).await);
    scene.server(moment).change(|options| options.metadata.clear());
    scene.stage.clock.advance(A_DAY);
    let afterwards = moment.act(&scene, || ()).await;
    Row { fault: fault.to_owned(), moment: moment.name(), outcome, left, afterwards }
}

/// Discovery has no metadata that could name another place: the issuer itself is there.
async fn added_at(scene: &Scene, issuer: &str) -> Outcome {
    let client = scene.stage.daemon.client();
    let gone = application("gone", issuer, ("native-app", None), "openid");
    let outcome = Outcome::of(&client.add_application(&gone).await);
    assert!(client.application(&name("gone")).await.is_err(), "it was not registered");
    outcome
}
