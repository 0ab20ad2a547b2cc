//! Who calls, and what they may do: pure values and decisions, no input or output.

mod caller;

pub use caller::{Caller, Door, Peer, Stranger};
