//! The figures of a long run as the page broker/docs/torture.md.
