//! An authority of Microsoft, by its URL: Entra ID in any cloud, external tenants, B2C policies, AD FS and dSTS, told apart by
//! host and path as MSAL does.

use std::fmt;

use url::Url;

use super::clouds;
use crate::Invalid;

/// Hosts of B2C and of external tenants; a tenant is a label in front of one.
const CUSTOMER_HOSTS: [&str; 5] = ["b2clogin.com", "b2clogin.cn", "b2clogin.us", "b2clogin.de", EXTERNAL_HOST];
/// Host of external tenants.
const EXTERNAL_HOST: &str = "ciamlogin.com";

/// What kind of service it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MicrosoftKind {
    /// Microsoft Entra ID, of any cloud.
    EntraId,
    /// An external tenant (`TENANT.ciamlogin.com`).
    External,
    /// A policy of Azure AD B2C.
    B2c,
    /// Active Directory Federation Services on premises.
    AdFs,
    /// The datacenter security token service.
    Dsts,
}

/// An authority of Microsoft.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MicrosoftAuthority {
    /// What kind it is.
    pub kind: MicrosoftKind,
    /// Its host in lower case, with a port unless that is the default one.
    pub host: String,
    /// Its path without the slashes around it, such as `TENANT`, `TENANT/POLICY` or `adfs`; empty for an external tenant that
    /// is named by its host alone.
    pub path: String,
    /// The one name that every host of its cloud goes by; accounts and tokens are kept under it.
    pub cloud: String,
    /// The owner vouches for the host: the provider is not asked whether it knows it, nor for other names of it.
    pub is_vouched_for: bool,
}

impl MicrosoftAuthority {
    /// Reads an authority URL in MSAL's sense.
    pub(super) fn from_url(url: &Url) -> Result<Self, Invalid> {
        let invalid = |rule: String| Invalid::new("authority_url", rule);
        let host = place(url);
        if url.scheme() != "https" || url.query().is_some() {
            return Err(invalid("must be https://HOST/TENANT, without a query".to_owned()));
        }
        let path = url.path().trim_matches('/');
        let kind = kind(&host, path);
        let path = if kind == MicrosoftKind::EntraId { path.strip_suffix("/v2.0").unwrap_or(path) } else { path };
        match (kind, path.is_empty(), path.contains('/')) {
            (MicrosoftKind::EntraId, _, true) => Err(invalid(format!("must be https://{host}/TENANT"))),
            (MicrosoftKind::EntraId, ..) => Self::entra(&host, path, "authority_url"),
            (MicrosoftKind::External, true, _) | (_, false, _) => {
                Ok(Self { kind, path: path.to_owned(), cloud: clouds::name(&host), host, is_vouched_for: false })
            }
            (..) => Err(invalid(format!("must be https://{host}/TENANT/POLICY"))),
        }
    }

    /// A tenant of Microsoft Entra ID.
    pub(super) fn entra(host: &str, tenant: &str, field: &'static str) -> Result<Self, Invalid> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        // `..` would be another path of the URL that the tenant is put into.
        let begins = tenant.starts_with(|c: char| c.is_ascii_alphanumeric());
        // These name other services at the same place of the URL.
        let is_service = ["adfs", "dstsv2"].iter().any(|service| tenant.eq_ignore_ascii_case(service));
        if !begins || is_service || tenant.len() > 253 || !tenant.chars().all(allowed) {
            let rule = "must be a GUID, a domain, or common, organizations, consumers";
            let whose = if field == "tenant" { "" } else { "its tenant " };
            return Err(Invalid::new(field, format!("{whose}{rule}")));
        }
        Ok(Self {
            kind: MicrosoftKind::EntraId,
            host: host.to_owned(),
            path: tenant.to_ascii_lowercase(),
            cloud: clouds::name(host),
            is_vouched_for: false,
        })
    }

    /// The tenant as it is written: a segment of the path, or of an external tenant's host.
    #[must_use]
    pub fn tenant(&self) -> String {
        let mut segments = self.path.split('/');
        match (self.kind, segments.next().unwrap_or_default()) {
            (MicrosoftKind::External, "") => {
                let label = self.host.strip_suffix(EXTERNAL_HOST).unwrap_or_default();
                format!("{label}onmicrosoft.com")
            }
            (MicrosoftKind::B2c, "tfp") => segments.next().unwrap_or_default().to_owned(),
            (_, first) => first.to_owned(),
        }
    }

    /// Whether the tenant is written the way that the provider itself writes it, in tokens and endpoints: a GUID, or one of the
    /// names that stand for many tenants.
    #[must_use]
    pub fn is_tenant_literal(&self) -> bool {
        self.kind == MicrosoftKind::EntraId
            && (is_guid(&self.path) || matches!(self.path.as_str(), "common" | "organizations" | "consumers"))
    }

    /// Whether its host is one of Microsoft's own, known beforehand.
    #[must_use]
    pub fn is_well_known(&self) -> bool {
        clouds::is_well_known(&self.host)
    }

