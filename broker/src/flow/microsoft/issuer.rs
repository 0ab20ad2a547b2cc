//! Which issuers an authority of Microsoft may publish. At Entra ID the issuer is of the same cloud and, where the tenant is
//! known beforehand, of that tenant. Elsewhere MSAL's rules hold: the authority itself, its host or one label in front of it,
//! and Microsoft's own hosts.

use token_broker_proto::oauth::{MicrosoftAuthority, MicrosoftKind, clouds, is_customer_host, is_guid};
use url::Url;

/// Stands for the tenant of the user where the authority is of many tenants.
const TENANT: &str = "{tenantid}";

/// Whether the authority may publish this issuer.
#[must_use]
pub fn fits(authority: &MicrosoftAuthority, published: &str) -> bool {
    let Some((host, path)) = parts(published) else { return false };
    match authority.kind {
        MicrosoftKind::EntraId if authority.is_well_known() => {
            is_of_cloud(&host, &authority.cloud) && is_of_tenant(&path, &authority.path)
        }
        MicrosoftKind::EntraId => is_near(authority, &host) && is_of_tenant(&path, &authority.path),
        MicrosoftKind::External | MicrosoftKind::B2c | MicrosoftKind::AdFs | MicrosoftKind::Dsts => {
            is_near(authority, &host)
        }
    }
}

/// Whether the issuer is one of Microsoft's own hosts: a provider that is named by a domain of its customer may publish it.
#[must_use]
pub fn is_microsofts(published: &str) -> bool {
    parts(published).is_some_and(|(host, _)| is_own_host(&host))
}

/// The issuer that is expected, for a message.
#[must_use]
pub fn expected(authority: &MicrosoftAuthority) -> String {
    match authority.kind {
        MicrosoftKind::EntraId => {
            let host = if authority.is_well_known() { &authority.cloud } else { &authority.host };
            let tenant = if is_guid(&authority.path) { &authority.path } else { TENANT };
            format!("https://{host}/{tenant}/v2.0")
        }
        MicrosoftKind::External | MicrosoftKind::B2c | MicrosoftKind::AdFs | MicrosoftKind::Dsts => {
            authority.to_string()
        }
    }
}

/// Host with port, and path without its first slash and those at its end, of an https URL.
fn parts(published: &str) -> Option<(String, String)> {
    let url = Url::parse(&published.replace(TENANT, "tenantid")).ok().filter(|url| url.scheme() == "https")?;
    let host = url.host_str()?;
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let plain = url.query().is_none() && url.fragment().is_none();
    let path = url.path().strip_prefix('/').unwrap_or_default();
    plain.then(|| (host, path.trim_end_matches('/').to_owned()))
}

fn is_near(authority: &MicrosoftAuthority, host: &str) -> bool {
    host == authority.host || label_before(host) == Some(&authority.host) || is_own_host(host)
}

fn is_own_host(host: &str) -> bool {
    clouds::is_well_known(host) || label_before(host).is_some_and(clouds::is_well_known) || is_customer_host(host)
}

fn is_of_cloud(host: &str, cloud: &str) -> bool {
    let same = |host: &str| clouds::name(host) == cloud;
    same(host) || label_before(host).is_some_and(same)
}

/// What follows the first label of a host, which may name a region.
fn label_before(host: &str) -> Option<&str> {
    host.split_once('.').map(|(_, rest)| rest)
}

/// `TENANT/v2.0`, or `TENANT` alone as the first version of the service has it.
fn is_of_tenant(path: &str, tenant: &str) -> bool {
    let actual = path.strip_suffix("/v2.0").unwrap_or(path);
    let one_segment = !actual.is_empty() && !actual.contains('/');
    if is_guid(tenant) { actual.eq_ignore_ascii_case(tenant) } else { one_segment }
}
