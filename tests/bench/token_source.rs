//! A token at hand: reading a `TokenSource`, which is a look into memory and at the clock.

use std::time::Instant;

use crate::{
    daemon::{Running, request},
    fill::Filled,
    report::Report,
    sample::Sample,
};

/// Reads in a row: one alone is shorter than looking at the clock for it.
const READS: u32 = 10_000;
/// Rows; a million reads in all.
const ROWS: usize = 100;

/// What one read takes, by rows of many.
pub(crate) async fn measure(running: &Running, filled: &Filled, report: &mut Report) {
    let source = running.client().token_source(request(&filled.some_account()));
    source.ready().await.expect("a token");
    let mut measured = Vec::with_capacity(ROWS);
    for _ in 0..ROWS {
        let begun = Instant::now();
        for _ in 0..READS {
            std::hint::black_box(source.token()).expect("a token at hand");
        }
        measured.push(begun.elapsed() / READS);
    }
    report.token_source = Some(Sample::of(measured));
}
