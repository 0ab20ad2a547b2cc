//! The client credentials grant (RFC 6749, section 4.4): a token for the application itself. The answer is read by
//! `token_response`.

use token_broker_proto::oauth::CorrelationId;

use super::{
    ClientContext,
    endpoint::{Form, TokenParameters},
};
use crate::model::HttpRequest;

/// Asks for a token of the application itself. The scopes go out as they are. `fmi_path` is a word of Microsoft's alone.
#[must_use]
pub fn request(
    client: ClientContext<'_>,
    parameters: TokenParameters<'_>,
    fmi_path: Option<&str>,
    correlation_id: CorrelationId,
) -> HttpRequest {
    let form = parameters.add_to(Form::grant("client_credentials")).with_some("fmi_path", fmi_path);
    client.post_to_token_endpoint(form, correlation_id)
}
