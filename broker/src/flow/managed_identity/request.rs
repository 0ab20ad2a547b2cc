//! What a source is asked. Every one has its own version, its own name for a user-assigned identity and its own proof that it is
//! asked from the machine.

use std::fmt::Write as _;

use http::{
    HeaderMap, HeaderValue, Method,
    header::{ACCEPT, CONTENT_TYPE, HeaderName},
};
use ring::digest::{SHA256, digest};
use token_broker_proto::{
    Secret,
    oauth::{CorrelationId, ManagedIdentityId, ScopeSet},
};
use url::Url;

use super::Source;
use crate::{
    flow::oauth::endpoint::{Form, uri},
    model::{HttpRequest, Route},
};

/// A token that is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Which identity.
    pub id: &'a ManagedIdentityId,
    /// The one resource.
    pub resource: &'a ScopeSet,
    /// Client capabilities, such as `cp1`.
    pub capabilities: &'a [String],
    /// A token that its resource has refused with a claims challenge: another one is wanted.
    pub refused: Option<&'a Secret>,
    /// Goes along where the source takes one.
    pub correlation_id: CorrelationId,
}

/// Asks a source.
#[must_use]
pub fn request(source: &Source, question: &Question<'_>) -> HttpRequest {
    match source {
        Source::ServiceFabric { header, thumbprint, .. } => {
            let mut request = get(source, question, "2019-07-01-preview");
            request.extensions_mut().insert(Route::Pinned(*thumbprint));
            with_secret(request, "secret", header)
        }
        Source::AppService { header, .. } => {
            with_secret(with_metadata(get(source, question, "2019-08-01")), "x-identity-header", header)
        }
        Source::MachineLearning { secret, .. } => with_secret(get(source, question, "2017-09-01"), "secret", secret),
        Source::AzureArc { .. } => with_metadata(get(source, question, "2020-06-01")),
        Source::Imds { .. } => {
            let mut request = with_metadata(get(source, question, "2018-02-01"));
            insert(request.headers_mut(), "x-ms-client-request-id", &question.correlation_id.to_string());
            request
        }
        Source::CloudShell { endpoint } => {
            let form = Form::new().with("resource", question.resource.to_string()).encode();
            let mut request = with_metadata(request_to(Method::POST, endpoint, form));
            let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
            request.headers_mut().insert(CONTENT_TYPE, form_type);
            request
        }
    }
}

fn get(source: &Source, question: &Question<'_>, api_version: &str) -> HttpRequest {
    let mut url = source.endpoint().clone();
    {
        let mut query = url.query_pairs_mut();
        query.append_pair("api-version", api_version).append_pair("resource", &question.resource.to_string());
        if let Some((name, id)) = selector(source, question.id) {
            query.append_pair(name, id);
        }
        // The one source that can be told to forget a token, and what its client is capable of.
        if let Source::ServiceFabric { .. } = source {
            if let Some(refused) = question.refused {
                query.append_pair("token_sha256_to_refresh", &sha256(refused));
            }
            if !question.capabilities.is_empty() {
                query.append_pair("xms_cc", &question.capabilities.join(","));
            }
        }
    }
    request_to(Method::GET, &url, Secret::new(""))
}

/// How a source wants a user-assigned identity named.
fn selector<'a>(source: &Source, id: &'a ManagedIdentityId) -> Option<(&'static str, &'a str)> {
    Some(match (id, source) {
        (ManagedIdentityId::SystemAssigned, _) => return None,
        (ManagedIdentityId::ClientId(id), Source::MachineLearning { .. }) => ("clientid", id.as_str()),
        (ManagedIdentityId::ClientId(id), _) => ("client_id", id.as_str()),
        (ManagedIdentityId::ObjectId(id), _) => ("object_id", id.as_str()),
        (ManagedIdentityId::ResourceId(id), Source::AppService { .. }) => ("mi_res_id", id.as_str()),
        (ManagedIdentityId::ResourceId(id), _) => ("msi_res_id", id.as_str()),
    })
}

/// In hex.
fn sha256(token: &Secret) -> String {
    let mut text = String::new();
    for byte in digest(&SHA256, token.expose().as_bytes()).as_ref() {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn request_to(method: Method, url: &Url, body: Secret) -> HttpRequest {
    let mut request = HttpRequest::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = uri(url).unwrap_or_default();
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
    request.extensions_mut().insert(Route::Machine);
    request
}

fn with_metadata(mut request: HttpRequest) -> HttpRequest {
    // A page that a browser was lured to cannot send this header.
    request.headers_mut().insert("metadata", HeaderValue::from_static("true"));
    request
}

/// A secret that cannot stand in a header is left out: the source will say that it is missing.
pub(super) fn with_secret(mut request: HttpRequest, name: &'static str, secret: &Secret) -> HttpRequest {
    if let Ok(mut value) = HeaderValue::from_str(secret.expose()) {
        value.set_sensitive(true);
        request.headers_mut().insert(HeaderName::from_static(name), value);
    }
    request
}

fn insert(headers: &mut HeaderMap, name: &'static str, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        headers.insert(HeaderName::from_static(name), value);
    }
}
