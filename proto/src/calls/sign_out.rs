//! `SignOut`: the request and what became of it.

use std::fmt;

use super::{Incomplete, given};
use crate::{
    Account, Invalid,
    oauth::{ApplicationName, CorrelationId},
    wire::v1,
};

/// A request to sign out. Its account may be the key of a session, so `Debug` leaves it out.
#[derive(Clone, PartialEq, Eq)]
pub struct SignOutRequest {
    /// Name of the application in the broker.
    pub application: ApplicationName,
    /// Username, home account id or the key of a session; `None` for the only one.
    pub account: Option<String>,
    /// Whether to revoke the refresh token at the provider (RFC 7009).
    pub revoke: bool,
    /// Name of the call; `None` lets the daemon make one.
    pub correlation_id: Option<CorrelationId>,
}

impl fmt::Debug for SignOutRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignOutRequest { [redacted] }")
    }
}

impl TryFrom<v1::SignOutRequest> for SignOutRequest {
    type Error = Invalid;

    fn try_from(wire: v1::SignOutRequest) -> Result<Self, Invalid> {
        Ok(Self {
            application: ApplicationName::parse("application", &wire.application)?,
            account: given(wire.account),
            revoke: wire.revoke,
            correlation_id: CorrelationId::parse(&wire.correlation_id)?,
        })
    }
}

impl From<&SignOutRequest> for v1::SignOutRequest {
    fn from(request: &SignOutRequest) -> Self {
        Self {
            application: request.application.to_string(),
            account: request.account.clone().unwrap_or_default(),
            revoke: request.revoke,
            correlation_id: request.correlation_id.map(|id| id.to_string()).unwrap_or_default(),
        }
    }
}

/// What became of the revocation at the provider (RFC 7009).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revocation {
    /// Not asked for, or nothing to revoke.
    NotRequested,
    /// The provider accepted it.
    Accepted,
    /// It did not work, for this reason; the tokens are gone from the broker all the same.
    Failed(String),
}

/// What was signed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignOutAnswer {
    /// The account; `None` if nobody was signed in.
    pub account: Option<Account>,
    /// What became of the revocation.
    pub revocation: Revocation,
}

impl From<SignOutAnswer> for v1::SignOutResponse {
    fn from(answer: SignOutAnswer) -> Self {
        let (revocation, failure) = match answer.revocation {
            Revocation::NotRequested => (v1::Revocation::NotRequested, String::new()),
            Revocation::Accepted => (v1::Revocation::Accepted, String::new()),
            Revocation::Failed(why) => (v1::Revocation::Failed, why),
        };
        Self { account: answer.account.map(Into::into), revocation: revocation.into(), revocation_failure: failure }
    }
}

impl TryFrom<v1::SignOutResponse> for SignOutAnswer {
    type Error = Incomplete;

    fn try_from(wire: v1::SignOutResponse) -> Result<Self, Incomplete> {
        let revocation = match v1::Revocation::try_from(wire.revocation) {
            Ok(v1::Revocation::NotRequested) => Revocation::NotRequested,
            Ok(v1::Revocation::Accepted) => Revocation::Accepted,
            Ok(v1::Revocation::Failed) => Revocation::Failed(wire.revocation_failure),
            Ok(v1::Revocation::Unspecified) | Err(_) => return Err(Incomplete("revocation")),
        };
        Ok(Self { account: wire.account.map(Into::into), revocation })
    }
}
