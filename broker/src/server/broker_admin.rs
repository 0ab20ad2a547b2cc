//! `token_broker.v1.BrokerAdmin` on the wire. Served on the owner's door only.

use std::sync::Arc;

use token_broker_proto::{
    calls::{CacheEntryId, DaemonStatus, Event, NewApplication},
    oauth::ApplicationName,
    wire::v1::{self, broker_admin_server::BrokerAdmin},
};
use tonic::{Request, Response, Status, Streaming};

use super::{
    call::Call,
    import,
    token_broker::optional_name,
    watch::{self, Answers},
};
use crate::{
    acquire,
    admin::{Desk, Registration},
    model::DeskError,
};

/// Most entries of the cache in one answer: it is put on the wire in a fraction of a millisecond.
const MAX_PAGE: usize = 1000;

/// The face.
pub(super) struct Face {
    desk: Arc<Desk>,
    acquire: Arc<acquire::Desk>,
}

impl Face {
    pub(super) fn new(desk: Arc<Desk>, acquire: Arc<acquire::Desk>) -> Self {
        Self { desk, acquire }
    }

    fn begin<W>(&self, request: &Request<W>, rpc: &'static str) -> Result<Call, Status> {
        Call::begin(request, rpc, "", &self.acquire)
    }
}

fn named(text: &str) -> Result<ApplicationName, DeskError> {
    Ok(ApplicationName::parse("name", text)?)
}

fn entry_id(text: &str) -> Result<CacheEntryId, DeskError> {
    Ok(text.parse()?)
}

/// After which entry a page begins, and how many rows are looked at for it.
fn page(request: &v1::ListCacheEntriesRequest) -> Result<(Option<CacheEntryId>, usize), DeskError> {
    let size = usize::try_from(request.page_size)
        .map_err(|_| token_broker_proto::Invalid::new("page_size", "must not be negative"))?;
    let wrong = |_| token_broker_proto::Invalid::new("page_token", "must be the next_page_token of another page");
    let after = Some(&request.page_token).filter(|token| !token.is_empty());
    let after = after.map(|token| token.parse().map_err(wrong)).transpose()?;
    Ok((after, if size == 0 { MAX_PAGE } else { size.min(MAX_PAGE) }))
}

#[tonic::async_trait]
impl BrokerAdmin for Face {
    type WatchEventsStream = Answers<v1::WatchEventsResponse>;

    async fn add_application(
        &self,
        request: Request<v1::AddApplicationRequest>,
    ) -> Result<Response<v1::AddApplicationResponse>, Status> {
        let call = self.begin(&request, "AddApplication")?;
        call.answer(async {
            let new = NewApplication::try_from(request.into_inner())?;
            let (desk, caller) = (Arc::clone(&self.desk), call.caller.clone());
            let change = async move {
                let (application, registration) = desk.add_application(&caller, new).await?;
                let event = match registration {
                    Registration::Added => Some(Event::ApplicationAdded(application.name.clone())),
                    Registration::Replaced => Some(Event::ApplicationReplaced(application.name.clone())),
                    Registration::Unchanged => None,
                };
                Ok(((application, registration), event))
            };
            let (application, registration) = self.acquire.see_through(change).await?;
            let changed = registration != Registration::Unchanged;
            Ok(v1::AddApplicationResponse { application: Some(application.into()), changed })
        })
        .await
    }

    async fn list_applications(
        &self,
        request: Request<v1::ListApplicationsRequest>,
    ) -> Result<Response<v1::ListApplicationsResponse>, Status> {
        let call = self.begin(&request, "ListApplications")?;
        call.answer(async {
            let applications = self.desk.list_applications(&call.caller)?;
            Ok(v1::ListApplicationsResponse { applications: applications.into_iter().map(Into::into).collect() })
        })
        .await
    }

    async fn get_application(
        &self,
        request: Request<v1::GetApplicationRequest>,
    ) -> Result<Response<v1::GetApplicationResponse>, Status> {
        let call = self.begin(&request, "GetApplication")?;
        call.answer(async {
            let application = self.desk.show_application(&call.caller, &named(&request.get_ref().name)?)?;
            Ok(v1::GetApplicationResponse { application: Some(application.into()) })
        })
        .await
    }

    async fn remove_application(
        &self,
        request: Request<v1::RemoveApplicationRequest>,
    ) -> Result<Response<v1::RemoveApplicationResponse>, Status> {
        let call = self.begin(&request, "RemoveApplication")?;
        call.answer(async {
            let (desk, caller, name) = (Arc::clone(&self.desk), call.caller.clone(), named(&request.get_ref().name)?);
            let change = async move {
                let removed = desk.remove_application(&caller, &name).await?;
                Ok((removed, Some(Event::ApplicationRemoved(name.to_string()))))
            };
            let removed = self.acquire.see_through(change).await?;
            Ok(v1::RemoveApplicationResponse { accounts_removed: removed.accounts, tokens_removed: removed.tokens })
        })
        .await
    }

