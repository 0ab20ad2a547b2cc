//! A daemon's life in the simulation: the real desks on a real vault that writes inline, with callers around them, until all are
//! served and it stops, or until it dies in the middle. What a death leaves is the folder as it was in that moment.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use token_broker::{
    access::{Caller, Limits, Peer},
    acquire::{self, Outside, Tasks},
    admin::{self, About},
    metrics::Metrics,
    ports::{Clock, Entropy, Http, machine::SystemMachine},
    provider::Provider,
    store::{Vault, VaultOptions, WriterMode},
};
use token_broker_tests::{entropy::SeededEntropy, jose::SigningKey};
use tokio::task::JoinSet;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    actor::{Actor, Counter},
    double::{Double, Flaw, Real, TokenDesk},
    journal::{HOLDERS, Journal},
    ledger::Ledger,
    provider::ScriptedProvider,
    stage::{Stage, Timers},
};

/// More steps than any life needs.
const MOST_STEPS: usize = 3000;

/// What is there before and after every life.
pub(super) struct World {
    pub(super) stage: Arc<Stage>,
    pub(super) ledger: Arc<Mutex<Ledger>>,
    pub(super) journal: Arc<Journal>,
    pub(super) key: Arc<SigningKey>,
    /// Asks this desk for tokens instead of the real one.
    pub(super) double: Option<Flaw>,
}

/// Opens the vault of a folder.
pub(super) fn vault(folder: &Path, stage: &Stage) -> Vault {
    let entropy = SeededEntropy::new(1);
    let options = VaultOptions {
        folder: folder.to_owned(),
        randomness: Arc::new(move |buffer: &mut [u8]| entropy.fill(buffer)),
        writer: WriterMode::Inline,
        now: stage.now(),
    };
    Vault::start(options).unwrap()
}

/// A copy of a data folder as it is: what a new daemon finds after a kill. The locks stay behind.
pub(super) fn image(folder: &Path, into: &Path) {
    fs::create_dir(into).unwrap();
    fs::set_permissions(into, fs::metadata(folder).unwrap().permissions()).unwrap();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        fs::copy(entry.path(), into.join(entry.file_name())).unwrap();
    }
}

/// Lives on this folder; returns the folder for the next life, which is another one if it died in the middle.
pub(super) fn live(world: &Arc<World>, folder: &Path, dies_after: Option<usize>) -> PathBuf {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let vault = vault(folder, &world.stage);
    world.journal.look(&vault);
    let died = runtime.block_on(run(world, vault.clone(), dies_after));
    if !died {
        vault.close();
        return folder.to_owned();
    }
    // Beside it, with a longer name each time.
    let next = folder.with_extension("after-".to_owned() + &folder.extension().unwrap_or_default().to_string_lossy());
    image(folder, &next);
    world.journal.crash();
    drop(runtime);
    next
}

/// Whether it died.
async fn run(world: &Arc<World>, vault: Vault, dies_after: Option<usize>) -> bool {
    let tasks = Tasks { tracker: TaskTracker::new(), stop: CancellationToken::new() };
    let counter = counter(world, &vault, &tasks);
    if world.stage.choose(|random| random.percent(25)) {
        world.stage.freeze(Some(world.stage.choose(|random| random.pick(&HOLDERS))));
    }
    let mut actors = JoinSet::new();
    for number in 0..3 + world.stage.choose(|random| random.below(4)) {
        let actor = Actor { number, world: Arc::clone(world), counter: Arc::clone(&counter) };
        actors.spawn(actor.act(1 + world.stage.choose(|random| random.below(3))));
    }
    for step in 0..MOST_STEPS {
        // Time stands still until nobody can go on by himself: only then this sleep ends.
        tokio::time::sleep(Duration::from_millis(1)).await;
        while let Some(ended) = actors.try_join_next() {
            ended.unwrap();
        }
        if dies_after == Some(step) {
            return true;
        }
        if actors.is_empty() {
            tasks.stop.cancel();
            tasks.tracker.close();
            if tasks.tracker.is_empty() {
                world.journal.look(&vault);
                return false;
            }
        }
        if !next_turn(world) {
            world.journal.violation(format!("nobody is answered any more: {:?}", world.journal.stuck(None)));
            return false;
        }
    }
    world.journal.violation("it goes on for ever");
    false
}

/// Lets one go on. Once only the frozen grant is left, no other caller may be waiting, and it thaws.
fn next_turn(world: &World) -> bool {
    let Some(frozen) = world.stage.frozen() else { return world.stage.release() };
    if !world.stage.is_idle() && world.stage.release() {
        return true;
    }
    let stuck = world.journal.stuck(Some(frozen));
    if !stuck.is_empty() {
        world.journal.violation(format!("they wait for another's grant, {frozen:?}: {stuck:?}"));
    }
    world.stage.freeze(None);
    world.stage.release()
}

fn counter(world: &Arc<World>, vault: &Vault, tasks: &Tasks) -> Arc<Counter> {
    let http: Arc<dyn Http> = Arc::new(ScriptedProvider {
        stage: Arc::clone(&world.stage),
        ledger: Arc::clone(&world.ledger),
        journal: Arc::clone(&world.journal),
        key: Arc::clone(&world.key),
    });
    let clock: Arc<dyn Clock> = Arc::new(Timers(Arc::clone(&world.stage)));
    let seed = world.stage.choose(|random| random.below(usize::MAX));
    let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(u64::try_from(seed).unwrap()));
    let about = About { data_dir: String::new(), socket: String::new(), started: clock.monotonic(), executable: None };
    let metrics = Arc::new(Metrics::new("test", vault.timings()));
    let admin = admin::Desk::new(
        vault.clone(),
        Arc::clone(&http),
        Arc::clone(&clock),
        Arc::clone(&entropy),
        (about, Arc::clone(&metrics)),
    );
    let machine = Arc::new(SystemMachine);
    let outside = Outside { http: Arc::clone(&http), clock: Arc::clone(&clock), entropy, machine };
    let acquire = acquire::Desk::new(vault.clone(), outside, tasks.clone(), &Limits::default(), metrics);
    let renew = Arc::clone(&acquire);
    tasks.tracker.spawn(async move { renew.keep_renewed().await });
    let caller = Caller::at_owner_door(Peer::Unix { uid: 0, pid: None }, 0).unwrap();
    let tokens: Arc<dyn TokenDesk> = match world.double {
        None => Arc::new(Real(Arc::clone(&acquire), caller.clone())),
        Some(flaw) => Arc::new(Double {
            vault: vault.clone(),
            provider: Provider::new(http, clock),
            stage: Arc::clone(&world.stage),
            tasks: tasks.tracker.clone(),
            flaw,
            aloft: Mutex::default(),
        }),
    };
    Arc::new(Counter { tokens, acquire, admin, vault: vault.clone(), caller })
}
