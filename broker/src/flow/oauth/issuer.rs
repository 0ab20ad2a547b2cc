//! Issuers are compared as exact strings (OpenID Connect Core 1.0, section 3.1.3.7; RFC 9207, section 2.4). The one exception
//! is Microsoft Entra ID, which publishes a template for authorities of many tenants.

/// The part of a published issuer that stands for the tenant of the user.
const TENANT: &str = "{tenantid}";

/// Whether this published issuer is a template.
pub(super) fn is_template(published: &str) -> bool {
    published.contains(TENANT)
}

/// The issuer of a tenant; what is no template stays as it is. `None` if the template lacks its tenant.
pub(super) fn of_tenant(published: &str, tenant: Option<&str>) -> Option<String> {
    if !is_template(published) {
        return Some(published.to_owned());
    }
    tenant.filter(|tenant| is_tenant(tenant)).map(|tenant| published.replacen(TENANT, tenant, 1))
}

/// Whether `actual` is the published issuer, or one of the template's.
pub(super) fn fits(published: &str, actual: &str) -> bool {
    match published.split_once(TENANT) {
        None => published == actual,
        Some((before, after)) => {
            actual.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)).is_some_and(is_tenant)
        }
    }
}

fn is_tenant(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::{fits, of_tenant};

    const COMMON: &str = "https://login.microsoftonline.com/{tenantid}/v2.0";

    #[test]
    fn a_template_fits_one_tenant_segment_only() {
        assert!(fits(COMMON, "https://login.microsoftonline.com/9188040d-6c67/v2.0"));
        for bad in ["https://login.microsoftonline.com//v2.0", "https://login.microsoftonline.com/a/b/v2.0", COMMON, ""]
        {
            assert!(!fits(COMMON, bad), "{bad}");
        }
        assert_eq!(of_tenant(COMMON, Some("a/../b")), None);
        assert_eq!(of_tenant(COMMON, None), None);
    }

    #[test]
    fn anything_else_is_compared_exactly() {
        assert!(fits("https://id.example", "https://id.example"));
        assert!(!fits("https://id.example", "https://id.example/"));
    }
}
