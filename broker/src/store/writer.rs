//! The one writer. Owns the writing connection, group commit (what waits is committed together: one fsync for all) and the
//! rule that a job is answered after its commit. A failing or panicking job rolls back itself alone. Knows no tables.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use rusqlite::{Connection, config::DbConfig};
use tokio::sync::{oneshot, watch};

use super::{error::StoreError, place::Place, recall::Epoch, rows::Tables, seal::Keyring};
use crate::metrics::{Stopwatch, StoreTimings};

/// Most jobs in one transaction.
const MAX_BATCH: usize = 64;
/// Commits after which the journal is moved into the database, when nobody waits.
const CHECKPOINT_EVERY: u32 = 200;

/// How often to see whether the database is still in its place when nothing is written.
const LOOK: Duration = Duration::from_secs(60);

/// A write that waits for its turn.
pub(super) trait Job: Send {
    /// Does it; whether its changes are to be kept.
    fn run(&mut self, tables: &Tables<'_>) -> bool;
    /// Tells who waits, once the transaction is committed or lost.
    fn answer(self: Box<Self>, commit: Result<(), StoreError>);
}

struct Write<W, T> {
    work: Option<W>,
    result: Result<T, StoreError>,
    waiting: oneshot::Sender<Result<T, StoreError>>,
}

impl<T: Send, W: FnOnce(&Tables<'_>) -> Result<T, StoreError> + Send> Job for Write<W, T> {
    fn run(&mut self, tables: &Tables<'_>) -> bool {
        let Some(work) = self.work.take() else { return false };
        self.result = work(tables);
        self.result.is_ok()
    }

    fn answer(self: Box<Self>, commit: Result<(), StoreError>) {
        let result = match (self.result, self.work) {
            // It never ran: the transaction could not begin, or was lost before its turn.
            (_, Some(_)) => commit.and_then(|()| Err(unfinished())),
            (result, None) => result.and_then(|value| commit.map(|()| value)),
        };
        // A caller that hung up does not want the answer.
        let _ = self.waiting.send(result);
    }
}

fn unfinished() -> StoreError {
    StoreError::Unavailable("a write failed by a fault of the daemon; nothing of it was kept".to_owned())
}

/// What others may know of the writer. Cloning makes another handle.
#[derive(Clone, Default)]
pub(super) struct Signs {
    /// The times of its commits.
    pub(super) timings: StoreTimings,
    has_ended: Arc<watch::Sender<bool>>,
}

impl Signs {
    /// Resolves when the thread has ended.
    pub(super) async fn ended(&self) {
        // An error: the sender is gone, which it is not while this handle lives.
        let _ = self.has_ended.subscribe().wait_for(|ended| *ended).await;
    }
}

/// Tells that the thread has ended, by a panic too.
struct Ending(Signs);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.has_ended.send_replace(true);
    }
}

/// Where writes go.
pub(super) enum Writer {
    /// To a thread, in groups.
    Thread { jobs: Mutex<Option<Sender<Box<dyn Job>>>>, thread: Mutex<Option<JoinHandle<()>>> },
    /// To the caller's own thread, one by one: for a simulation.
    Inline(Mutex<Option<Committer>>),
}

impl Writer {
    /// Starts the thread.
    pub(super) fn thread(committer: Committer, signs: &Signs) -> std::io::Result<Self> {
        let (jobs, waiting) = mpsc::channel();
        let ending = Ending(signs.clone());
        let serve = move || {
            let _ending = ending;
            committer.serve(&waiting);
        };
        let thread = thread::Builder::new().name("vault-writer".into()).spawn(serve)?;
        Ok(Self::Thread { jobs: Mutex::new(Some(jobs)), thread: Mutex::new(Some(thread)) })
    }

    pub(super) fn inline(committer: Committer) -> Self {
        Self::Inline(Mutex::new(Some(committer)))
    }

    /// Hands a write over; the answer comes after its commit. It is done even if nobody waits for the answer any more.
    pub(super) fn submit<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tables<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> oneshot::Receiver<Result<T, StoreError>> {
        let (waiting, answer) = oneshot::channel();
        let job: Box<dyn Job> = Box::new(Write { work: Some(work), result: Err(unfinished()), waiting });
        match self {
            Self::Thread { jobs, .. } => {
                let jobs = jobs.lock().unwrap_or_else(PoisonError::into_inner);
                // Without a thread the job goes with its sender, which the receiver notices.
                drop(jobs.as_ref().map(|jobs| jobs.send(job)));
            }
            Self::Inline(committer) => {
                let mut committer = committer.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(committer) = committer.as_mut() {
                    committer.commit(vec![job]);
                }
            }
        }
        answer
    }

