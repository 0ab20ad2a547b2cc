//! The integration tests, one binary: the rules of the house, the harness proven against itself, then the daemon against real
//! servers. What a machine lacks is announced as SKIPPED and never passes silently.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "the whole binary is tests; their helpers stand outside of test functions"
)]

mod house;
mod layers;
mod proto_lint;
mod selftest;
mod source;
