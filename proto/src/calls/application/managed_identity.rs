//! A managed identity on the wire, and what an application that is one must not have: whatever belongs to a client of its own.

use super::NewApplication;
use crate::{
    Invalid,
    calls::{NewCredential, given},
    oauth::{Authority, ClientId, ManagedIdentity, ManagedIdentityId, ManagedIdentitySource},
    wire::v1,
};

pub(super) fn from_wire(wire: v1::ManagedIdentity) -> Result<ManagedIdentity, Invalid> {
    use v1::managed_identity::Id as Wire;
    let id = match wire.id {
        None => ManagedIdentityId::SystemAssigned,
        Some(Wire::ClientId(id)) => ManagedIdentityId::from_client_id(&id)?,
        Some(Wire::ResourceId(id)) => ManagedIdentityId::from_resource_id(&id)?,
        Some(Wire::ObjectId(id)) => ManagedIdentityId::from_object_id(&id)?,
    };
    Ok(ManagedIdentity { id, source: source(wire.source)? })
}

fn source(wire: i32) -> Result<Option<ManagedIdentitySource>, Invalid> {
    use v1::ManagedIdentitySource as Wire;
    let source = match Wire::try_from(wire) {
        Ok(Wire::Unspecified) => return Ok(None),
        Ok(Wire::ServiceFabric) => ManagedIdentitySource::ServiceFabric,
        Ok(Wire::AppService) => ManagedIdentitySource::AppService,
        Ok(Wire::MachineLearning) => ManagedIdentitySource::MachineLearning,
        Ok(Wire::AzureArc) => ManagedIdentitySource::AzureArc,
        Ok(Wire::CloudShell) => ManagedIdentitySource::CloudShell,
        Ok(Wire::Imds) => ManagedIdentitySource::Imds,
        Err(_) => return Err(Invalid::new("managed_identity.source", "is not a choice of this version")),
    };
    Ok(Some(source))
}

pub(super) fn to_wire(identity: &ManagedIdentity) -> v1::ManagedIdentity {
    use v1::{ManagedIdentitySource as Source, managed_identity::Id as Wire};
    let id = match &identity.id {
        ManagedIdentityId::SystemAssigned => None,
        ManagedIdentityId::ClientId(id) => Some(Wire::ClientId(id.to_string())),
        ManagedIdentityId::ResourceId(id) => Some(Wire::ResourceId(id.to_string())),
        ManagedIdentityId::ObjectId(id) => Some(Wire::ObjectId(id.to_string())),
    };
    let source = match identity.source {
        None => Source::Unspecified,
        Some(ManagedIdentitySource::ServiceFabric) => Source::ServiceFabric,
        Some(ManagedIdentitySource::AppService) => Source::AppService,
        Some(ManagedIdentitySource::MachineLearning) => Source::MachineLearning,
        Some(ManagedIdentitySource::AzureArc) => Source::AzureArc,
        Some(ManagedIdentitySource::CloudShell) => Source::CloudShell,
        Some(ManagedIdentitySource::Imds) => Source::Imds,
    };
    v1::ManagedIdentity { id, source: source.into() }
}

/// The client id of a request: of a managed identity its own, and then none may be given beside it.
pub(super) fn client_id(authority: &Authority, written: String) -> Result<ClientId, Invalid> {
    match (authority.managed_identity(), given(written)) {
        (Some(identity), None) => Ok(identity.client_id()),
        (Some(_), Some(_)) => Err(Invalid::new("client_id", "must be empty: a managed identity names itself")),
        (None, written) => ClientId::parse(&written.unwrap_or_default()),
    }
}

impl NewApplication {
    /// Whether it is one: a managed identity has no credential, no redirect URI and no grants, because it has no users.
    pub(super) fn consistent(self) -> Result<Self, Invalid> {
        let rule = "must not be given for a managed identity, which has neither users nor a credential of its own";
        if self.authority.managed_identity().is_none() {
            Ok(self)
        } else if !matches!(self.credential, NewCredential::None) {
            Err(Invalid::new("credential", rule))
        } else if self.redirect_uri.is_some() {
            Err(Invalid::new("redirect_uri", rule))
        } else if self.keep_alive.is_some() {
            Err(Invalid::new("keep_alive", rule))
        } else {
            Ok(self)
        }
    }
}
