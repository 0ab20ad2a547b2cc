//! User realm discovery: whether Microsoft itself knows the password of a user, or the federation server of the user's organization
//! does, and where that is. Asked before a password is sent anywhere. Only `https` addresses are taken.

use token_broker_proto::oauth::{CorrelationId, MicrosoftAuthority, MicrosoftKind};
use url::Url;

use crate::{
    flow::oauth::{
        DocumentError,
        endpoint::{Answer, document, is_visible_ascii, readable, uri},
    },
    model::{HttpRequest, HttpResponse},
};

/// The audience of a SAML assertion where the answer names none.
const AUDIENCE: &str = "urn:federation:MicrosoftOnline";
/// Longest URL in bytes.
const MAX_URL: usize = 2048;

/// Where a password goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserRealm {
    /// To Microsoft.
    Managed,
    /// To the federation server.
    Federated(Federation),
}

/// The federation of a user's organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Federation {
    /// Where its endpoints are found.
    pub server: FederationServer,
    /// Whom its assertions are for.
    pub audience: String,
}

/// How the endpoints of a federation server are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FederationServer {
    /// It publishes them (WS-MetadataExchange).
    Metadata(Url),
    /// Microsoft names the one endpoint.
    Endpoint(Url),
}

/// Why the realm of a user is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UserRealmError {
    /// No answer that can be used.
    #[error("user realm discovery: {0}")]
    Document(#[from] DocumentError),
    /// The federation server is named by something else than an `https` URL.
    #[error(
        "user realm discovery: {0} of the user's federation server is no https URL, and no password is sent there: sign in by \
         browser"
    )]
    NotHttps(&'static str),
    /// Federated, but not for programs.
    #[error(
        "user realm discovery: the user's organization has a federation server that takes no passwords from programs (no WS-Trust \
         endpoint is named): sign in by browser"
    )]
    NoServer,
}

/// Asks for the realm of a user; `None` where an authority has no such question: AD FS, B2C, external tenants.
#[must_use]
pub fn request(authority: &MicrosoftAuthority, username: &str, correlation_id: CorrelationId) -> Option<HttpRequest> {
    if authority.kind != MicrosoftKind::EntraId {
        return None;
    }
    let mut url = Url::parse(&format!("https://{}", authority.host)).ok()?;
    url.path_segments_mut().ok()?.extend(["common", "userrealm", username]);
    url.set_query(Some("api-version=1.0"));
    Some(document::request(&url, correlation_id))
}

/// Reads the realm. A host without this service answers 404: what is not federated there is managed.
pub fn parse(response: &HttpResponse) -> Result<UserRealm, UserRealmError> {
    let answer = match document::read(response) {
        Err(DocumentError::NotFound) => return Ok(UserRealm::Managed),
        answer => answer?,
    };
    if answer.text("account_type") != Some("Federated") {
        return Ok(UserRealm::Managed);
    }
    let server = match (https(&answer, "federation_metadata_url")?, https(&answer, "federation_active_auth_url")) {
        (Some(metadata), _) => FederationServer::Metadata(metadata),
        (None, endpoint) => FederationServer::Endpoint(endpoint?.ok_or(UserRealmError::NoServer)?),
    };
    let audience = answer.text("cloud_audience_urn").filter(|urn| is_visible_ascii(urn, 255)).unwrap_or(AUDIENCE);
    Ok(UserRealm::Federated(Federation { server, audience: readable(audience, 255) }))
}

fn https(answer: &Answer, name: &'static str) -> Result<Option<Url>, UserRealmError> {
    let Some(text) = answer.text(name) else { return Ok(None) };
    let url = Url::parse(text).ok().filter(|url| url.scheme() == "https" && url.as_str().len() <= MAX_URL);
    // Whatever HTTP cannot address, and whoever hides in the name of the host, is no server.
    let url = url.filter(|url| url.username().is_empty() && url.password().is_none() && uri(url).is_some());
    url.map(Some).ok_or(UserRealmError::NotHttps(name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use token_broker_proto::oauth::Authority;

    use super::{Federation, FederationServer, UserRealm, parse, request};
    use crate::flow::oauth::vectors;

    #[test]
    fn every_vector() {
        vectors::check_all_of("microsoft", "user_realm", |case| match parse(&vectors::response(&case["response"])) {
            Ok(UserRealm::Managed) => json!("managed"),
            Ok(UserRealm::Federated(Federation { server: FederationServer::Metadata(url), audience })) => {
                json!({ "metadata": url.as_str(), "audience": audience })
            }
            Ok(UserRealm::Federated(Federation { server: FederationServer::Endpoint(url), audience })) => {
                json!({ "endpoint": url.as_str(), "audience": audience })
            }
            Err(error) => json!({ "error": error.to_string() }),
        });
    }

    fn asked(authority: &str, username: &str) -> Option<String> {
        let Ok(Authority::Microsoft(authority)) = Authority::from_authority_url(authority) else {
            panic!("{authority}")
        };
        request(&authority, username, vectors::correlation_id()).map(|request| request.uri().to_string())
    }

    #[test]
    fn the_user_is_one_segment_of_the_path() {
        let entra = "https://login.microsoftonline.com/organizations";
        let user = |name: &str| asked(entra, name).expect("asked");
        let at =
            |segment: &str| format!("https://login.microsoftonline.com/common/userrealm/{segment}?api-version=1.0");
        assert_eq!(user("ada@contoso.example"), at("ada@contoso.example"));
        assert_eq!(user("../a/b?c#d e"), at("..%2Fa%2Fb%3Fc%23d%20e"));
    }

    #[test]
    fn only_entra_id_is_asked() {
        for other in [
            "https://adfs.contoso.example/adfs",
            "https://contoso.b2clogin.com/contoso.onmicrosoft.com/b2c_1_signin",
            "https://contoso.ciamlogin.com",
        ] {
            assert_eq!(asked(other, "ada"), None, "{other}");
        }
    }
}
