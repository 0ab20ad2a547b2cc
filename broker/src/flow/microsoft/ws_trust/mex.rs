//! The metadata of a federation server (WS-MetadataExchange: WSDL 1.1 with WS-Policy 1.2): where it takes a user name and a password
//! over https, and by which version of WS-Trust. 1.3 is preferred.

use token_broker_proto::oauth::CorrelationId;
use url::Url;

use super::{
    ADDRESSING, POLICY, UTILITY, Version, WsTrustError,
    error::not_taken,
    takes_anything,
    xml::{self, Element},
};
use crate::{
    flow::oauth::endpoint::{document, uri},
    model::{HttpRequest, HttpResponse},
};

const WSDL: &str = "http://schemas.xmlsoap.org/wsdl/";
const WSDL_SOAP: &str = "http://schemas.xmlsoap.org/wsdl/soap12/";
/// SOAP over HTTP, as a binding names it.
const OVER_HTTP: &str = "http://schemas.xmlsoap.org/soap/http";
/// WS-SecurityPolicy of each version, and what a user name and password are to it.
const SECURITY_POLICIES: [(&str, &str); 2] = [
    ("http://docs.oasis-open.org/ws-sx/ws-securitypolicy/200702", "SignedEncryptedSupportingTokens"),
    ("http://schemas.xmlsoap.org/ws/2005/07/securitypolicy", "SignedSupportingTokens"),
];

/// Where a federation server takes a user name and a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// `https`.
    pub url: Url,
    /// The same as the server writes it, which is how it wants to be addressed.
    pub(super) written: String,
    /// How it is spoken to.
    pub version: Version,
}

impl Endpoint {
    /// The one that somebody else names for the server; its path says the version.
    pub fn named(url: &Url) -> Result<Self, WsTrustError> {
        let version = match url.path() {
            path if path.contains("/trust/2005/usernamemixed") => Version::Trust2005,
            path if path.contains("/trust/13/usernamemixed") => Version::Trust13,
            _ => return Err(WsTrustError::NoEndpoint),
        };
        Ok(Self { url: url.clone(), written: url.to_string(), version })
    }

    fn parse(written: &str, version: Version) -> Option<Self> {
        let url = Url::parse(written).ok().filter(|url| url.scheme() == "https" && uri(url).is_some())?;
        let is_plain = url.username().is_empty() && url.password().is_none();
        is_plain.then(|| Self { url, written: written.to_owned(), version })
    }
}

/// Asks for the metadata.
#[must_use]
pub fn request(url: &Url, correlation_id: CorrelationId) -> HttpRequest {
    let mut request = document::request(url, correlation_id);
    takes_anything(&mut request);
    request
}

/// Reads the endpoint out of the metadata.
pub fn parse(response: &HttpResponse) -> Result<Endpoint, WsTrustError> {
    let root = xml::parse(response.body().expose(), "").map_err(|error| not_taken(response, error))?;
    if !response.status().is_success() {
        return Err(not_taken(response, xml::XmlError::Malformed));
    }
    let policies: Vec<&str> = policies(&root).collect();
    let mut found: Vec<Endpoint> = endpoints(&root, &policies).collect();
    found.sort_by_key(|endpoint| endpoint.version != Version::Trust13);
    found.into_iter().next().ok_or(WsTrustError::NoEndpoint)
}

/// The identifiers of policies that ask for a user name and a password under TLS.
fn policies(root: &Element) -> impl Iterator<Item = &str> {
    let asks = |policy: &Element| {
        SECURITY_POLICIES.iter().any(|(space, tokens)| {
            let path = [
                (POLICY, "ExactlyOne"),
                (POLICY, "All"),
                (*space, *tokens),
                (POLICY, "Policy"),
                (*space, "UsernameToken"),
                (POLICY, "Policy"),
                (*space, "WssUsernameToken10"),
            ];
            policy.at(&path).is_some() && policy.within(space, "TransportBinding").is_some()
        })
    };
    root.all(POLICY, "Policy").filter(move |policy| asks(policy)).filter_map(|policy| policy.attribute(UTILITY, "Id"))
}

fn endpoints<'a>(root: &'a Element, policies: &'a [&str]) -> impl Iterator<Item = Endpoint> + 'a {
    let ports = root.all(WSDL, "service").flat_map(|service| service.all(WSDL, "port"));
    ports.filter_map(move |port| {
        let name = port.attribute("", "binding")?.rsplit(':').next()?;
        let version = root
            .all(WSDL, "binding")
            .filter(|binding| binding.attribute("", "name") == Some(name))
            .find_map(|binding| version_of(binding, policies))?;
        let address = port.at(&[(ADDRESSING, "EndpointReference"), (ADDRESSING, "Address")])?;
        Endpoint::parse(address.text(), version)
    })
}

/// The version of a binding over HTTP under one of these policies.
fn version_of(binding: &Element, policies: &[&str]) -> Option<Version> {
    let transport = binding.at(&[(WSDL_SOAP, "binding")])?.attribute("", "transport");
    let reference = binding.all(POLICY, "PolicyReference").filter_map(|policy| policy.attribute("", "URI")).last()?;
    let is_ours = transport == Some(OVER_HTTP) && policies.contains(&reference.strip_prefix('#')?);
    let operation = binding.at(&[(WSDL, "operation"), (WSDL_SOAP, "operation")]).filter(|_| is_ours)?;
    Version::of_action(operation.attribute("", "soapAction")?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use url::Url;

    use super::{Endpoint, parse};
    use crate::flow::oauth::vectors;

    #[test]
    fn every_vector() {
        vectors::check_all_of("microsoft", "mex", |case| match parse(&vectors::response(&case["response"])) {
            Ok(Endpoint { url, version, .. }) => json!({ "url": url.as_str(), "version": format!("{version:?}") }),
            Err(error) => json!({ "error": error.to_string() }),
        });
    }

    #[test]
    fn a_path_says_the_version() {
        let named = |url: &str| Endpoint::named(&Url::parse(url).unwrap()).map(|it| format!("{:?}", it.version)).ok();
        assert_eq!(named("https://fs.example/adfs/services/trust/13/usernamemixed").as_deref(), Some("Trust13"));
        assert_eq!(named("https://fs.example/adfs/services/trust/2005/usernamemixed").as_deref(), Some("Trust2005"));
        assert_eq!(named("https://fs.example/adfs/ls"), None);
    }
}
