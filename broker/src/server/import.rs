//! A cache that arrives in pieces: hands the pieces on while the desk reads them.

use std::future::Future;

use token_broker_proto::{Invalid, oauth::ApplicationName, wire::v1::ImportMsalCacheRequest};
use tokio::sync::mpsc;
use tonic::Streaming;

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
            if sender.send(bytes.chunk).await.is_err() {
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
    pieces.message().await.map_err(|status| match status.code() {
        tonic::Code::Cancelled => DeskError::Cancelled,
        _ => Invalid::new("file", format!("a piece of it cannot be read: {}", status.message())).into(),
    })
}
