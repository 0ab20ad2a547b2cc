//! Who calls, and what they may do: pure values and decisions, no input or output.

mod caller;
mod limits;
mod tally;

pub use caller::{Caller, Door, Peer, Stranger};
pub use limits::Limits;
pub use tally::{Full, Place, Tally};
