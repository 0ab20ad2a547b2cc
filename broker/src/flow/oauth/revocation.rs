//! Token revocation (RFC 7009): a refresh token is given back at sign-out.

use token_broker_proto::oauth::CorrelationId;

use super::{
    ClientContext, TokenError,
    endpoint::{Form, succeeded},
};
use crate::model::{HttpRequest, HttpResponse, RefreshToken};

/// Asks the provider to forget a refresh token. `None` if it has no revocation endpoint.
#[must_use]
pub fn request(
    client: ClientContext<'_>,
    refresh_token: &RefreshToken,
    correlation_id: CorrelationId,
) -> Option<HttpRequest> {
    let endpoint = client.metadata.revocation_endpoint.as_ref()?;
    let form = Form::new().with("token", refresh_token.secret().expose()).with("token_type_hint", "refresh_token");
    Some(client.post(endpoint, form, correlation_id))
}

/// Any success will do, also for a token that the provider does not know (RFC 7009, section 2.2).
pub fn parse(response: &HttpResponse) -> Result<(), TokenError> {
    succeeded(response)
}
