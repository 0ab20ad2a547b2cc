//! Instance discovery: whether Microsoft knows a host, and which hosts are one cloud under several names. What is well known
//! is not asked about; what the owner vouches for is not either.

use token_broker_proto::oauth::{CorrelationId, MicrosoftAuthority, MicrosoftKind, provider_url};
use url::Url;

use crate::{
    flow::oauth::{
        DocumentError,
        endpoint::{Answer, document, is_visible_ascii, readable},
    },
    model::{HttpRequest, HttpResponse},
};

/// Who is asked about hosts that are not known.
const PUBLIC_CLOUD: &str = "login.microsoftonline.com";
/// Most hosts of a cloud.
const MAX_ALIASES: usize = 16;

/// Why an instance is not usable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InstanceError {
    /// Microsoft does not know the host.
    #[error(
        "invalid_instance: Microsoft does not know the host {0}. If it is an OpenID Connect provider, register it by \
         --issuer; if it is one of Microsoft's that you know to be right, add --no-instance-discovery"
    )]
    Unknown(String),
    /// No answer that can be used.
    #[error("instance discovery: {0}")]
    Document(#[from] DocumentError),
    /// The answer points to no place that may be asked.
    #[error("instance discovery: the answer has no usable tenant_discovery_endpoint")]
    NoEndpoint,
}

/// Asks whether Microsoft knows the host; `None` where that needs no asking.
#[must_use]
pub fn check_request(authority: &MicrosoftAuthority, correlation_id: CorrelationId) -> Option<HttpRequest> {
    let unknown = authority.kind == MicrosoftKind::EntraId && !authority.is_well_known() && !authority.is_vouched_for;
    let authorize = format!("{authority}/oauth2/v2.0/authorize");
    unknown.then(|| request(PUBLIC_CLOUD, "1.0", &authorize, correlation_id)).flatten()
}

/// Reads where the metadata of the tenant are published.
pub fn parse_check(authority: &MicrosoftAuthority, response: &HttpResponse) -> Result<Url, InstanceError> {
    // A host that is not known is answered with status 400.
    if let Ok(answer) = Answer::read(response)
        && answer.text("error") == Some("invalid_instance")
    {
        return Err(InstanceError::Unknown(readable(&authority.host, 253)));
    }
    let answer = document::read(response)?;
    let endpoint = answer.text("tenant_discovery_endpoint").filter(|url| url.starts_with("https://"));
    endpoint.and_then(|url| provider_url("tenant_discovery_endpoint", url).ok()).ok_or(InstanceError::NoEndpoint)
}

/// Asks for the other names of the host; `None` for what has no clouds.
#[must_use]
pub fn aliases_request(authority: &MicrosoftAuthority, correlation_id: CorrelationId) -> Option<HttpRequest> {
    if authority.kind != MicrosoftKind::EntraId || authority.is_vouched_for {
        return None;
    }
    let asked = if authority.is_well_known() { &authority.host } else { PUBLIC_CLOUD };
    let authorize = format!("https://{}/common/oauth2/authorize", authority.host);
    request(asked, "1.1", &authorize, correlation_id)
}

/// Reads the hosts of the authority's cloud, the preferred one first. Empty if it is not among them or nothing usable came:
/// what is well known holds without.
#[must_use]
pub fn parse_aliases(authority: &MicrosoftAuthority, response: &HttpResponse) -> Vec<String> {
    let Ok(answer) = document::read(response) else { return Vec::new() };
    let groups = answer.member("metadata").and_then(|groups| groups.as_array()).into_iter().flatten();
    for group in groups {
        let host = |text: &serde_json::Value| {
            text.as_str().filter(|text| is_visible_ascii(text, 253)).map(str::to_ascii_lowercase)
        };
        let aliases = group.get("aliases").and_then(|aliases| aliases.as_array()).into_iter().flatten();
        let mut hosts: Vec<String> = aliases.filter_map(host).take(MAX_ALIASES).collect();
        if hosts.contains(&authority.host) {
            let preferred = group.get("preferred_network").and_then(host);
            hosts.sort_by_key(|host| Some(host) != preferred.as_ref());
            return hosts;
        }
    }
    Vec::new()
}

fn request(host: &str, version: &str, authorize: &str, correlation_id: CorrelationId) -> Option<HttpRequest> {
    let mut url = Url::parse(&format!("https://{host}/common/discovery/instance")).ok()?;
    url.query_pairs_mut().append_pair("authorization_endpoint", authorize).append_pair("api-version", version);
    Some(document::request(&url, correlation_id))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use token_broker_proto::oauth::Authority;

    use super::{parse_aliases, parse_check};
    use crate::flow::oauth::vectors;

    #[test]
    fn every_instance_vector() {
        vectors::check_all_of("microsoft", "instance", |case| {
            let Ok(Authority::Microsoft(authority)) = Authority::from_authority_url(vectors::text(case, "authority"))
            else {
                panic!("{case}")
            };
            let response = vectors::response(&case["response"]);
            match case["asked"].as_str() {
                Some("aliases") => json!(parse_aliases(&authority, &response)),
                _ => match parse_check(&authority, &response) {
                    Ok(url) => json!({ "metadata": url.as_str() }),
                    Err(error) => json!({ "error": error.to_string() }),
                },
            }
        });
    }
}
