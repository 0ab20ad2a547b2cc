//! The machine around the daemon, as a test needs it now and then: the real program in a process of its own, a disk that is
//! full or cannot be written, a TLS front with certificates of every kind, and a caller that says what the client crate cannot.

pub mod disk;
pub mod program;
pub mod raw_client;
pub mod raw_frames;
pub mod tls;
