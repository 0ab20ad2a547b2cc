//! Who issues an application's tokens, from one of the four ways to say it on the command line or in an applied file.

use token_broker_client::{
    Invalid,
    oauth::{Authority, Endpoints, provider_url},
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
        match self {
            Self { tenant: None, authority: None, issuer: None, endpoints: None, .. } => {
                Authority::from_tenant("common")
            }
            Self { tenant: Some(tenant), authority: None, issuer: None, endpoints: None, .. } => {
                Authority::from_tenant(&tenant)
            }
            Self { tenant: None, authority: Some(url), issuer: None, endpoints: None, .. } => {
                Authority::from_authority_url(&url)
            }
            Self { tenant: None, authority: None, issuer: Some(url), endpoints: None, .. } => {
                Authority::from_issuer(&url)
            }
            Self { tenant: None, authority: None, issuer: None, endpoints: Some(endpoints), .. } => endpoints.parse(),
            _ => Err(Invalid::new("authority", "give only one of tenant, authority, issuer and endpoints")),
        }
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
