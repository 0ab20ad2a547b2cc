//! The form of a grant in `status`.

use serde::Serialize;
use token_broker_client::{
    calls::{GrantFailure, GrantStatus},
    oauth::UnixTime,
};

use super::AccountJson;

/// A grant and how it does; instants in Unix seconds.
#[derive(Serialize)]
pub(crate) struct GrantJson<'a> {
    account: AccountJson<'a>,
    client_id: &'a str,
    /// `live`, `backing_off` or `sign_in_needed`.
    health: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_until: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_renewal: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backoff_until: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_failure: Option<GrantFailureJson<'a>>,
}

/// A refresh that failed.
#[derive(Serialize)]
pub(crate) struct GrantFailureJson<'a> {
    failed_on: i64,
    reason: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_error: Option<&'a str>,
    correlation_id: &'a str,
}

impl<'a> From<&'a GrantStatus> for GrantJson<'a> {
    fn from(grant: &'a GrantStatus) -> Self {
        Self {
            account: (&grant.account).into(),
            client_id: &grant.client_id,
            health: grant.health.as_str(),
            valid_until: grant.valid_until.map(UnixTime::seconds),
            next_renewal: grant.next_renewal.map(UnixTime::seconds),
            backoff_until: grant.backoff_until.map(UnixTime::seconds),
            last_failure: grant.last_failure.as_ref().map(Into::into),
        }
    }
}

impl<'a> From<&'a GrantFailure> for GrantFailureJson<'a> {
    fn from(failure: &'a GrantFailure) -> Self {
        Self {
            failed_on: failure.on.seconds(),
            reason: failure.reason.as_str(),
            message: &failure.message,
            provider_error: failure.error.as_deref(),
            correlation_id: &failure.correlation_id,
        }
    }
}
