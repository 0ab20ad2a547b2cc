//! Asking on behalf of a user by an assertion: the token that a client sent to this service, handed over for one of another
//! service. The JWT bearer grant as Microsoft has it (RFC 7523, section 2.1, with `requested_token_use`); the standard's way is in
//! `token_exchange`. The answer is read by `token_response`.

pub mod token_exchange;

use token_broker_proto::{Secret, oauth::CorrelationId};

use super::{
    ClientContext,
    endpoint::{Form, TokenParameters},
};
use crate::model::HttpRequest;

/// The grant type of an assertion (RFC 7523, section 2.1).
const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// Parts of a signed token (RFC 7515, section 3.1) and of an encrypted one (RFC 7516, section 3.1).
const PARTS: [usize; 2] = [3, 5];

/// Asks for a token of the user of this assertion.
#[must_use]
pub fn request(
    client: ClientContext<'_>,
    assertion: &Secret,
    parameters: TokenParameters<'_>,
    correlation_id: CorrelationId,
) -> HttpRequest {
    let form =
        Form::grant(GRANT_TYPE).with("assertion", assertion.expose()).with("requested_token_use", "on_behalf_of");
    client.post_to_token_endpoint(parameters.add_to(form), correlation_id)
}

/// Whether this has the form of a JWT, signed or encrypted. Only its issuer can say more: what is in it is not for this service's
/// clock and eyes.
#[must_use]
pub fn is_jwt(assertion: &Secret) -> bool {
    let text = assertion.expose();
    let is_base64url =
        |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    // An encrypted token may have no encrypted key; both begin with their header.
    let parts: Vec<&str> = text.split('.').collect();
    PARTS.contains(&parts.len()) && parts.iter().all(|part| is_base64url(part)) && !text.starts_with('.')
}

#[cfg(test)]
mod tests {
    use token_broker_proto::Secret;

    use super::is_jwt;

    #[test]
    fn a_jwt_has_three_parts_or_five() {
        for (text, is) in [
            ("aGk.e30.c2ln", true),
            ("aGk..aXY.dA.dGFn", true),
            ("opaque", false),
            ("aGk.e30", false),
            ("aGk.e30.c2ln.x", false),
            (".e30.c2ln", false),
            ("aGk.e+0.c2ln", false),
            ("", false),
        ] {
            assert_eq!(is_jwt(&Secret::new(text)), is, "{text}");
        }
    }
}
