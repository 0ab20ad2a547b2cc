//! Managed identity of Azure as pure functions: where the machine gives out tokens (`source`), what it is asked (`request`), Azure
//! Arc's challenge (`challenge`), what it answers (`response`), and how often it is asked again (`retry`). No RFC stands behind
//! it: each source has a form of its own, and MSAL is the judge. Owns no environment, no file, no connection, no clock.

mod challenge;
mod request;
mod resource;
mod response;
mod retry;
mod source;
#[cfg(test)]
mod tests;

pub use challenge::{answered, challenged_file};
pub use request::{Question, request};
pub use resource::resource;
pub use response::parse;
pub use retry::Retries;
pub use source::{Environment, Source, SourceError, VARIABLES};
