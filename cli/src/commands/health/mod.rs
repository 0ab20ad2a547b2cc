//! How the daemon is: `status` in a few facts, `metrics` as text for monitoring, `doctor` with what is wrong and what to do.

mod around;
pub(super) mod doctor;
pub(super) mod metrics;
pub(super) mod status;

use super::{Session, service};
