//! Provider metadata: where it is published, and reading it (OpenID Connect Discovery 1.0, section 4; RFC 8414, section 3).
//! An issuer that differs from the configured one is refused: the tokens would not be its own.

use token_broker_proto::oauth::{Authority, CorrelationId, Endpoints, UnixTime, provider_url};
use url::Url;

use super::endpoint::{Answer, DocumentError, document, is_visible_ascii, readable, uri};
use crate::{
    flow::microsoft::{self, instance::InstanceError},
    model::{ClientAuthentication, Dialect, HttpRequest, HttpResponse, ProviderMetadata},
};

/// Longest URL in bytes.
const MAX_URL: usize = 2048;

/// The metadata cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DiscoveryError {
    /// No document came; `DocumentError::NotFound` means that the next URL may have it.
    #[error("no provider metadata: {0}")]
    Document(#[from] DocumentError),
    /// It is another issuer's.
    #[error(
        "the provider publishes the issuer {published:?}, but {configured:?} is configured{}",
        hint(published, configured)
    )]
    IssuerDiffers {
        /// What the document says; empty if nothing.
        published: String,
        /// What the application's registration says.
        configured: String,
    },
    /// A tenant of Microsoft that is not there: any 4xx.
    #[error("{host} answered {status}: it has no tenant {tenant:?}; check its name or GUID, and the cloud")]
    UnknownTenant {
        /// Host that was asked.
        host: String,
        /// As it is registered.
        tenant: String,
        /// HTTP status.
        status: u16,
    },
    /// Microsoft does not vouch for the host.
    #[error(transparent)]
    Instance(#[from] InstanceError),
    /// There is no `token_endpoint`.
    #[error("the provider metadata names no token_endpoint")]
    NoTokenEndpoint,
    /// An endpoint that secrets must not be sent to.
    #[error("the provider metadata has an unusable {field}: {rule}")]
    UnusableEndpoint {
        /// Name of the member.
        field: &'static str,
        /// What is wrong with it.
        rule: String,
    },
}

impl DiscoveryError {
    /// Whether the document is not at this URL: the next one may have it.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Document(DocumentError::NotFound))
    }
}

/// Where the metadata may be published, best first; none for endpoints given by hand.
#[must_use]
pub fn metadata_urls(authority: &Authority) -> Vec<Url> {
    match authority {
        Authority::OpenIdConnect { issuer, .. } => {
            let path = issuer.path().trim_end_matches('/');
            let at = |path: String| {
                let mut url = issuer.clone();
                url.set_path(&path);
                url
            };
            vec![
                at(format!("{path}/.well-known/openid-configuration")),
                at(format!("/.well-known/oauth-authorization-server{path}")),
            ]
        }
        Authority::Microsoft(authority) => microsoft::metadata_url(authority).into_iter().collect(),
        Authority::Endpoints(_) | Authority::ManagedIdentity(_) => Vec::new(),
    }
}

/// The metadata of endpoints given by hand: no issuer, no keys, and HTTP Basic for a client with a secret, which every
/// server must support (RFC 6749, section 2.3.1).
#[must_use]
pub fn by_hand(endpoints: &Endpoints, now: UnixTime) -> ProviderMetadata {
    ProviderMetadata {
        issuer: String::new(),
        authorization_endpoint: endpoints.authorization.clone(),
        token_endpoint: endpoints.token.clone(),
        device_authorization_endpoint: endpoints.device_authorization.clone(),
        revocation_endpoint: None,
        jwks_uri: None,
        offers_offline_access: false,
        sends_issuer_parameter: false,
        client_authentication: ClientAuthentication::Basic,
        assertion_algorithms: Vec::new(),
        dialect: Dialect::Standard,
        aliases: Vec::new(),
        fetched_on: now,
    }
}

/// Asks for the document at one of the `metadata_urls`.
#[must_use]
pub fn request(url: &Url, correlation_id: CorrelationId) -> HttpRequest {
    document::request(url, correlation_id)
}