    /// Finishes what waits, moves the journal into the database and closes the connection.
    pub(super) fn stop(&self) {
        match self {
            Self::Thread { jobs, thread } => {
                drop(jobs.lock().unwrap_or_else(PoisonError::into_inner).take());
                let thread = thread.lock().unwrap_or_else(PoisonError::into_inner).take();
                if thread.is_some_and(|thread| thread.join().is_err()) {
                    tracing::error!("the writer of the store had stopped by a fault");
                }
            }
            Self::Inline(committer) => {
                if let Some(committer) = committer.lock().unwrap_or_else(PoisonError::into_inner).take() {
                    committer.close();
                }
            }
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The writing connection.
pub(super) struct Committer {
    db: Connection,
    keys: Arc<Keyring>,
    epoch: Epoch,
    timings: StoreTimings,
    place: Place,
    /// Whether the log has said that the database is not in its place.
    told: bool,
    /// Since the journal was last moved into the database.
    commits: u32,
}

impl Committer {
    /// Of this connection, whose database is in this place.
    pub(super) fn new(db: Connection, keys: Arc<Keyring>, epoch: Epoch, place: Place, signs: &Signs) -> Self {
        Self { db, keys, epoch, timings: signs.timings.clone(), place, told: false, commits: 0 }
    }

    fn serve(mut self, waiting: &Receiver<Box<dyn Job>>) {
        loop {
            let first = match waiting.recv_timeout(LOOK) {
                Ok(first) => first,
                Err(RecvTimeoutError::Timeout) => {
                    let _ = self.look(); // an error is in the log by now
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            };
            let mut batch = vec![first];
            batch.extend(waiting.try_iter().take(MAX_BATCH - 1));
            self.commit(batch);
            if self.commits >= CHECKPOINT_EVERY {
                self.checkpoint("PASSIVE");
            }
        }
        self.close();
    }

    /// One transaction for all; then the answers.
    fn commit(&mut self, mut batch: Vec<Box<dyn Job>>) {
        let begun = Stopwatch::start();
        let committed = self.attempt(&mut batch);
        self.timings.committed(begun.elapsed(), batch.len());
        if committed.is_err() && !self.db.is_autocommit() {
            let _ = self.sql("ROLLBACK");
        }
        self.epoch.turn();
        self.commits = self.commits.saturating_add(1);
        for job in batch {
            job.answer(committed.clone());
        }
    }

    fn attempt(&mut self, batch: &mut [Box<dyn Job>]) -> Result<(), StoreError> {
        self.look()?;
        self.sql("BEGIN IMMEDIATE")?;
        for job in batch {
            self.sql("SAVEPOINT job")?;
            let tables = Tables { db: &self.db, keys: &self.keys };
            let kept = catch_unwind(AssertUnwindSafe(|| job.run(&tables))).unwrap_or_else(|_| {
                tracing::error!("a write to the store panicked; it was rolled back");
                false
            });
            if self.db.is_autocommit() {
                // SQLite gives the whole transaction up when the disk is full or fails.
                return Err(StoreError::Unavailable("the disk is full or failing: nothing could be saved".to_owned()));
            }
            if !kept {
                self.sql("ROLLBACK TO job")?;
            }
            self.sql("RELEASE job")?;
        }
        self.sql("COMMIT")
    }

    /// What is written into a file without a name is lost, so it is not written.
    fn look(&mut self) -> Result<(), StoreError> {
        let found = self.place.look();
        match &found {
            Err(error) if !self.told => tracing::error!(%error, "the store takes no more writes"),
            Ok(()) if self.told => tracing::info!("the database is in its place again"),
            _ => {}
        }
        self.told = found.is_err();
        found
    }

    fn sql(&self, sql: &str) -> Result<(), StoreError> {
        self.db.prepare_cached(sql)?.execute([])?;
        Ok(())
    }

    /// Failing does no harm: the journal stays longer.
    fn checkpoint(&mut self, mode: &str) {
        self.commits = 0;
        if let Err(error) = self.db.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(())) {
            tracing::warn!(%error, "the journal of the store could not be moved into the database");
        }
    }

    fn close(mut self) {
        if self.place.displaced().is_none() {
            return self.checkpoint("TRUNCATE");
        }
        // SQLite would remove the journal by its name, whosever it is now.
        if let Err(error) = self.db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true) {
            tracing::warn!(%error, "the journal of the store may be removed");
        }
    }
}