    async fn list_cache_entries(
        &self,
        request: Request<v1::ListCacheEntriesRequest>,
    ) -> Result<Response<v1::ListCacheEntriesResponse>, Status> {
        let call = self.begin(&request, "ListCacheEntries")?;
        call.answer(async {
            let name = optional_name(&request.get_ref().application)?;
            let (after, most) = page(request.get_ref())?;
            let (entries, next) = self.desk.list_cache_entries(&call.caller, name.as_ref(), after, most).await?;
            let next_page_token = next.map(|next| next.to_string()).unwrap_or_default();
            Ok(v1::ListCacheEntriesResponse { entries: entries.into_iter().map(Into::into).collect(), next_page_token })
        })
        .await
    }

    async fn get_cache_entry(
        &self,
        request: Request<v1::GetCacheEntryRequest>,
    ) -> Result<Response<v1::GetCacheEntryResponse>, Status> {
        let call = self.begin(&request, "GetCacheEntry")?;
        call.answer(async {
            let entry = self.desk.show_cache_entry(&call.caller, entry_id(&request.get_ref().id)?)?;
            Ok(v1::GetCacheEntryResponse { entry: Some(entry.into()) })
        })
        .await
    }

    async fn remove_cache_entry(
        &self,
        request: Request<v1::RemoveCacheEntryRequest>,
    ) -> Result<Response<v1::RemoveCacheEntryResponse>, Status> {
        let call = self.begin(&request, "RemoveCacheEntry")?;
        call.answer(async {
            let (desk, caller, id) = (Arc::clone(&self.desk), call.caller.clone(), entry_id(&request.get_ref().id)?);
            let change = async move {
                desk.remove_cache_entry(&caller, id).await?;
                Ok(((), Some(Event::CacheEntryRemoved(id))))
            };
            self.acquire.see_through(change).await?;
            Ok(v1::RemoveCacheEntryResponse {})
        })
        .await
    }

    async fn import_msal_cache(
        &self,
        request: Request<Streaming<v1::ImportMsalCacheRequest>>,
    ) -> Result<Response<v1::ImportMsalCacheResponse>, Status> {
        // A stop ends it: what is taken is taken, and importing again is harmless.
        let call = self.begin(&request, "ImportMsalCache")?.waits_only();
        call.answer(import::arriving(request.into_inner(), async |import| {
            // Also when its caller hangs up: what is taken is taken.
            let _told = (!import.dry_run).then(|| self.acquire.upheaval());
            self.desk.import_msal_cache(&call.caller, import).await
        }))
        .await
    }

    async fn verify_cache(
        &self,
        request: Request<v1::VerifyCacheRequest>,
    ) -> Result<Response<v1::VerifyCacheResponse>, Status> {
        let call = self.begin(&request, "VerifyCache")?;
        call.answer(async {
            let report = self.desk.verify_cache(&call.caller).await?;
            Ok(v1::VerifyCacheResponse { rows_checked: report.rows_checked, problems: report.problems })
        })
        .await
    }

    async fn get_status(
        &self,
        request: Request<v1::GetStatusRequest>,
    ) -> Result<Response<v1::GetStatusResponse>, Status> {
        let call = self.begin(&request, "GetStatus")?;
        call.answer(async {
            let status = self.desk.status(&call.caller)?;
            Ok(DaemonStatus { grants: self.acquire.grants(&call.caller)?, ..status })
        })
        .await
    }

    async fn watch_events(
        &self,
        request: Request<v1::WatchEventsRequest>,
    ) -> Result<Response<Self::WatchEventsStream>, Status> {
        watch::events(&self.acquire, &request)
    }

    async fn get_metrics(
        &self,
        request: Request<v1::GetMetricsRequest>,
    ) -> Result<Response<v1::GetMetricsResponse>, Status> {
        let call = self.begin(&request, "GetMetrics")?;
        call.answer(async { Ok(v1::GetMetricsResponse { text: self.desk.metrics(&call.caller)? }) }).await
    }

    async fn diagnose(&self, request: Request<v1::DiagnoseRequest>) -> Result<Response<v1::DiagnoseResponse>, Status> {
        let call = self.begin(&request, "Diagnose")?;
        call.answer(async {
            let checks = self.desk.diagnose(&call.caller).await;
            Ok(v1::DiagnoseResponse { checks: checks.into_iter().map(Into::into).collect() })
        })
        .await
    }
}