/// Reads the document.
pub fn parse(
    authority: &Authority,
    response: &HttpResponse,
    now: UnixTime,
) -> Result<ProviderMetadata, DiscoveryError> {
    let answer = document::read(response).map_err(|error| no_document(authority, error))?;
    // Plain http is for an issuer on this machine; a remote one must not send our secrets to a port of it.
    let plain = matches!(authority, Authority::OpenIdConnect { issuer, .. } if issuer.scheme() == "http");
    let endpoint = |field| endpoint(&answer, field, plain);
    let lists = |name: &str, word: &str| answer.texts(name).is_some_and(|mut words| words.any(|it| it == word));
    Ok(ProviderMetadata {
        issuer: own_issuer(authority, answer.text("issuer").unwrap_or_default())?,
        authorization_endpoint: endpoint("authorization_endpoint")?,
        token_endpoint: endpoint("token_endpoint")?.ok_or(DiscoveryError::NoTokenEndpoint)?,
        device_authorization_endpoint: endpoint("device_authorization_endpoint")?,
        revocation_endpoint: endpoint("revocation_endpoint")?,
        jwks_uri: endpoint("jwks_uri")?,
        offers_offline_access: lists("scopes_supported", "offline_access"),
        sends_issuer_parameter: answer.member("authorization_response_iss_parameter_supported")
            == Some(&serde_json::Value::Bool(true)),
        client_authentication: authentication(authority, lists),
        assertion_algorithms: assertion_algorithms(&answer),
        dialect: Dialect::of(authority),
        aliases: Vec::new(),
        fetched_on: now,
    })
}

/// Microsoft takes both, listed or not; MSAL uses the body. Elsewhere Basic, unless only the body is listed.
fn authentication(authority: &Authority, lists: impl Fn(&str, &str) -> bool) -> ClientAuthentication {
    let listed = |method| lists("token_endpoint_auth_methods_supported", method);
    let is_microsoft = matches!(authority, Authority::Microsoft(_));
    if is_microsoft || listed("client_secret_post") && !listed("client_secret_basic") {
        ClientAuthentication::Post
    } else {
        ClientAuthentication::Basic
    }
}

/// As far as they are names of algorithms.
fn assertion_algorithms(answer: &Answer) -> Vec<String> {
    let listed = answer.texts("token_endpoint_auth_signing_alg_values_supported").into_iter().flatten();
    listed.filter(|name| is_visible_ascii(name, 16)).take(32).map(str::to_owned).collect()
}

/// Microsoft answers 4xx for a tenant that it does not have.
fn no_document(authority: &Authority, error: DocumentError) -> DiscoveryError {
    let status = match &error {
        DocumentError::NotFound => 404,
        DocumentError::Refused { status, location: None } => *status,
        DocumentError::Refused { .. } | DocumentError::Unavailable { .. } | DocumentError::NotJson(_) => 0,
    };
    match authority {
        Authority::Microsoft(authority) if (400..500).contains(&status) => {
            DiscoveryError::UnknownTenant { host: authority.host.clone(), tenant: authority.tenant(), status }
        }
        _ => error.into(),
    }
}

fn endpoint(answer: &Answer, field: &'static str, plain: bool) -> Result<Option<Url>, DiscoveryError> {
    let Some(text) = answer.text(field) else { return Ok(None) };
    let unusable = |rule: String| DiscoveryError::UnusableEndpoint { field, rule };
    if text.len() > MAX_URL {
        return Err(unusable(format!("longer than {MAX_URL} bytes")));
    }
    let url = provider_url(field, text).map_err(|invalid| unusable(invalid.rule))?;
    if url.scheme() != "https" && !plain {
        return Err(unusable("must be https, as the issuer is".to_owned()));
    }
    match uri(&url) {
        Some(_) => Ok(Some(url)),
        None => Err(unusable("has characters that HTTP does not allow".to_owned())),
    }
}

