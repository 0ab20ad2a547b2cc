//! The daemon of token-broker. The rooms and the arrows between them are drawn in ARCHITECTURE.md; `daemon` builds everything
//! and is the only file that knows all rooms.

pub mod access;
pub mod flow;
pub mod model;
pub mod ports;
pub mod store;
