//! What only Microsoft's identity platform has, as pure functions.

pub mod unified_cache;
