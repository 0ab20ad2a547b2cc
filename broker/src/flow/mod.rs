//! The protocols as pure functions: `request(..)` builds what to send, `parse(.., now)` reads what came back. No input or output.

mod cache_key;
pub mod managed_identity;
pub mod microsoft;
pub mod oauth;

pub use cache_key::cache_key;