    /// The same with another tenant; only Entra ID and its external tenants have several on one host.
    pub fn with_tenant(&self, tenant: &str) -> Result<Self, Invalid> {
        match self.kind {
            MicrosoftKind::EntraId | MicrosoftKind::External => {
                let path = Self::entra(&self.host, tenant, "tenant")?.path;
                Ok(Self { path, ..self.clone() })
            }
            MicrosoftKind::B2c | MicrosoftKind::AdFs | MicrosoftKind::Dsts => {
                Err(Invalid::new("tenant", "needs an application of Microsoft Entra ID"))
            }
        }
    }
}

/// The URL, without a slash at its end.
impl fmt::Display for MicrosoftAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slash = if self.path.is_empty() { "" } else { "/" };
        write!(f, "https://{}{slash}{}", self.host, self.path)
    }
}

/// Whether the path or the host tells by itself that this is Microsoft's.
pub(super) fn is_recognizable(url: &Url) -> bool {
    let host = place(url);
    let kind = kind(&host, url.path().trim_matches('/'));
    url.scheme() == "https" && (kind != MicrosoftKind::EntraId || clouds::is_well_known(&host))
}

/// Whether this is a host of B2C or of external tenants.
#[must_use]
pub fn is_customer_host(host: &str) -> bool {
    CUSTOMER_HOSTS.iter().any(|suffix| is_under(host, suffix))
}

/// Whether this text has the form of a GUID.
#[must_use]
pub fn is_guid(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

fn kind(host: &str, path: &str) -> MicrosoftKind {
    let path = path.to_ascii_lowercase();
    let segments: Vec<&str> = path.split('/').collect();
    match segments.as_slice() {
        _ if is_under(host, EXTERNAL_HOST) => MicrosoftKind::External,
        ["adfs", ..] => MicrosoftKind::AdFs,
        ["dstsv2", ..] => MicrosoftKind::Dsts,
        _ if is_customer_host(host) => MicrosoftKind::B2c,
        ["tfp", _, _] => MicrosoftKind::B2c,
        [_, policy] if policy.starts_with("b2c_") => MicrosoftKind::B2c,
        _ => MicrosoftKind::EntraId,
    }
}

fn is_under(host: &str, suffix: &str) -> bool {
    host.strip_suffix(suffix).is_some_and(|label| label.len() > 1 && label.ends_with('.'))
}

fn place(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::{MicrosoftAuthority, MicrosoftKind};
    use crate::oauth::Authority;

    fn read(text: &str) -> MicrosoftAuthority {
        match Authority::from_authority_url(text) {
            Ok(Authority::Microsoft(authority)) => authority,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn host_and_path_tell_the_kind() {
        use MicrosoftKind::{AdFs, B2c, Dsts, EntraId, External};
        for (text, kind, tenant) in [
            ("https://login.microsoftonline.com/Contoso.com/", EntraId, "contoso.com"),
            ("https://login.microsoftonline.us/common/v2.0", EntraId, "common"),
            ("https://login.sovcloud-identity.fr/organizations", EntraId, "organizations"),
            ("https://login.new.example/contoso.com", EntraId, "contoso.com"),
            ("https://contoso.ciamlogin.com", External, "contoso.onmicrosoft.com"),
            ("https://contoso.ciamlogin.com/contoso.onmicrosoft.com", External, "contoso.onmicrosoft.com"),
            ("https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_x", B2c, "contoso.onmicrosoft.com"),
            ("https://contoso.b2clogin.com/tfp/contoso.onmicrosoft.com/B2C_1_x", B2c, "contoso.onmicrosoft.com"),
            ("https://login.contoso.com/tfp/contoso.onmicrosoft.com/signup", B2c, "contoso.onmicrosoft.com"),
            ("https://login.contoso.com/contoso.onmicrosoft.com/b2c_1_x", B2c, "contoso.onmicrosoft.com"),
            ("https://fs.contoso.com/adfs", AdFs, "adfs"),
            ("https://co1.dsts.example/dstsv2/7a433bfc", Dsts, "dstsv2"),
        ] {
            let authority = read(text);
            assert_eq!((authority.kind, authority.tenant().as_str()), (kind, tenant), "{text}");
        }
    }

    #[test]
    fn a_look_alike_host_is_none_of_theirs() {
        for host in ["fakeb2clogin.com", "b2clogin.com", "contoso.ciamlogin.com.example", "login.microsoftonline.com.x"]
        {
            let authority = read(&format!("https://{host}/a"));
            assert_eq!((authority.kind, authority.is_well_known()), (MicrosoftKind::EntraId, false), "{host}");
        }
    }

    #[test]
    fn what_msal_refuses_is_refused() {
        for bad in [
            "https://login.microsoftonline.com",
            "https://login.microsoftonline.com/a/b",
            "https://login.microsoftonline.com/a b",
            "https://login.microsoftonline.com/common?dc=x",
            "https://contoso.b2clogin.com",
            "http://127.0.0.1:8080/common",
        ] {
            assert!(Authority::from_authority_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_tenant_can_be_replaced_where_there_are_several() {
        let entra = read("https://login.windows.net/common").with_tenant("Contoso.com").expect("a tenant");
        assert_eq!(entra.to_string(), "https://login.windows.net/contoso.com");
        assert_eq!(entra.cloud, "login.microsoftonline.com");
        assert!(read("https://fs.contoso.com/adfs").with_tenant("common").is_err());
        assert!(read("https://login.windows.net/common").with_tenant("a/../b").is_err());
    }
}
