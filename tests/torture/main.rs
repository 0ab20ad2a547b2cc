//! The torture by hand: the CI test's own code with many more kills. `cargo run --bin torture [KILLS [KILLS_UNDER_PROCESSES
//! [SEED]]]`, after `cargo build --workspace --bins`; it writes broker/docs/torture.md and ends with 1 when a rule was broken.

#![expect(clippy::print_stdout, reason = "a program that talks while it works")]

use std::process::ExitCode;

use token_broker_tests::{
    peers::oidc_provider,
    torture::{
        Stage,
        callers::{By, Outcomes},
        report::{Report, Section},
        syscalls,
    },
};

/// Callers through the client crate.
const CALLERS: usize = 16;
/// `broker-cli` processes.
const PROCESSES: usize = 64;

fn main() -> ExitCode {
    let mut given = std::env::args().skip(1).map(|text| text.parse::<usize>());
    let mut number = |otherwise| given.next().and_then(Result::ok).unwrap_or(otherwise);
    let (kills, under_processes, seed) = (number(1_000), number(1_000), number(1) as u64);
    if let Err(missing) = oidc_provider::present().and_then(|()| syscalls::present()) {
        println!("{missing}");
        return ExitCode::FAILURE;
    }
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(run(kills, under_processes, seed)),
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(kills: usize, under_processes: usize, seed: u64) -> ExitCode {
    let mut report = Report { seed, sections: Vec::new() };
    let add = |report: &mut Report, title: &str, figures| {
        report.add(Section { title: title.to_owned(), figures });
        // What is known is kept, should the rest be broken off.
        report.write();
        println!("{}", report.markdown());
    };
    let mut stage = Stage::set(seed).await;
    for point in &stage.record().await {
        stage.die_at(point).await;
    }
    stage.see_what_is_left().await;
    let title = "Each write, sync and send between the provider's answer and the caller's";
    add(&mut report, title, stage.figures(Outcomes::default()));
    for (title, kills, callers) in [
        ("16 callers through the client crate", kills, (CALLERS, By::Client)),
        ("64 `broker-cli token` processes", under_processes, (PROCESSES, By::Process)),
    ] {
        if kills == 0 {
            continue;
        }
        let mut stage = Stage::set(seed).await;
        let outcomes = stage.torture(kills, callers).await;
        add(&mut report, title, stage.figures(outcomes));
    }
    if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
