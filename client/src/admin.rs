//! The calls of `broker-cli` beyond tokens: applications, the cache, the daemon itself. Served to the owner only.

use std::{
    iter,
    sync::{Mutex, PoisonError},
};

use token_broker_proto::{
    calls::{Application, CacheEntry, CacheEntryId, Check, DaemonStatus, ImportReport, Incomplete, NewApplication},
    oauth::ApplicationName,
    wire::v1::{self, broker_admin_client::BrokerAdminClient},
};
use tonic::{Status, codegen::tokio_stream};

use crate::{
    Client, ClientError,
    client::{Repeat, origin},
    link::Link,
};

/// Largest answer that is read, in bytes: lists that come in pages are far below.
const MAX_ANSWER: usize = 16 * 1024 * 1024;

/// What went with an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RemovedApplication {
    /// Number of its accounts.
    pub accounts: i64,
    /// Number of its tokens.
    pub tokens: i64,
}

/// What the verification of the store found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// Number of sealed rows that were opened.
    pub rows_checked: i64,
    /// What is damaged, a line each; empty if all is well.
    pub problems: Vec<String>,
}

impl Client {
    /// Registers an application. Returns it as it is stored, and whether that changed anything.
    pub async fn add_application(&self, new: &NewApplication) -> Result<(Application, bool), ClientError> {
        let send = |link| {
            let wire = v1::AddApplicationRequest::from(new);
            async move { admin(link).add_application(wire).await }
        };
        let answer = self.call(Repeat::Never, send).await?;
        Ok((application(answer.application)?, answer.changed))
    }

    /// All registered applications, by name.
    pub async fn applications(&self) -> Result<Vec<Application>, ClientError> {
        let send = |link| async move { admin(link).list_applications(v1::ListApplicationsRequest {}).await };
        let answer = self.call(Repeat::Harmless, send).await?;
        Ok(answer.applications.into_iter().map(TryInto::try_into).collect::<Result<_, Incomplete>>()?)
    }

    /// One registered application.
    pub async fn application(&self, name: &ApplicationName) -> Result<Application, ClientError> {
        let send = |link| {
            let name = name.to_string();
            async move { admin(link).get_application(v1::GetApplicationRequest { name }).await }
        };
        application(self.call(Repeat::Harmless, send).await?.application)
    }

    /// Removes an application with its accounts and tokens.
    pub async fn remove_application(&self, name: &ApplicationName) -> Result<RemovedApplication, ClientError> {
        let send = |link| {
            let name = name.to_string();
            async move { admin(link).remove_application(v1::RemoveApplicationRequest { name }).await }
        };
        let answer = self.call(Repeat::Never, send).await?;
        Ok(RemovedApplication { accounts: answer.accounts_removed, tokens: answer.tokens_removed })
    }

    /// What the cache holds, for one application or for all.
    pub async fn cache_entries(&self, application: Option<&ApplicationName>) -> Result<Vec<CacheEntry>, ClientError> {
        let application = application.map(ToString::to_string).unwrap_or_default();
        let (mut entries, mut page_token) = (Vec::new(), String::new());
        loop {
            let send = |link| {
                let (application, page_token) = (application.clone(), page_token.clone());
                let request = v1::ListCacheEntriesRequest { application, page_size: 0, page_token };
                async move { admin(link).list_cache_entries(request).await }
            };
            let page = self.call(Repeat::Harmless, send).await?;
            let found = page.entries.into_iter().map(TryInto::try_into).collect::<Result<Vec<_>, Incomplete>>()?;
            entries.extend(found);
            if page.next_page_token.is_empty() || page.next_page_token == page_token {
                return Ok(entries);
            }
            page_token = page.next_page_token;
        }
    }

    /// One entry of the cache, without its token.
    pub async fn cache_entry(&self, id: CacheEntryId) -> Result<CacheEntry, ClientError> {
        let send =
            |link| async move { admin(link).get_cache_entry(v1::GetCacheEntryRequest { id: id.to_string() }).await };
        let answer = self.call(Repeat::Harmless, send).await?;
        Ok(answer.entry.ok_or(Incomplete("entry"))?.try_into()?)
    }

    /// Removes one entry of the cache.
    pub async fn remove_cache_entry(&self, id: CacheEntryId) -> Result<(), ClientError> {
        let send = |link| async move {
            admin(link).remove_cache_entry(v1::RemoveCacheEntryRequest { id: id.to_string() }).await
        };
        self.call(Repeat::Never, send).await?;
        Ok(())
    }

    /// Imports a token cache of Microsoft's libraries for one application; `pieces` are the bytes of the file, in order. A
    /// `dry_run` only looks: done first, it makes sure that a damaged file changes nothing.
    pub async fn import_msal_cache(
        &self,
        application: &ApplicationName,
        dry_run: bool,
        pieces: impl Iterator<Item = Vec<u8>> + Send + 'static,
    ) -> Result<ImportReport, ClientError> {
        let first = v1::ImportMsalCacheRequest { application: application.to_string(), dry_run, ..Default::default() };
        let rest = pieces.map(|chunk| v1::ImportMsalCacheRequest { chunk, ..Default::default() });
        // A stream can be sent once only, and every attempt but the first finds none: the first is the only one.
        let stream = Mutex::new(Some(tokio_stream::iter(iter::once(first).chain(rest))));
        let send = |link| {
            let stream = stream.lock().unwrap_or_else(PoisonError::into_inner).take();
            async move {
                let stream = stream.ok_or_else(|| Status::unavailable("the connection broke during the import"))?;
                admin(link).import_msal_cache(stream).await
            }
        };
        Ok(self.call(Repeat::Never, send).await?.try_into()?)
    }

    /// Opens every sealed row of the store and checks the database itself.
    pub async fn verify_cache(&self) -> Result<Verification, ClientError> {
        let send = |link| async move { admin(link).verify_cache(v1::VerifyCacheRequest {}).await };
        let answer = self.call(Repeat::Harmless, send).await?;
        Ok(Verification { rows_checked: answer.rows_checked, problems: answer.problems })
    }

    /// The daemon's health; also while its store is locked.
    pub async fn status(&self) -> Result<DaemonStatus, ClientError> {
        let send = |link| async move { admin(link).get_status(v1::GetStatusRequest {}).await };
        Ok(self.call(Repeat::Harmless, send).await?.into())
    }

    /// What happened in the daemon since its start, counted: OpenMetrics text, which Prometheus reads.
    pub async fn metrics(&self) -> Result<String, ClientError> {
        let send = |link| async move { admin(link).get_metrics(v1::GetMetricsRequest {}).await };
        Ok(self.call(Repeat::Harmless, send).await?.text)
    }

    /// What is wrong with the daemon, its store and what they stand on, and what to do.
    pub async fn diagnose(&self) -> Result<Vec<Check>, ClientError> {
        let send = |link| async move { admin(link).diagnose(v1::DiagnoseRequest {}).await };
        let answer = self.call(Repeat::Harmless, send).await?;
        Ok(answer.checks.into_iter().map(Into::into).collect())
    }
}

fn application(wire: Option<v1::Application>) -> Result<Application, ClientError> {
    Ok(wire.ok_or(Incomplete("application"))?.try_into()?)
}

pub(crate) fn admin(link: Link) -> BrokerAdminClient<Link> {
    BrokerAdminClient::with_origin(link, origin()).max_decoding_message_size(MAX_ANSWER)
}
