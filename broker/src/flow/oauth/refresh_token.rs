//! Refreshing (RFC 6749, section 6). The answer is read by `token_response`; whether a new refresh token in it replaces the
//! old one is for the desk: without a new one the old one stays.

use token_broker_proto::oauth::{Claims, CorrelationId, ScopeSet};

use super::{ClientContext, endpoint::Form};
use crate::model::{HttpRequest, RefreshToken};

/// Asks for a new access token. `scopes` only to narrow within what was granted; a provider may refuse anything else.
#[must_use]
pub fn request(
    client: ClientContext<'_>,
    refresh_token: &RefreshToken,
    scopes: Option<&ScopeSet>,
    claims: Option<&Claims>,
    correlation_id: CorrelationId,
) -> HttpRequest {
    let form = Form::grant("refresh_token")
        .with("refresh_token", refresh_token.secret().expose())
        .with_some("scope", scopes.map(ScopeSet::to_string))
        .with_some("claims", claims.map(Claims::as_str));
    client.post_to_token_endpoint(form, correlation_id)
}
