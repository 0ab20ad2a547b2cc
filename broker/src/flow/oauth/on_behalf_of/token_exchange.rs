//! Token exchange (RFC 8693, section 2.1): a user's access token for one of another service, at any provider that has it.

use token_broker_proto::{
    Secret,
    oauth::{Claims, CorrelationId, ScopeSet},
};

use super::super::{ClientContext, TokenError, endpoint::Form, token_response::TokenResponse};
use crate::model::HttpRequest;

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
/// What is handed over and asked for (section 3).
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// What is exchanged, and for what.
#[derive(Debug, Clone, Copy)]
pub struct Exchange<'a> {
    /// The user's access token.
    pub subject_token: &'a Secret,
    /// Scopes; none for the provider's choice.
    pub scopes: &'a ScopeSet,
    /// The service by its name.
    pub audience: Option<&'a str>,
    /// The service by its URI.
    pub resource: Option<&'a str>,
    /// Claims to ask for.
    pub claims: Option<&'a Claims>,
}

/// Asks for the exchange.
#[must_use]
pub fn request(client: ClientContext<'_>, exchange: Exchange<'_>, correlation_id: CorrelationId) -> HttpRequest {
    let Exchange { subject_token, scopes, audience, resource, claims } = exchange;
    let form = Form::grant(GRANT_TYPE)
        .with("subject_token", subject_token.expose())
        .with("subject_token_type", ACCESS_TOKEN)
        .with("requested_token_type", ACCESS_TOKEN)
        .with_some("audience", audience)
        .with_some("resource", resource)
        .with_some("scope", Some(scopes.to_string()).filter(|scopes| !scopes.is_empty()))
        .with_some("claims", claims.map(Claims::as_str));
    client.post_to_token_endpoint(form, correlation_id)
}

/// Whether an access token was issued, as section 2.2.1 wants it said.
pub fn check(response: &TokenResponse) -> Result<(), TokenError> {
    let what = match response.issued_token_type.as_deref() {
        Some(ACCESS_TOKEN) => return Ok(()),
        Some(_) => "answered with another issued_token_type than the access token that was asked for",
        None => "answered without an issued_token_type (RFC 8693, section 2.2.1)",
    };
    Err(TokenError::Malformed(what.to_owned()))
}
