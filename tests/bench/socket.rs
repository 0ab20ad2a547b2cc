//! Hits over the socket: latency on a kept and on a new connection, throughput with many in flight, the daemon's cost.

use std::time::{Duration, Instant};

use token_broker_client::calls::TokenRequest;
use tokio::task::JoinSet;

use crate::{
    daemon::{Running, request},
    fill::{Filled, some_scopes},
    report::{Load, Report, Scale},
    sample::Sample,
};

/// Hits in each latency series.
const HITS: usize = 5_000;
/// Hits in a row before it is the next store's turn.
const TURN: usize = 250;
/// How long each load series runs.
const LOAD: Duration = Duration::from_secs(3);

/// The hit by size of the store: exact account, the common scope, on one processor. The stores take turns, some hits each, so
/// that a slow minute of the machine slows all of them.
pub(crate) async fn measure_scales(stores: &[(Filled, Running)], report: &mut Report) {
    // What filling left to write must not run beside.
    rustix::fs::sync();
    let mut measured = vec![(Vec::with_capacity(HITS), Vec::with_capacity(HITS)); stores.len()];
    let clients: Vec<_> = stores.iter().map(|(_, running)| running.client()).collect();
    for round in 0..HITS / TURN {
        for (((filled, running), client), measured) in stores.iter().zip(&clients).zip(&mut measured) {
            running.pin(0, 0);
            for hit in round * TURN..(round + 1) * TURN {
                // Another account each time, so that no page stays hot by accident.
                let subset = request(&format!("user{}@example.com", hit * 7919 % filled.accounts));
                let exact = TokenRequest { scopes: Some(some_scopes(hit)), ..subset.clone() };
                let mut both = [(&subset, &mut measured.0), (&exact, &mut measured.1)];
                // The first of the two finds the account's pages cold.
                both.rotate_left(hit % 2);
                for (request, measured) in both {
                    let begun = Instant::now();
                    client.token(request).await.expect("a hit");
                    measured.push(begun.elapsed());
                }
            }
            running.unpin();
        }
    }
    for ((filled, running), measured) in stores.iter().zip(measured) {
        let (hit, exact) = (Sample::of(measured.0), Sample::of(measured.1));
        report.scales.push(Scale { tokens: filled.tokens, hit, exact, rss_kib: running.rss_kib() });
    }
}

/// Latency and load at one size of the store.
pub(crate) async fn measure_load(running: &Running, filled: &Filled, report: &mut Report) {
    report.rss_idle_kib = running.rss_kib();
    report.kept_one_cpu = Some(kept(running, filled, Some((0, 0))).await);
    report.kept_two_cpus = Some(kept(running, filled, None).await);
    report.fresh = Some(fresh(running, filled).await);
    for in_flight in [1, 16, 64] {
        report.loads.push(load(running, filled, in_flight).await);
    }
    report.rss_loaded_kib = running.rss_kib();
}

async fn kept(running: &Running, filled: &Filled, cpus: Option<(usize, usize)>) -> Sample {
    if let Some((daemon, own)) = cpus {
        running.pin(daemon, own);
    }
    let (client, request) = (running.client(), request(&filled.some_account()));
    let mut measured = Vec::with_capacity(HITS);
    for _ in 0..HITS {
        let begun = Instant::now();
        client.token(&request).await.expect("a hit");
        measured.push(begun.elapsed());
    }
    running.unpin();
    Sample::of(measured)
}

async fn fresh(running: &Running, filled: &Filled) -> Sample {
    let request = request(&filled.some_account());
    let mut measured = Vec::with_capacity(HITS);
    for _ in 0..HITS {
        let begun = Instant::now();
        running.client().token(&request).await.expect("a hit");
        measured.push(begun.elapsed());
    }
    Sample::of(measured)
}

async fn load(running: &Running, filled: &Filled, in_flight: usize) -> Load {
    running.pin(0, 1);
    let (cpu, begun) = (running.cpu(), Instant::now());
    let mut callers = JoinSet::new();
    // Clones share one connection: many calls of one program.
    let shared = running.client();
    for caller in 0..in_flight {
        let client = shared.clone();
        let request = request(&format!("user{}@example.com", caller % filled.accounts));
        callers.spawn(async move {
            let mut answered = 0_u32;
            while begun.elapsed() < LOAD {
                client.token(&request).await.expect("a hit");
                answered += 1;
            }
            answered
        });
    }
    let answered: u32 = callers.join_all().await.into_iter().sum();
    let load = Load {
        in_flight,
        per_second: f64::from(answered) / begun.elapsed().as_secs_f64(),
        cpu_each: running.cpu().saturating_sub(cpu) / answered.max(1),
    };
    running.unpin();
    load
}
