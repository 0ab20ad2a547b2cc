//! Who issues an application's tokens, from one of the ways to say it on the command line or in an applied file.

use token_broker_client::{
    Invalid,
    oauth::{Authority, ClientId, Endpoints, ManagedIdentity, ManagedIdentityId, ManagedIdentitySource, provider_url},
};

/// The ways to name an authority; at most one may be given, none is Microsoft Entra ID's tenant `common`.
#[derive(Debug, Default)]
pub(crate) struct AuthorityTexts {
    /// Tenant of Microsoft Entra ID.
    pub(crate) tenant: Option<String>,
    /// Authority URL.
    pub(crate) authority: Option<String>,
    /// Issuer URL.
    pub(crate) issuer: Option<String>,
    /// Endpoints by hand.
    pub(crate) endpoints: Option<EndpointTexts>,
    /// A managed identity of the daemon's machine.
    pub(crate) managed_identity: Option<ManagedIdentityTexts>,
    /// Whether the owner vouches for the authority's host.
    pub(crate) no_instance_discovery: bool,
}

/// Endpoints of a provider without metadata.
#[derive(Debug)]
pub(crate) struct EndpointTexts {
    /// RFC 6749, section 3.2.
    pub(crate) token: String,
    /// RFC 6749, section 3.1.
    pub(crate) authorization: Option<String>,
    /// RFC 8628, section 3.1.
    pub(crate) device_authorization: Option<String>,
}

impl AuthorityTexts {
    /// The authority, if exactly one way or none was used.
    pub(crate) fn parse(self) -> Result<Authority, Invalid> {
        let is_vouched_for = self.no_instance_discovery;
        let authority = self.parse_one()?;
        if is_vouched_for { authority.without_instance_discovery() } else { Ok(authority) }
    }

    fn parse_one(self) -> Result<Authority, Invalid> {
        let mut found = Vec::with_capacity(1);
        found.extend(self.tenant.map(|tenant| Authority::from_tenant(&tenant)));
        found.extend(self.authority.map(|url| Authority::from_authority_url(&url)));
        found.extend(self.issuer.map(|url| Authority::from_issuer(&url)));
        found.extend(self.endpoints.map(EndpointTexts::parse));
        found.extend(self.managed_identity.map(ManagedIdentityTexts::parse));
        match (found.pop(), found.pop()) {
            (None, _) => Authority::from_tenant("common"),
            (Some(authority), None) => authority,
            (Some(_), Some(_)) => {
                let rule = "give only one of tenant, authority, issuer, endpoints and managed_identity";
                Err(Invalid::new("authority", rule))
            }
        }
    }
}

/// A managed identity: which one, and where its tokens come from.
#[derive(Debug, Default)]
pub(crate) struct ManagedIdentityTexts {
    /// Client id of one that a user assigned.
    pub(crate) client_id: Option<String>,
    /// Azure resource id of one that a user assigned.
    pub(crate) resource_id: Option<String>,
    /// Object id of one that a user assigned.
    pub(crate) object_id: Option<String>,
    /// Where its tokens come from.
    pub(crate) source: Option<String>,
}

impl ManagedIdentityTexts {
    fn parse(self) -> Result<Authority, Invalid> {
        let id = match (self.client_id, self.resource_id, self.object_id) {
            (None, None, None) => ManagedIdentityId::SystemAssigned,
            (Some(id), None, None) => ManagedIdentityId::from_client_id(&id)?,
            (None, Some(id), None) => ManagedIdentityId::from_resource_id(&id)?,
            (None, None, Some(id)) => ManagedIdentityId::from_object_id(&id)?,
            _ => return Err(Invalid::new("managed_identity", "give only one of client id, resource id and object id")),
        };
        let source = self.source.as_deref().map(ManagedIdentitySource::parse).transpose()?;
        Ok(Authority::ManagedIdentity(ManagedIdentity { id, source }))
    }
}

/// The client id that was given, which every application needs but a managed identity: that one names itself.
pub(crate) fn client_id(authority: &Authority, given: Option<String>) -> Result<ClientId, Invalid> {
    match (authority.managed_identity(), given) {
        (Some(identity), _) => Ok(identity.client_id()),
        (None, Some(text)) => ClientId::parse(&text),
        (None, None) => Err(Invalid::new("client_id", "must be given")),
    }
}

impl EndpointTexts {
    fn parse(self) -> Result<Authority, Invalid> {
        let optional = |field, url: Option<String>| url.map(|url| provider_url(field, &url)).transpose();
        Ok(Authority::Endpoints(Endpoints {
            token: provider_url("token_endpoint", &self.token)?,
            authorization: optional("authorization_endpoint", self.authorization)?,
            device_authorization: optional("device_authorization_endpoint", self.device_authorization)?,
        }))
    }
}
