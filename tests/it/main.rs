//! The integration tests, one binary: the rules of the house, the harness proven against itself, then the daemon against real
//! servers. What a machine lacks is announced as SKIPPED and never passes silently.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "the whole binary is tests; their helpers stand outside of test functions, and their tasks end with their runtime"
)]

mod azure;
mod bad_input;
mod cache_import;
mod chromium;
mod credentials;
mod faults;
mod grants;
mod grpcio;
mod house;
mod key_bound;
mod layers;
mod limits;
mod main_job;
mod managed_identity;
mod migration;
mod msal;
mod on_behalf_of;
mod proto_lint;
mod python;
mod readme;
mod secrets;
mod selftest;
mod service;
mod simulation;
mod single_flight;
mod source;
mod standing_task;
mod strangers;
mod torture;
mod transcripts;
mod traps;
mod versions;
mod watch;
mod web_app;
mod without_page;
