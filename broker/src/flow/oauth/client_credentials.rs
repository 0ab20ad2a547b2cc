//! The client credentials grant (RFC 6749, section 4.4): a token for the application itself. The answer is read by
//! `token_response`.

use token_broker_proto::oauth::{Claims, CorrelationId, ScopeSet};

use super::{ClientContext, endpoint::Form};
use crate::model::HttpRequest;

/// Asks for a token of the application itself. The scopes go out as they are.
#[must_use]
pub fn request(
    client: ClientContext<'_>,
    scopes: &ScopeSet,
    claims: Option<&Claims>,
    correlation_id: CorrelationId,
) -> HttpRequest {
    let form = Form::grant("client_credentials")
        .with_some("scope", Some(scopes.to_string()).filter(|scopes| !scopes.is_empty()))
        .with_some("claims", claims.map(|claims| claims.as_str().to_owned()));
    client.post_to_token_endpoint(form, correlation_id)
}
