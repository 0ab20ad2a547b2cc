//! A cache that arrives in pieces: hands the pieces on while the desk reads them.

use std::future::Future;

use token_broker_proto::{Failure, Invalid, oauth::ApplicationName, wire::v1::ImportMsalCacheRequest};
use tokio::sync::mpsc;
use tonic::{Code, Status, Streaming};
use zeroize::Zeroizing;

use super::MAX_REQUEST_BYTES;
use crate::{admin::Import, model::DeskError};

/// Pieces on their way to the reader.
const AHEAD: usize = 4;

/// Runs the import of a stream whose first message names the application.
pub(super) async fn arriving<T, F>(
    mut pieces: Streaming<ImportMsalCacheRequest>,
    import: impl FnOnce(Import) -> F,
) -> Result<T, DeskError>
where
    F: Future<Output = Result<T, DeskError>>,
{
    let first = next(&mut pieces).await?.ok_or_else(|| Invalid::new("application", "the first message names it"))?;
    let (sender, file) = mpsc::channel(AHEAD);
    let application = ApplicationName::parse("application", &first.application)?;
    let work = import(Import { application, dry_run: first.dry_run, file });
    let feed = async move {
        let mut piece = Some(first);
        while let Some(bytes) = piece {
            if sender.send(Zeroizing::new(bytes.chunk)).await.is_err() {
                // The desk wants no more: its own answer says why.
                return std::future::pending().await;
            }
            piece = next(&mut pieces).await?;
        }
        drop(sender);
        std::future::pending::<Result<T, DeskError>>().await
    };
    // A sender that breaks off ends the import.
    tokio::select! { biased; outcome = work => outcome, broken = feed => broken }
}

async fn next(pieces: &mut Streaming<ImportMsalCacheRequest>) -> Result<Option<ImportMsalCacheRequest>, DeskError> {
    pieces.message().await.map_err(|status| broken(&status))
}

/// Why no piece comes. A status of our own names the limit that was met.
fn broken(status: &Status) -> DeskError {
    match (Failure::from_status(status).and_then(|failure| failure.limit), status.code()) {
        (Some(limit), _) => DeskError::LimitExceeded(limit),
        (None, Code::OutOfRange) => DeskError::LimitExceeded(format!("bytes of a piece: {MAX_REQUEST_BYTES}")),
        (None, Code::Cancelled) => DeskError::Cancelled,
        (None, _) => Invalid::new("file", format!("a piece of it cannot be read: {}", status.message())).into(),
    }
}
