//! What the silent flow needs at Microsoft beyond the standards: the tenant that a token is of, and why the cache did not
//! answer.

mod cause;
mod realm;

pub(super) use realm::in_tenant;
