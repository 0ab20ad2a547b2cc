//! Importing the token cache of Microsoft's libraries: takes what belongs to one application, leaves the rest with a reason.
//! Reads the file as it comes, on a thread that may block; keeps a few entries at a time, and of every account a line.

mod selection;

use std::io::{self, Read};

use token_broker_proto::{
    Invalid,
    calls::{ApplicationSelector, ImportReport},
    oauth::ApplicationName,
};
use tokio::{sync::mpsc, task};
use zeroize::Zeroizing;

use self::selection::Selection;
use super::Desk;
use crate::{
    access::Caller,
    flow::microsoft::unified_cache::{self, Entry, UnifiedCacheError},
    model::DeskError,
    store::{ImportRecord, Imported, StoredApplication},
};

/// Most imports at once: each has a thread for as long as its file comes.
pub(super) const MOST_AT_ONCE: usize = 4;
/// The name of that limit.
pub(super) const LIMIT: &str = "imports";
/// Entries in one transaction.
const BATCH: usize = 256;
/// Batches on their way from the reader.
const AHEAD: usize = 2;

/// What is to be imported.
#[derive(Debug)]
pub struct Import {
    /// For which application.
    pub application: ApplicationName,
    /// Whether to look only, and change nothing.
    pub dry_run: bool,
    /// The file, as it arrives.
    pub file: mpsc::Receiver<Zeroizing<Vec<u8>>>,
}

impl Desk {
    /// Imports a cache; what was taken and what was not. Without a dry run before, what stands in front of a fault of the file
    /// is taken; importing again is harmless.
    pub async fn import_msal_cache(&self, caller: &Caller, import: Import) -> Result<ImportReport, DeskError> {
        tracing::debug!(%caller, dry_run = import.dry_run, "import cache");
        let _turn = self.imports.try_acquire().map_err(|_| {
            self.metrics.limits.met(LIMIT);
            DeskError::LimitExceeded(format!("imports at once: {MOST_AT_ONCE}"))
        })?;
        let found = self.vault.find_application(&ApplicationSelector::Name(import.application.clone()))?;
        let stored = found.ok_or_else(|| DeskError::ApplicationNotFound(import.application.to_string()))?;
        let (sender, mut batches) = mpsc::channel(AHEAD);
        let reading = task::spawn_blocking(move || read(import.file, &sender));
        let mut selection = Selection::new(&stored.application, self.clock.now());
        while let Some(batch) = batches.recv().await {
            let records = batch.into_iter().filter_map(|entry| selection.take(entry)).collect();
            self.save_imported(&stored, &mut selection, records, import.dry_run).await?;
        }
        match reading.await {
            Ok(read) => read.map_err(|error| unusable(&error))?,
            Err(fault) => return Err(DeskError::Internal(fault.to_string())),
        }
        let rest = selection.rest();
        self.save_imported(&stored, &mut selection, rest, import.dry_run).await?;
        Ok(selection.report())
    }

    /// Saves a batch. A registration that was replaced meanwhile keeps its client.
    async fn save_imported(
        &self,
        stored: &StoredApplication,
        selection: &mut Selection,
        records: Vec<ImportRecord>,
        dry_run: bool,
    ) -> Result<(), DeskError> {
        let kinds: Vec<_> = records.iter().map(selection::kind).collect();
        let outcomes = if dry_run {
            vec![Imported::Taken; records.len()]
        } else {
            let saved = self.vault.import(stored.application.client(), records).await?;
            saved.ok_or_else(|| self.gone(&stored.application.name))?
        };
        kinds.into_iter().zip(outcomes).for_each(|(kind, outcome)| selection.count(kind, outcome));
        Ok(())
    }

    /// Nothing stands for the client of the import any more: its name is gone, or is of another client.
    fn gone(&self, name: &ApplicationName) -> DeskError {
        match self.vault.find_application(&ApplicationSelector::Name(name.clone())) {
            Ok(Some(_)) => {
                let rule = "stands for another client since the import began: import again";
                Invalid::new("application", rule).into()
            }
            Ok(None) => DeskError::ApplicationNotFound(name.to_string()),
            Err(fault) => fault.into(),
        }
    }
}

/// Reads all entries; ends early when nobody takes them any more.
fn read(file: mpsc::Receiver<Zeroizing<Vec<u8>>>, batches: &mpsc::Sender<Vec<Entry>>) -> Result<(), UnifiedCacheError> {
    let mut batch = Vec::with_capacity(BATCH);
    let mut take = |entry| {
        batch.push(entry);
        batch.len() < BATCH || batches.blocking_send(std::mem::take(&mut batch)).is_ok()
    };
    unified_cache::read(Arriving { file, chunk: Zeroizing::default(), read: 0 }, &mut take)?;
    if batches.blocking_send(batch).is_err() { Err(UnifiedCacheError::Stopped) } else { Ok(()) }
}

fn unusable(error: &UnifiedCacheError) -> DeskError {
    Invalid::new("file", error.to_string()).into()
}

/// The file as a reader.
struct Arriving {
    file: mpsc::Receiver<Zeroizing<Vec<u8>>>,
    /// Wiped, since there are tokens in it.
    chunk: Zeroizing<Vec<u8>>,
    read: usize,
}

impl Read for Arriving {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.read == self.chunk.len() {
            let Some(next) = self.file.blocking_recv() else { return Ok(0) };
            (self.chunk, self.read) = (next, 0);
        }
        let mut rest = self.chunk.get(self.read..).unwrap_or_default();
        let read = rest.read(buffer)?;
        self.read += read;
        Ok(read)
    }
}
