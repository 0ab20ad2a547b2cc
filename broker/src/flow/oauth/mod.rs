//! OAuth 2.0 and OpenID Connect as pure functions: `request(..)` builds what to send, `parse(.., now)` reads what came back.
//! Owns the wire form of the protocols and the limits on every foreign byte. Owns no clock, no randomness, no connection and
//! no decision about what to do next: the desk `acquire` has those.

pub mod authorization_code;
pub mod client_assertion;
pub mod client_credentials;
pub mod device_code;
pub mod discovery;
pub(super) mod endpoint;
pub mod id_token;
pub(super) mod issuer;
pub mod jose;
pub mod on_behalf_of;
pub mod password;
pub mod proof_of_possession;
pub mod refresh_token;
pub mod revocation;
mod sign_in_scopes;
pub mod token_response;
#[cfg(test)]
pub(super) mod vectors;

pub use endpoint::{ClientContext, DocumentError, MissingEndpoint, TokenError, TokenParameters};
pub use jose::jwks;
pub use sign_in_scopes::sign_in_scopes;
