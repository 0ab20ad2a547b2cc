//! What only Microsoft's identity platform has, as pure functions.

pub mod aliases;
pub mod unified_cache;
