//! The authority: who issues the tokens. An OpenID Connect issuer (OpenID Connect Discovery 1.0), one of Microsoft's services,
//! or plain OAuth 2.0 endpoints given by hand (RFC 6749, section 3).

pub mod clouds;
mod microsoft;

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
};

use url::{Host, Url};

use super::{ManagedIdentity, ManagedIdentitySource};
use crate::Invalid;

pub use microsoft::{MicrosoftAuthority, MicrosoftKind, is_customer_host, is_guid};

/// Who issues the tokens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Authority {
    /// An OpenID Connect provider, by its issuer identifier.
    OpenIdConnect {
        /// The issuer as written, without a trailing slash added or removed.
        issuer: Url,
        /// The issuer's exact text: issuers are compared as strings.
        text: String,
    },
    /// One of Microsoft's services: Entra ID, an external tenant, B2C, AD FS, dSTS.
    Microsoft(MicrosoftAuthority),
    /// A provider without metadata.
    Endpoints(Endpoints),
    /// The machine that the daemon runs on, for a managed identity of it.
    ManagedIdentity(ManagedIdentity),
}

/// Endpoints given by hand.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoints {
    /// RFC 6749, section 3.2.
    pub token: Url,
    /// RFC 6749, section 3.1.
    pub authorization: Option<Url>,
    /// RFC 8628, section 3.1.
    pub device_authorization: Option<Url>,
}

impl Authority {
    /// An issuer URL: `https`, or `http` on a loopback host; no query, fragment or user.
    pub fn from_issuer(text: &str) -> Result<Self, Invalid> {
        let issuer = provider_url("issuer", text)?;
        no_metadata_url("issuer", &issuer)?;
        if issuer.query().is_some() {
            return Err(Invalid::new("issuer", "must have no query (OpenID Connect Discovery 1.0, section 2)"));
        }
        Ok(Self::OpenIdConnect { issuer, text: text.to_owned() })
    }

    /// An authority URL in MSAL's sense. A host that is not known is taken for one of Microsoft Entra ID, which is then asked
    /// whether it knows it.
    pub fn from_authority_url(text: &str) -> Result<Self, Invalid> {
        let url = provider_url("authority_url", text)?;
        no_metadata_url("authority_url", &url)?;
        MicrosoftAuthority::from_url(&url).map(Self::Microsoft)
    }

    /// The authority that a URL names, where it may be of either kind: what is recognizably Microsoft's, else an issuer.
    pub fn from_url(text: &str) -> Result<Self, Invalid> {
        let url = provider_url("authority_url", text)?;
        no_metadata_url("authority_url", &url)?;
        if microsoft::is_recognizable(&url) {
            return MicrosoftAuthority::from_url(&url).map(Self::Microsoft);
        }
        Self::from_issuer(text).map_err(|invalid| Invalid::new("authority_url", invalid.rule))
    }

    /// A tenant of Microsoft Entra ID's public cloud.
    pub fn from_tenant(tenant: &str) -> Result<Self, Invalid> {
        MicrosoftAuthority::entra("login.microsoftonline.com", tenant, "tenant").map(Self::Microsoft)
    }

    /// The same, with the owner's word for its host: no instance discovery.
    pub fn without_instance_discovery(self) -> Result<Self, Invalid> {
        match self {
            Self::Microsoft(authority) => Ok(Self::Microsoft(MicrosoftAuthority { is_vouched_for: true, ..authority })),
            Self::OpenIdConnect { .. } | Self::Endpoints(_) | Self::ManagedIdentity(_) => {
                let rule = "is for an authority of Microsoft: no other has instance discovery";
                Err(Invalid::new("no_instance_discovery", rule))
            }
        }
    }

    /// The same in another tenant, which only Microsoft Entra ID has.
    pub fn with_tenant(&self, tenant: &str) -> Result<Self, Invalid> {
        match self {
            Self::Microsoft(authority) => authority.with_tenant(tenant).map(Self::Microsoft),
            Self::OpenIdConnect { .. } | Self::Endpoints(_) | Self::ManagedIdentity(_) => {
                Err(Invalid::new("tenant", "needs an application of Microsoft Entra ID"))
            }
        }
    }

    /// Whether instance discovery is left out.
    #[must_use]
    pub fn is_vouched_for(&self) -> bool {
        matches!(self, Self::Microsoft(authority) if authority.is_vouched_for)
    }

    /// Where accounts and grants of this authority live: its host, with the path of an issuer; at Microsoft the one name of its
    /// cloud.
    #[must_use]
    pub fn environment(&self) -> String {
        match self {
            Self::OpenIdConnect { issuer, .. } => place(issuer),
            Self::Microsoft(authority) => authority.cloud.clone(),
            Self::Endpoints(endpoints) => place(&endpoints.token),
            Self::ManagedIdentity(_) => ManagedIdentity::ENVIRONMENT.to_owned(),
        }
    }

