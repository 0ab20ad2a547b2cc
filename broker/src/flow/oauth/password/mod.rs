//! The resource owner password credentials grant (RFC 6749, section 4.3). The answer is read by `token_response`. RFC 9700, section
//! 2.4, says not to use it where anything else is possible; who federates a user and what then happens is Microsoft's:
//! `microsoft::user_realm` and `microsoft::ws_trust`.

use token_broker_proto::{Secret, oauth::CorrelationId};

use super::{
    ClientContext,
    endpoint::{Form, TokenParameters},
};
use crate::{flow::microsoft::telemetry, model::HttpRequest};

/// A user and their password.
#[derive(Debug, Clone, Copy)]
pub struct ResourceOwner<'a> {
    /// As the provider calls the user.
    pub username: &'a str,
    /// Goes to the provider, and to nobody else.
    pub password: &'a Secret,
}

/// Asks for tokens of the user.
#[must_use]
pub fn request(
    client: ClientContext<'_>,
    owner: ResourceOwner<'_>,
    parameters: TokenParameters<'_>,
    correlation_id: CorrelationId,
) -> HttpRequest {
    let form = Form::grant("password").with("username", owner.username).with("password", owner.password.expose());
    let mut request = client.post_to_token_endpoint(parameters.add_to(form), correlation_id);
    telemetry::anchor_username(&mut request, owner.username);
    request
}
