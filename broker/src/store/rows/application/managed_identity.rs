//! A managed identity as it is stored with its application.

use serde::{Deserialize, Serialize};
use token_broker_proto::oauth::{ManagedIdentity, ManagedIdentityId, ManagedIdentitySource};

/// Which one, and `s`ource as it is written; none where the environment says.
#[derive(Serialize, Deserialize)]
pub(super) struct ManagedIdentityRecord {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<IdRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    s: Option<String>,
}

/// The kind of id of one that a user assigned.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum IdRecord {
    Client(String),
    Resource(String),
    Object(String),
}

pub(super) fn record(identity: &ManagedIdentity) -> ManagedIdentityRecord {
    let id = match &identity.id {
        ManagedIdentityId::SystemAssigned => None,
        ManagedIdentityId::ClientId(id) => Some(IdRecord::Client(id.to_string())),
        ManagedIdentityId::ResourceId(id) => Some(IdRecord::Resource(id.to_string())),
        ManagedIdentityId::ObjectId(id) => Some(IdRecord::Object(id.to_string())),
    };
    ManagedIdentityRecord { id, s: identity.source.map(|source| source.to_string()) }
}

pub(super) fn managed_identity(record: &ManagedIdentityRecord) -> Option<ManagedIdentity> {
    let id = match &record.id {
        None => ManagedIdentityId::SystemAssigned,
        Some(IdRecord::Client(id)) => ManagedIdentityId::from_client_id(id).ok()?,
        Some(IdRecord::Resource(id)) => ManagedIdentityId::from_resource_id(id).ok()?,
        Some(IdRecord::Object(id)) => ManagedIdentityId::from_object_id(id).ok()?,
    };
    let source = record.s.as_deref().map(ManagedIdentitySource::parse).transpose().ok()?;
    Some(ManagedIdentity { id, source })
}
