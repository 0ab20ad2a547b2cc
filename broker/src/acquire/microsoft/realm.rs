//! The tenant that a token is of (MSAL's realm): the one that the provider's own token endpoint names, so that a domain and its
//! GUID are one. And a request's own tenant in place of the application's.

use std::sync::Arc;

use token_broker_proto::oauth::{Authority, CorrelationId, ManagedIdentity};

use crate::acquire::Desk;
use crate::{
    model::{DeskError, RegisteredApplication},
    store::StoredApplication,
};

impl Desk {
    /// The realm of an authority; empty where there are no tenants. Known without asking for all but a tenant that is written
    /// in words and was never asked about.
    pub(in crate::acquire) async fn realm(
        &self,
        authority: &Authority,
        correlation_id: CorrelationId,
    ) -> Result<String, DeskError> {
        match self.known_realm(authority)? {
            Some(realm) => Ok(realm),
            None => Ok(self.metadata(authority, correlation_id).await?.realm()),
        }
    }

    /// The same without asking anybody: where nothing is known, the tenant as it is written.
    pub(in crate::acquire) fn kept_realm(&self, authority: &Authority) -> Result<String, DeskError> {
        Ok(self.known_realm(authority)?.unwrap_or_else(|| authority.tenant()))
    }

    fn known_realm(&self, authority: &Authority) -> Result<Option<String>, DeskError> {
        let microsoft = match authority {
            Authority::Microsoft(microsoft) => microsoft,
            Authority::ManagedIdentity(_) => return Ok(Some(ManagedIdentity::REALM.to_owned())),
            Authority::OpenIdConnect { .. } | Authority::Endpoints(_) => return Ok(Some(String::new())),
        };
        if microsoft.is_tenant_literal() {
            return Ok(Some(microsoft.path.clone()));
        }
        // However old they are: the tenant behind a name does not change, and a cached token must not wait for the network.
        Ok(self.vault.find_realm(authority)?)
    }
}

/// The application as it is in another tenant; the client, and so the account and its grant, stay the same.
pub(in crate::acquire) fn in_tenant(
    stored: Arc<StoredApplication>,
    tenant: Option<&str>,
) -> Result<Arc<StoredApplication>, DeskError> {
    let Some(tenant) = tenant else { return Ok(stored) };
    let authority = stored.application.authority.with_tenant(tenant)?;
    let application = RegisteredApplication { authority, ..stored.application.clone() };
    Ok(Arc::new(StoredApplication { application, ..(*stored).clone() }))
}
