//! What takes long, or looks around the store: it runs on a connection and a thread of its own, so neither readers nor the
//! writer wait for it; the end of the vault stops it. A few may run at once, the others wait for their turn.

mod damaged;
mod surroundings;
mod verify;

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use rusqlite::{Connection, InterruptHandle};
use tokio::sync::{Semaphore, oneshot};

pub(super) use damaged::Damaged;
pub use surroundings::{GrantCounts, Surroundings};
pub use verify::VerifyReport;

use super::{Snapshot, Vault, WriterMode, closed};
use crate::store::{error::StoreError, open, rows::Tables, seal::Keyring};

/// Threads at once.
const MOST: usize = 2;

/// The threads that run.
pub(super) struct Threads {
    stop: Arc<AtomicBool>,
    turns: Semaphore,
    running: Mutex<Vec<(JoinHandle<()>, InterruptHandle)>>,
}

impl Default for Threads {
    fn default() -> Self {
        Self { stop: Arc::default(), turns: Semaphore::new(MOST), running: Mutex::default() }
    }
}

impl Threads {
    /// Stops them and waits for their end.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
        self.turns.close();
        for (thread, interrupt) in self.running.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            interrupt.interrupt();
            if thread.join().is_err() {
                tracing::error!("a long look at the store had stopped by a fault");
            }
        }
    }

    fn start(&self, work: impl FnOnce() + Send + 'static, interrupt: InterruptHandle) -> Result<(), StoreError> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|(thread, _)| !thread.is_finished());
        let thread = thread::Builder::new().name("vault-aside".into()).spawn(work);
        let thread = thread.map_err(|error| StoreError::Unavailable(format!("no thread to look on: {error}")))?;
        running.push((thread, interrupt));
        Ok(())
    }
}

impl Vault {
    /// Works on a connection of its own that cannot write, off this thread. What takes long looks at the flag now and then.
    async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection, &Keyring, &AtomicBool) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let open = self.0.open()?;
        let path = self.0.folder.database();
        let _turn = open.aside.turns.acquire().await.map_err(|_| closed())?;
        let db = open::reader(&path).map_err(|error| StoreError::from(error).at(&path))?;
        if self.0.mode == WriterMode::Inline {
            return work(&db, &open.keys, &open.aside.stop).map_err(|error| error.at(&path));
        }
        let (sender, result) = oneshot::channel();
        let (keys, stop, interrupt) = (Arc::clone(&open.keys), Arc::clone(&open.aside.stop), db.get_interrupt_handle());
        // A caller that hung up does not want the result.
        open.aside.start(move || drop(sender.send(work(&db, &keys, &stop))), interrupt)?;
        result.await.unwrap_or_else(|_| Err(closed())).map_err(|error| error.at(&path))
    }

    /// Reads from one snapshot of the database, off this thread.
    pub(super) async fn read_aside<T: Send + 'static>(
        &self,
        work: impl FnOnce(Tables<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.aside(|db, keys, _| {
            let _snapshot = Snapshot::begin(db)?;
            work(Tables { db, keys })
        })
        .await
    }
}
