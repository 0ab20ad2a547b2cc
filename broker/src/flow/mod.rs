//! The protocols as pure functions: `request(..)` builds what to send, `parse(.., now)` reads what came back. No input or output.

pub mod managed_identity;
pub mod microsoft;
pub mod oauth;
