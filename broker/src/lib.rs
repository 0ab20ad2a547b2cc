//! The daemon of token-broker. The rooms and the arrows between them are drawn in ARCHITECTURE.md; [`daemon`] builds everything
//! and is the only file that knows all rooms.

pub mod access;
pub mod acquire;
pub mod admin;
pub mod certificate;
pub mod config;
pub mod daemon;
pub mod flow;
pub mod lifecycle;
pub mod metrics;
pub mod model;
pub mod paths;
pub mod ports;
pub mod provider;
pub mod reload;
pub mod server;
pub mod store;
