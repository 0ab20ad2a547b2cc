//! The tenant that a token is of (MSAL's realm): the one that the provider's own token endpoint names, so that a domain and its
//! GUID are one. And a request's own tenant in place of the application's.

use std::sync::Arc;

use token_broker_proto::oauth::{Authority, CorrelationId};

use super::Desk;
use crate::{
    model::{DeskError, RegisteredApplication},
    store::StoredApplication,
};

impl Desk {
    /// The realm of an authority; empty where there are no tenants. Known without asking for all but a tenant that is written
    /// in words and was never asked about.
    pub(super) async fn realm(
        &self,
        authority: &Authority,
        correlation_id: CorrelationId,
    ) -> Result<String, DeskError> {
        let Authority::Microsoft(microsoft) = authority else { return Ok(String::new()) };
        if microsoft.is_tenant_literal() {
            return Ok(microsoft.path.clone());
        }
        // However old they are: the tenant behind a name does not change, and a cached token must not wait for the network.
        match self.vault.find_provider(authority)? {
            Some(kept) => Ok(kept.metadata.realm()),
            None => Ok(self.metadata(authority, correlation_id).await?.realm()),
        }
    }
}

/// The application as it is in another tenant; the client, and so the account and its grant, stay the same.
pub(super) fn in_tenant(
    stored: Arc<StoredApplication>,
    tenant: Option<&str>,
) -> Result<Arc<StoredApplication>, DeskError> {
    let Some(tenant) = tenant else { return Ok(stored) };
    let authority = stored.application.authority.with_tenant(tenant)?;
    let application = RegisteredApplication { authority, ..stored.application.clone() };
    Ok(Arc::new(StoredApplication { application, ..(*stored).clone() }))
}
