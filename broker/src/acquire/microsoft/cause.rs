//! Why the cache did not answer, as the provider is told.

use crate::acquire::{Desk, Purpose};
use crate::{
    flow::microsoft::telemetry::Cause,
    model::{DeskError, TokenPartition},
};
use token_broker_proto::oauth::ScopeSet;

impl Desk {
    /// Looks at what the cache has.
    pub(in crate::acquire) fn cause(
        &self,
        partition: &TokenPartition,
        scopes: &ScopeSet,
        purpose: &Purpose,
    ) -> Result<Cause, DeskError> {
        if purpose.forced || purpose.claims.is_some() {
            return Ok(Cause::Forced);
        }
        let now = self.clock.now();
        Ok(match self.vault.find_token(partition, scopes, &|_| true)? {
            None => Cause::Absent,
            Some(token) if token.expires_on > now && token.refresh_on.is_some_and(|on| on <= now) => Cause::Aging,
            Some(_) => Cause::Expired,
        })
    }
}
