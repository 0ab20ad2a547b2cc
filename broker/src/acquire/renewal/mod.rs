//! Renewal.

mod pauses;

pub(super) use pauses::Pauses;
