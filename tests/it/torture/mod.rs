//! The daemon is killed again and again while callers ask: a bounded run of what the program `torture` does by hand. Whatever a
//! caller has seen is there after the kill; a grant is lost only with an answer that was never saved; nobody waits for ever.

use token_broker_tests::{
    peers::oidc_provider,
    requirements::require,
    torture::{
        Stage,
        callers::{By, Outcomes},
        syscalls,
    },
};

#[tokio::test]
async fn kills_at_random_instants() {
    let Some(()) = require(oidc_provider::present()) else { return };
    let mut stage = Stage::set(20_261_120).await;
    let outcomes = stage.torture(25, (16, By::Client)).await;
    proves(&stage, outcomes);
}

#[tokio::test]
async fn kills_under_64_processes() {
    let Some(()) = require(oidc_provider::present()) else { return };
    let mut stage = Stage::set(64).await;
    let outcomes = stage.torture(8, (64, By::Process)).await;
    proves(&stage, outcomes);
}

#[tokio::test]
async fn kills_at_every_write() {
    let Some(()) = require(oidc_provider::present()) else { return };
    let Some(()) = require(syscalls::present()) else { return };
    let mut stage = Stage::set(1).await;
    let points = stage.record().await;
    let mut deaths = Vec::new();
    for point in &points {
        deaths.push(stage.die_at(point).await);
    }
    stage.see_what_is_left().await;
    for call in ["pwrite64", "fsync", "writev"] {
        assert!(points.iter().any(|point| point.call == call), "{call} is among {points:?}");
    }
    let reached = deaths.iter().filter(|death| death.was_reached).count();
    assert!(reached * 10 >= points.len() * 9, "the recorded points come again: {deaths:?}");
    let [before, after] = [false, true].map(|synced| deaths.iter().filter(|death| death.was_synced == synced).count());
    assert!(before > 0 && after > 0, "{deaths:?}");
    let figures = stage.figures(Outcomes::default());
    // A write that reached the page cache outlives the process, so there may be fewer losses than deaths before the sync.
    assert!(figures.losses.never_saved <= before, "{figures:?}");
    proves(&stage, Outcomes::default());
}

/// Nothing was lost that could be kept; and the kills did come while something was under way, else they would prove nothing.
#[track_caller]
#[expect(clippy::print_stderr, reason = "with --nocapture it shows the figures")]
fn proves(stage: &Stage, outcomes: Outcomes) {
    let figures = stage.figures(outcomes);
    eprintln!("{figures:#?}");
    assert_eq!(figures.losses.otherwise, [""; 0]);
    assert!(figures.losses.never_saved + figures.losses.never_arrived > 0);
    assert!(figures.saved > 0, "the log says what was saved");
}
