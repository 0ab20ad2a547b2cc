//! A managed identity of Azure: which one, and where the machine gives out its tokens. It takes the place of an authority and of a
//! credential: both belong to the machine.

use std::fmt;

use super::ClientId;
use crate::Invalid;

/// What stands in an application's place for the one that the system assigned, which has no id of its own here.
const SYSTEM_ASSIGNED: &str = "SYSTEM_ASSIGNED_MANAGED_IDENTITY";

/// A managed identity of the daemon's machine.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ManagedIdentity {
    /// Which one.
    pub id: ManagedIdentityId,
    /// Where its tokens come from; `None` for where the daemon's environment says.
    pub source: Option<ManagedIdentitySource>,
}

/// What a managed identity is named by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ManagedIdentityId {
    /// The one that the system assigned.
    SystemAssigned,
    /// One that a user assigned, by its client id.
    ClientId(ClientId),
    /// One that a user assigned, by its Azure resource id.
    ResourceId(ClientId),
    /// One that a user assigned, by its object id.
    ObjectId(ClientId),
}

/// Where a machine gives out tokens of managed identities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ManagedIdentitySource {
    /// Azure Service Fabric.
    ServiceFabric,
    /// Azure App Service, Functions, Container Apps, Automation.
    AppService,
    /// Azure Machine Learning.
    MachineLearning,
    /// Azure Arc: a server that is not in Azure.
    AzureArc,
    /// Azure Cloud Shell.
    CloudShell,
    /// Instance Metadata Service of a virtual machine.
    Imds,
}

impl ManagedIdentity {
    /// Its environment in the cache, as MSAL has it.
    pub const ENVIRONMENT: &str = "localhost";
    /// Its realm in the cache, as MSAL has it; and what is shown for its authority.
    pub const REALM: &str = "managed_identity";

    /// The client that it is here: its id, whatever kind of id that is.
    #[must_use]
    pub fn client_id(&self) -> ClientId {
        match &self.id {
            ManagedIdentityId::SystemAssigned => ClientId::constant(SYSTEM_ASSIGNED),
            ManagedIdentityId::ClientId(id) | ManagedIdentityId::ResourceId(id) | ManagedIdentityId::ObjectId(id) => {
                id.clone()
            }
        }
    }
}

impl ManagedIdentityId {
    /// The kind of id, as a word.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::SystemAssigned => "system_assigned",
            Self::ClientId(_) => "client_id",
            Self::ResourceId(_) => "resource_id",
            Self::ObjectId(_) => "object_id",
        }
    }

    /// By a client id.
    pub fn from_client_id(text: &str) -> Result<Self, Invalid> {
        id("managed_identity.client_id", text).map(Self::ClientId)
    }

    /// By an Azure resource id.
    pub fn from_resource_id(text: &str) -> Result<Self, Invalid> {
        id("managed_identity.resource_id", text).map(Self::ResourceId)
    }

    /// By an object id.
    pub fn from_object_id(text: &str) -> Result<Self, Invalid> {
        id("managed_identity.object_id", text).map(Self::ObjectId)
    }
}

fn id(field: &'static str, text: &str) -> Result<ClientId, Invalid> {
    ClientId::parse(text).map_err(|_| Invalid::new(field, "must be 1 to 512 printable ASCII characters"))
}

impl ManagedIdentitySource {
    /// Every one, in the order in which they are looked for.
    pub const ALL: [Self; 6] =
        [Self::ServiceFabric, Self::AppService, Self::MachineLearning, Self::AzureArc, Self::CloudShell, Self::Imds];

    /// As it is written on the command line and shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ServiceFabric => "service-fabric",
            Self::AppService => "app-service",
            Self::MachineLearning => "machine-learning",
            Self::AzureArc => "azure-arc",
            Self::CloudShell => "cloud-shell",
            Self::Imds => "imds",
        }
    }

    /// As it is written.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        Self::ALL.into_iter().find(|source| source.as_str() == text).ok_or_else(|| {
            let all: Vec<_> = Self::ALL.into_iter().map(Self::as_str).collect();
            Invalid::new("managed_identity.source", format!("must be one of {}", all.join(", ")))
        })
    }
}

impl fmt::Display for ManagedIdentitySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::{ManagedIdentity, ManagedIdentityId, ManagedIdentitySource};

    #[test]
    fn every_source_reads_back() {
        for source in ManagedIdentitySource::ALL {
            assert_eq!(ManagedIdentitySource::parse(source.as_str()).ok(), Some(source));
        }
        let refused = ManagedIdentitySource::parse("vm").expect_err("not a source");
        assert!(refused.rule.contains("app-service, machine-learning"), "{refused}");
    }

    #[test]
    fn its_id_is_its_client() {
        let client = |id| ManagedIdentity { id, source: None }.client_id().to_string();
        assert_eq!(client(ManagedIdentityId::SystemAssigned), "SYSTEM_ASSIGNED_MANAGED_IDENTITY");
        assert_eq!(client(ManagedIdentityId::from_object_id("o-1").expect("an id")), "o-1");
        assert!(ManagedIdentityId::from_resource_id("").is_err());
    }
}
