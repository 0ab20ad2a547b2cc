//! The figures of the project, measured in one run so that they can be compared: whole processes against their floor and a
//! peer, hits over the socket, the daemon's own cost, and the store from 100 to a million tokens. By hand:
//! `packaging/install`, a release build of the workspace, then `cargo run --release --bin bench`; it writes broker/docs/figures.md and .svg.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a benchmark reads the real clock, talks, and stops where something goes wrong"
)]

mod daemon;
mod fill;
mod msal;
mod neighbours;
mod process;
mod report;
mod sample;
mod socket;
mod token_source;

use std::{str::FromStr, time::Duration};

use report::Report;

/// Tokens in the store, for each series of the scale table.
const SCALES: [usize; 4] = [100, 10_000, 100_000, 1_000_000];

/// A number from the command line: the largest store, the idle connections, the seconds that a refresh hangs.
fn argument<N: FromStr>(position: usize, default: N) -> N {
    std::env::args().nth(position).and_then(|n| n.parse().ok()).unwrap_or(default)
}

fn main() {
    let largest = argument(1, 1_000_000);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut report = Report::default();
    runtime.block_on(async {
        let mut stores = Vec::new();
        for tokens in SCALES.into_iter().filter(|scale| *scale <= largest) {
            let filled = fill::fill(tokens).await;
            if tokens == SCALES[0] {
                report.commit = Some(filled.commit.clone());
                neighbours::measure_idle(&filled, argument(2, 10_000), &mut report).await;
            }
            let running = daemon::start(&filled).await;
            if tokens == SCALES[1] {
                socket::measure_load(&running, &filled, &mut report).await;
                token_source::measure(&running, &filled, &mut report).await;
                process::measure(&running, &mut report).await;
                report.start = Some(daemon::measure_start(&filled).await);
            }
            stores.push((filled, running));
        }
        socket::measure_scales(&stores, &mut report).await;
        drop(stores);
        msal::measure_silent(largest, &mut report);
        msal::measure_import(largest, &mut report).await;
        neighbours::measure_hanging(Duration::from_secs(argument(3, 10)), &mut report).await;
    });
    println!("{}", report.markdown());
    report.write();
}
