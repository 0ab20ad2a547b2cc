//! `token_broker.v1.BrokerAdmin` on the wire. Served on the owner's door only.

use std::sync::Arc;

use token_broker_proto::{
    calls::{CacheEntryId, NewApplication},
    oauth::ApplicationName,
    wire::v1::{self, broker_admin_server::BrokerAdmin},
};
use tonic::{Request, Response, Status, Streaming};

use super::{call::Call, import, token_broker::optional_name};
use crate::{acquire, admin::Desk, model::DeskError};

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

#[tonic::async_trait]
impl BrokerAdmin for Face {
    async fn add_application(
        &self,
        request: Request<v1::AddApplicationRequest>,
    ) -> Result<Response<v1::AddApplicationResponse>, Status> {
        let call = self.begin(&request, "AddApplication")?;
        call.answer(async {
            let new = NewApplication::try_from(request.into_inner())?;
            let (application, changed) = self.desk.add_application(&call.caller, new).await?;
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
            let removed = self.desk.remove_application(&call.caller, &named(&request.get_ref().name)?).await?;
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
            let entries = self.desk.list_cache_entries(&call.caller, name.as_ref())?;
            Ok(v1::ListCacheEntriesResponse { entries: entries.into_iter().map(Into::into).collect() })
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
            self.desk.remove_cache_entry(&call.caller, entry_id(&request.get_ref().id)?).await?;
            Ok(v1::RemoveCacheEntryResponse {})
        })
        .await
    }

    async fn import_msal_cache(
        &self,
        request: Request<Streaming<v1::ImportMsalCacheRequest>>,
    ) -> Result<Response<v1::ImportMsalCacheResponse>, Status> {
        let call = self.begin(&request, "ImportMsalCache")?;
        call.answer(import::arriving(request.into_inner(), |import| self.desk.import_msal_cache(&call.caller, import)))
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
        call.answer(async { self.desk.status(&call.caller) }).await
    }
}
