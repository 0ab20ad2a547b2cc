//! MSAL Python as the judge: each scenario of tests/peers/msal/scenarios.toml is played by the real MSAL and by the broker, each
//! against a fresh platform (`token_broker_tests::entra`); what they gave and what they asked is compared. The table is
//! broker/docs/msal.md; `TOKEN_BROKER_REWRITE_MSAL=1` writes it anew: read what changed before it is committed.

mod broker;
mod differences;
mod page;
mod programs;
mod python;
mod request;
mod scenario;
mod web_app;

use token_broker_tests::{folder, requirements::require};

pub(crate) use python::interpreter;

use self::{
    differences::{Difference, Listed, between, fits},
    page::Row,
    python::Python,
    request::Requests,
    scenario::{Peer, Played, Scenario},
};

/// Writes the page instead of comparing with it.
const REWRITE: &str = "TOKEN_BROKER_REWRITE_MSAL";
/// Plays only the scenarios whose name has this in it, and leaves the page alone.
const ONLY: &str = "TOKEN_BROKER_MSAL_ONLY";

#[tokio::test]
async fn the_broker_does_what_msal_python_does() {
    let Some(interpreter) = require(python::interpreter()) else { return };
    let only = std::env::var(ONLY).unwrap_or_default();
    let (mut msal, listed) = (Python::start(interpreter), Listed::all());
    let mut rows = Vec::new();
    let mut wrong = Vec::new();
    for scenario in Scenario::all().iter().filter(|scenario| scenario.name.contains(&only)) {
        let (theirs, ours) = tokio::join!(scenario.play(Peer::Msal(&mut msal)), scenario.play(Peer::Broker));
        let (row, problems) = judge(scenario, &theirs, &ours, &listed);
        rows.push(row);
        wrong.extend(problems);
    }
    // The runner shows it when something is wrong, or with --nocapture.
    print(&page::table(&rows));
    if only.is_empty() {
        let unused = listed.iter().filter(|entry| entry.is_unused());
        wrong.extend(unused.map(|entry| format!("nothing needs the entry {} | {}", entry.request, entry.parameter)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    if only.is_empty() {
        assert!(rows.len() >= 40, "{} scenarios", rows.len());
        page::compare(&page::written(&rows, &listed), &folder("../broker/docs/msal.md"), REWRITE);
    }
}

#[expect(clippy::print_stdout, reason = "the table is what this test is for")]
fn print(table: &str) {
    println!("{table}");
}

/// One row of the table, and what is wrong with it.
fn judge(scenario: &Scenario, theirs: &Played, ours: &Played, listed: &[Listed]) -> (Row, Vec<String>) {
    let name = &scenario.name;
    let mut wrong = Vec::new();
    let [msal_passes, broker_passes] = [("MSAL", theirs), ("broker", ours)].map(|(side, played)| {
        let failed = played.outcomes.iter().zip(&played.expected).filter(|(gave, should)| !fits(should, gave));
        let failed: Vec<_> =
            failed.map(|(gave, should)| format!("{name}: {side} gave {gave:?}, not {should:?}")).collect();
        wrong.extend(failed.iter().cloned());
        failed.is_empty()
    });
    let found = between(&Requests::read(&theirs.requests), &Requests::read(&ours.requests));
    let reason = |difference: &Difference| listed.iter().position(|entry| entry.means(name, difference));
    let (meant, unmeant): (Vec<_>, Vec<_>) = found.iter().map(|it| (it, reason(it))).partition(|(_, at)| at.is_some());
    wrong.extend(unmeant.iter().map(|(difference, _)| format!("{name}: not listed: {difference}")));
    let fault = scenario.fault().map(str::to_owned);
    let equal = unmeant.is_empty();
    // Only what is said of single scenarios is worth a word in its row.
    let own = meant.into_iter().filter_map(|(_, at)| at).filter(|at| listed[*at].scenario != "*");
    (Row { name: name.clone(), msal_passes, fault, broker_passes, equal, notes: own.collect() }, wrong)
}
