//! The outside world behind small traits, so that desks and flows can be run with a scripted one: HTTP to a provider, the
//! clock, randomness, the loopback listener of a browser sign-in, the machine's environment, and the program's own file.

pub mod assertion_file;
pub mod clock;
pub mod entropy;
mod executable;
pub mod http;
pub mod loopback;
pub mod machine;

pub use clock::Clock;
pub use entropy::Entropy;
pub use executable::Executable;
pub use http::Http;
pub use loopback::{Loopback, Page};
pub use machine::Machine;
