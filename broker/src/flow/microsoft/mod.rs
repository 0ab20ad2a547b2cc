//! What Microsoft adds to the standards: where its services publish their metadata, which issuers they may name, and its
//! instance discovery, which knows the hosts of each cloud, and the cache of its libraries; users of federated domains and WS-Trust.
//! The flows themselves are in `oauth`.

pub mod instance;
pub mod issuer;
pub mod region;
pub mod telemetry;
pub mod throttle;
pub mod unified_cache;
pub mod user_federated_identity_credential;
pub mod user_realm;
pub mod ws_trust;

use token_broker_proto::oauth::{MicrosoftAuthority, MicrosoftKind};
use url::Url;

/// Where the metadata of an authority are published, unless instance discovery says where.
#[must_use]
pub fn metadata_url(authority: &MicrosoftAuthority) -> Option<Url> {
    let base = match (authority.kind, authority.path.as_str()) {
        (MicrosoftKind::External, "") => format!("{authority}/{}", authority.tenant()),
        (..) => authority.to_string(),
    };
    let version = match authority.kind {
        MicrosoftKind::EntraId | MicrosoftKind::External | MicrosoftKind::B2c => "/v2.0",
        MicrosoftKind::AdFs | MicrosoftKind::Dsts => "",
    };
    Url::parse(&format!("{base}{version}/.well-known/openid-configuration")).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use token_broker_proto::oauth::Authority;

    use super::{instance, issuer, metadata_url};
    use crate::flow::oauth::vectors;

    /// What an authority URL means: its kind, its names, and what is asked of whom.
    #[test]
    fn every_authority_vector() {
        vectors::check_all_of("microsoft", "authority", |case| {
            let authority = match Authority::from_authority_url(vectors::text(case, "authority")) {
                Ok(Authority::Microsoft(authority)) => authority,
                Ok(other) => panic!("{other:?}"),
                Err(invalid) => return json!({ "invalid": invalid.rule }),
            };
            let id = vectors::correlation_id();
            let uri = |request: crate::model::HttpRequest| request.uri().to_string();
            json!({
                "kind": format!("{:?}", authority.kind),
                "tenant": authority.tenant(),
                "environment": authority.cloud,
                "metadata": metadata_url(&authority).map(|url| url.to_string()),
                "instance_check": instance::check_request(&authority, id).map(uri),
                "aliases": instance::aliases_request(&authority, id).map(uri),
            })
        });
    }

    #[test]
    fn every_issuer_vector() {
        vectors::check_all_of("microsoft", "issuer", |case| {
            let authority = Authority::from_url(vectors::text(case, "authority")).expect("an authority");
            let fits = |name: &str| match &authority {
                Authority::Microsoft(authority) => issuer::fits(authority, name),
                Authority::OpenIdConnect { text, .. } => name == text || issuer::is_microsofts(name),
                Authority::Endpoints(_) | Authority::ManagedIdentity(_) => false,
            };
            let outcome = |name: &serde_json::Value| fits(name.as_str().expect("a text"));
            let all = case["published"].as_array().expect("a list").iter().map(|name| json!([name, outcome(name)]));
            json!(all.collect::<Vec<_>>())
        });
    }
}
