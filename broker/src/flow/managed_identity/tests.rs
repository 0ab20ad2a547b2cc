//! Every vector of managed identity.
