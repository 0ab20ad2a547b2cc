//! Refreshing (RFC 6749, section 6). The answer is read by `token_response`; whether a new refresh token in it replaces the
//! old one is for the desk: without a new one the old one stays.

use token_broker_proto::oauth::CorrelationId;

use super::{
    ClientContext,
    endpoint::{Form, TokenParameters},
};
use crate::model::{HttpRequest, RefreshToken};

/// Asks for a new access token. Scopes only to narrow within what was granted; a provider may refuse anything else.
#[must_use]
pub fn request(
    client: ClientContext<'_>,
    refresh_token: &RefreshToken,
    parameters: TokenParameters<'_>,
    correlation_id: CorrelationId,
) -> HttpRequest {
    let form = Form::grant("refresh_token").with("refresh_token", refresh_token.secret().expose());
    let form = parameters.add_to(form);
    client.post_to_token_endpoint(form, correlation_id)
}