/// The published issuer, if the authority may publish it.
fn own_issuer(authority: &Authority, published: &str) -> Result<String, DiscoveryError> {
    let (configured, own) = match authority {
        Authority::OpenIdConnect { text, .. } => {
            // A tenant that is called by a domain of its own publishes its name at Microsoft.
            // A template stands for any tenant's issuer, and so for nobody's here.
            (text.clone(), published == text || !published.contains('{') && microsoft::issuer::is_microsofts(published))
        }
        Authority::Microsoft(authority) => {
            (microsoft::issuer::expected(authority), microsoft::issuer::fits(authority, published))
        }
        Authority::Endpoints(_) | Authority::ManagedIdentity(_) => (String::new(), false),
    };
    if own {
        Ok(published.to_owned())
    } else {
        Err(DiscoveryError::IssuerDiffers { published: readable(published, MAX_URL), configured })
    }
}

fn hint(published: &str, configured: &str) -> &'static str {
    if published.trim_end_matches('/') == configured.trim_end_matches('/') {
        "; they differ in a trailing slash only: configure it exactly as published"
    } else if published.contains('{') && !configured.contains('{') {
        "; the former stands for many tenants: if it is Microsoft's, register it by --authority"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use token_broker_proto::oauth::{Authority, Endpoints, UnixTime};
    use url::Url;

    use super::{by_hand, metadata_urls, parse};
    use crate::{flow::oauth::vectors, model::ProviderMetadata};

    fn metadata_json(metadata: &ProviderMetadata) -> Value {
        json!({ "ok": {
            "issuer": metadata.issuer,
            "authorization_endpoint": metadata.authorization_endpoint.as_ref().map(Url::as_str),
            "token_endpoint": metadata.token_endpoint.as_str(),
            "device_authorization_endpoint": metadata.device_authorization_endpoint.as_ref().map(Url::as_str),
            "revocation_endpoint": metadata.revocation_endpoint.as_ref().map(Url::as_str),
            "jwks_uri": metadata.jwks_uri.as_ref().map(Url::as_str),
            "offers_offline_access": metadata.offers_offline_access,
            "sends_issuer_parameter": metadata.sends_issuer_parameter,
            "client_authentication": metadata.client_authentication,
        }})
    }

    #[test]
    fn every_vector() {
        vectors::check_all("discovery", |case| {
            let authority = Authority::from_url(vectors::text(case, "authority")).unwrap();
            match parse(&authority, &vectors::response(&case["response"]), vectors::time(&case["now"])) {
                Ok(metadata) => metadata_json(&metadata),
                Err(error) if error.is_not_found() => json!({ "error": error.to_string(), "not_found": true }),
                Err(error) => json!({ "error": error.to_string() }),
            }
        });
    }

    fn urls(authority: &str) -> Vec<String> {
        metadata_urls(&Authority::from_url(authority).unwrap()).iter().map(Url::to_string).collect()
    }

    #[test]
    fn metadata_is_looked_for_where_the_standards_say() {
        let openid = "/.well-known/openid-configuration";
        let oauth = "/.well-known/oauth-authorization-server";
        for issuer in ["https://id.example", "https://id.example/"] {
            assert_eq!(urls(issuer), [format!("https://id.example{openid}"), format!("https://id.example{oauth}")]);
        }
        for issuer in ["https://id.example:8443/realms/a", "https://id.example:8443/realms/a/"] {
            let at = "https://id.example:8443";
            assert_eq!(urls(issuer), [format!("{at}/realms/a{openid}"), format!("{at}{oauth}/realms/a")]);
        }
        let entra = "https://login.microsoftonline.com/common";
        assert_eq!(urls(entra), [format!("{entra}/v2.0{openid}")]);
    }

    #[test]
    fn endpoints_by_hand_are_taken_as_they_are() {
        let endpoints = Endpoints {
            token: "https://id.example/t".parse().unwrap(),
            authorization: None,
            device_authorization: Some("https://id.example/d".parse().unwrap()),
        };
        let metadata = by_hand(&endpoints, UnixTime::from_seconds(7));
        assert_eq!(metadata.token_endpoint, endpoints.token);
        assert_eq!(metadata.device_authorization_endpoint, endpoints.device_authorization);
        assert_eq!((metadata.issuer.as_str(), metadata.fetched_on.seconds()), ("", 7));
        assert!(metadata_urls(&Authority::Endpoints(endpoints)).is_empty());
    }
}
