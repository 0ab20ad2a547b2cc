//! What the silent flow needs at Microsoft beyond the standards: the tenant that a token is of, why the cache did not answer,
//! and the grants that clients of a family share.

mod cause;
mod family;
mod realm;
mod region;

pub(super) use realm::in_tenant;
pub(super) use region::Whereabouts;
