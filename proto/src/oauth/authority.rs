//! The authority: who issues the tokens. An OpenID Connect issuer (OpenID Connect Discovery 1.0), a tenant of Microsoft
//! Entra ID, or plain OAuth 2.0 endpoints given by hand (RFC 6749, section 3).

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
};

use url::{Host, Url};

use crate::Invalid;

/// Hosts of Microsoft Entra ID, public and national clouds.
const ENTRA_HOSTS: [&str; 6] = [
    "login.microsoftonline.com",
    "login.microsoft.com",
    "login.windows.net",
    "login.partner.microsoftonline.cn",
    "login.chinacloudapi.cn",
    "login.microsoftonline.us",
];

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
    /// A tenant of Microsoft Entra ID.
    MicrosoftEntra {
        /// Host of the cloud.
        host: String,
        /// GUID, domain, `common`, `organizations` or `consumers`.
        tenant: String,
    },
    /// A provider without metadata.
    Endpoints(Endpoints),
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
        if issuer.query().is_some() {
            return Err(Invalid::new("issuer", "must have no query (OpenID Connect Discovery 1.0, section 2)"));
        }
        Ok(Self::OpenIdConnect { issuer, text: text.to_owned() })
    }

    /// An authority URL in MSAL's sense: a Microsoft host with a tenant, else an issuer.
    pub fn from_url(text: &str) -> Result<Self, Invalid> {
        let url = provider_url("authority_url", text)?;
        let host = url.host_str().unwrap_or_default();
        if !ENTRA_HOSTS.contains(&host) {
            return Self::from_issuer(text).map_err(|invalid| Invalid::new("authority_url", invalid.rule));
        }
        let mut segments = url.path().trim_matches('/').split('/').filter(|segment| !segment.is_empty());
        match (segments.next(), segments.next()) {
            (Some(tenant), None | Some("v2.0")) => Self::entra(host, tenant),
            _ => Err(Invalid::new("authority_url", format!("must be https://{host}/TENANT"))),
        }
    }

    /// A tenant of Microsoft Entra ID's public cloud.
    pub fn from_tenant(tenant: &str) -> Result<Self, Invalid> {
        Self::entra("login.microsoftonline.com", tenant)
    }

    fn entra(host: &str, tenant: &str) -> Result<Self, Invalid> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        // `..` would be another path of the URL that the tenant is put into.
        let begins = tenant.starts_with(|c: char| c.is_ascii_alphanumeric());
        if !begins || tenant.len() > 253 || !tenant.chars().all(allowed) {
            return Err(Invalid::new("tenant", "must be a GUID, a domain, or common, organizations, consumers"));
        }
        Ok(Self::MicrosoftEntra { host: host.to_owned(), tenant: tenant.to_ascii_lowercase() })
    }

    /// Where accounts and grants of this authority live: its host, with the path of an issuer.
    #[must_use]
    pub fn environment(&self) -> String {
        match self {
            Self::OpenIdConnect { issuer, .. } => place(issuer),
            Self::MicrosoftEntra { host, .. } => host.clone(),
            Self::Endpoints(endpoints) => place(&endpoints.token),
        }
    }

    /// The tenant that access tokens are partitioned by; empty where there are no tenants.
    #[must_use]
    pub fn tenant(&self) -> &str {
        match self {
            Self::MicrosoftEntra { tenant, .. } => tenant,
            Self::OpenIdConnect { .. } | Self::Endpoints(_) => "",
        }
    }
}

/// The URL that names the authority; for endpoints given by hand, the token endpoint.
impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OpenIdConnect { text, .. } => f.write_str(text),
            Self::MicrosoftEntra { host, tenant } => write!(f, "https://{host}/{tenant}"),
            Self::Endpoints(endpoints) => endpoints.token.fmt(f),
        }
    }
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
