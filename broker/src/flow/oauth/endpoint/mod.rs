//! What requests to a provider's endpoints and their answers have in common: the client and how it authenticates (RFC 6749,
//! section 2.3), form bodies, JSON answers and the errors (RFC 6749, section 5.2). No flow of its own.

mod answer;
mod client;
pub(in crate::flow) mod document;
mod provider_error;
mod request;
mod retry_after;
mod text;
mod token_error;

pub(in crate::flow) use answer::Answer;
pub use client::{ClientContext, MissingEndpoint};
pub use document::DocumentError;
pub use request::TokenParameters;
pub(in crate::flow) use request::{Form, post_text, uri};
pub(in crate::flow) use retry_after::retry_after;
pub(in crate::flow) use text::{is_visible_ascii, readable, same_text};
pub use token_error::TokenError;
pub(in crate::flow) use token_error::{is_unavailable, redirected_to};
pub(super) use token_error::{read_success, succeeded};
