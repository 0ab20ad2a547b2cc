//! The private words of the broker: what may never leave it (refresh tokens, credentials) and how stored things are named.
//! The words that clients share live in `token_broker_proto`.

mod application;
mod credential;
mod desk_error;
mod grant;
mod http;
mod provider_metadata;
mod token;
mod user;

pub use application::{ApplicationStamp, Client, RegisteredApplication};
pub use credential::{Certificate, Credential, KeyKind, Presented, PrivateKey};
pub use desk_error::{DeskError, Interaction, Meaning, Next};
pub use grant::{
    AppMetadata, Backoff, FAMILY, Grant, GrantHolder, GrantKey, GrantStamp, GrantState, RefreshFailure, RefreshToken,
    Wait,
};
pub use http::{HttpRequest, HttpResponse, Route};
pub use provider_metadata::{ClientAuthentication, Dialect, ProviderMetadata};
pub use token::{CachedToken, TokenBinding, TokenPartition};
pub use user::{IdentityDocuments, TokenSubject, User};