    /// The tenant as it is written; empty where there are no tenants.
    #[must_use]
    pub fn tenant(&self) -> String {
        match self {
            Self::Microsoft(authority) => authority.tenant(),
            Self::OpenIdConnect { .. } | Self::Endpoints(_) | Self::ManagedIdentity(_) => String::new(),
        }
    }

    /// The managed identity, if the authority is the machine itself.
    #[must_use]
    pub fn managed_identity(&self) -> Option<&ManagedIdentity> {
        match self {
            Self::ManagedIdentity(identity) => Some(identity),
            Self::OpenIdConnect { .. } | Self::Microsoft(_) | Self::Endpoints(_) => None,
        }
    }

    /// What tells two registrations apart: the URL, with the one name of its cloud for every host of it; of a managed identity, the
    /// kind of its id and its source.
    #[must_use]
    pub fn registered_as(&self) -> String {
        match self {
            Self::Microsoft(authority) if authority.is_well_known() => {
                MicrosoftAuthority { host: authority.cloud.clone(), ..authority.clone() }.to_string()
            }
            Self::ManagedIdentity(identity) => {
                format!("{self} {} {}", identity.id.kind(), identity.source.map_or("", ManagedIdentitySource::as_str))
            }
            other => other.to_string(),
        }
    }
}

/// The URL that names the authority; for endpoints given by hand, the token endpoint. A managed identity has none: a word stands
/// there.
impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OpenIdConnect { text, .. } => f.write_str(text),
            Self::Microsoft(authority) => authority.fmt(f),
            Self::Endpoints(endpoints) => endpoints.token.fmt(f),
            Self::ManagedIdentity(_) => f.write_str(ManagedIdentity::REALM),
        }
    }
}

/// No issuer is where its metadata are (RFC 8615): a URL from a browser's address line was pasted.
fn no_metadata_url(field: &'static str, url: &Url) -> Result<(), Invalid> {
    if url.path().contains("/.well-known/") {
        return Err(Invalid::new(field, "is the URL of the metadata; give it without /.well-known/ and what follows"));
    }
    Ok(())
}

/// Host, port unless it is the default one, and path.
fn place(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{host}{port}{}", url.path().trim_end_matches('/'))
}

/// A URL that the broker may send secrets to: `https`, or `http` on a loopback host; no fragment, no user.
pub fn provider_url(field: &'static str, text: &str) -> Result<Url, Invalid> {
    // The parser drops or escapes them, so the text that is kept and shown would be another one.
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(Invalid::new(field, "must have no spaces and no control characters"));
    }
    let url = Url::parse(text).map_err(|error| Invalid::new(field, format!("not a URL: {error}")))?;
    let secure = match (url.scheme(), url.host()) {
        ("https", Some(_)) => true,
        ("http", Some(Host::Domain(name))) => name == "localhost",
        ("http", Some(Host::Ipv4(ip))) => Ipv4Addr::is_loopback(&ip),
        ("http", Some(Host::Ipv6(ip))) => Ipv6Addr::is_loopback(&ip),
        _ => false,
    };
    if !secure {
        return Err(Invalid::new(field, "must be an https URL (http is for a loopback host only)"));
    }
    if url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err(Invalid::new(field, "must have no fragment and no user name or password"));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::Authority;

    fn environment(text: &str) -> String {
        Authority::from_url(text).map_or_else(|invalid| invalid.to_string(), |authority| authority.environment())
    }

    #[test]
    fn an_issuer_lives_at_host_and_path() {
        assert_eq!(environment("https://id.example:8443/realms/a/"), "id.example:8443/realms/a");
        assert_eq!(environment("https://login.microsoftonline.com/Contoso.com"), "login.microsoftonline.com");
    }

    #[test]
    fn a_text_is_kept_only_as_it_was_understood() {
        for text in
            ["\0https://id.example", " https://id.example", "https://id.\nexample", "https://id.example/\u{1b}[2J"]
        {
            assert!(Authority::from_issuer(text).is_err() && Authority::from_url(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_url_of_the_metadata_is_no_issuer() {
        for url in ["https://id.example/a/.well-known/openid-configuration", "https://sts.example/adfs/.well-known/x"] {
            assert!(Authority::from_issuer(url).is_err() && Authority::from_authority_url(url).is_err(), "{url}");
            assert!(Authority::from_url(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_tenant_is_no_path() {
        for tenant in ["", ".", "..", ".contoso.com", "a/b", "a%2fb"] {
            assert!(Authority::from_tenant(tenant).is_err(), "{tenant:?}");
        }
        assert!(Authority::from_tenant("contoso.com").is_ok());
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
        assert!(Authority::from_issuer("http://127.0.0.1:8080").is_ok());
        assert!(Authority::from_issuer("http://[::1]:8080").is_ok());
        assert!(Authority::from_issuer("http://id.example").is_err());
        assert!(Authority::from_issuer("http://localhost.example").is_err());
    }
}
