//! The health of a grant, as `GetStatus` tells it.

use super::{Incomplete, given};
use crate::{Account, Reason, oauth::UnixTime, wire::v1};

/// A grant and how it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantStatus {
    /// Whose it is, and the application that it is for.
    pub account: Account,
    /// The client that holds it.
    pub client_id: String,
    /// Whether it works.
    pub health: GrantHealth,
    /// Until when its newest access token is valid; in the past for one that expired.
    pub valid_until: Option<UnixTime>,
    /// When it is refreshed ahead of time; `None` while nobody uses it.
    pub next_renewal: Option<UnixTime>,
    /// No refresh before this.
    pub backoff_until: Option<UnixTime>,
    /// The last refresh that failed since the sign-in, even if later ones went well.
    pub last_failure: Option<GrantFailure>,
}

/// Whether a grant works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantHealth {
    /// As far as is known, yes.
    Live,
    /// The last refreshes failed for a reason that may pass.
    BackingOff,
    /// The provider refused it: the user has to sign in.
    SignInNeeded,
}

impl GrantHealth {
    /// The word of the JSON output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::BackingOff => "backing_off",
            Self::SignInNeeded => "sign_in_needed",
        }
    }
}

/// A refresh that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantFailure {
    /// When.
    pub on: UnixTime,
    /// The stable word for it.
    pub reason: Reason,
    /// A sentence for people.
    pub message: String,
    /// The provider's `error` code, if it answered with one.
    pub error: Option<String>,
    /// Names the call in the daemon's log and in the provider's.
    pub correlation_id: String,
}

fn seconds(instant: Option<UnixTime>) -> i64 {
    instant.map_or(0, UnixTime::seconds)
}

impl From<GrantStatus> for v1::GrantStatus {
    fn from(status: GrantStatus) -> Self {
        let health = match status.health {
            GrantHealth::Live => v1::GrantHealth::Live,
            GrantHealth::BackingOff => v1::GrantHealth::BackingOff,
            GrantHealth::SignInNeeded => v1::GrantHealth::SignInNeeded,
        };
        Self {
            account: Some(status.account.into()),
            client_id: status.client_id,
            health: health.into(),
            valid_until: seconds(status.valid_until),
            next_renewal: seconds(status.next_renewal),
            backoff_until: seconds(status.backoff_until),
            last_failure: status.last_failure.map(|failure| v1::GrantFailure {
                failed_on: failure.on.seconds(),
                reason: failure.reason.as_str().to_owned(),
                message: failure.message,
                provider_error: failure.error.unwrap_or_default(),
                correlation_id: failure.correlation_id,
            }),
        }
    }
}

impl TryFrom<v1::GrantStatus> for GrantStatus {
    type Error = Incomplete;

    fn try_from(wire: v1::GrantStatus) -> Result<Self, Incomplete> {
        let health = match v1::GrantHealth::try_from(wire.health) {
            Ok(v1::GrantHealth::Live) => GrantHealth::Live,
            Ok(v1::GrantHealth::BackingOff) => GrantHealth::BackingOff,
            Ok(v1::GrantHealth::SignInNeeded) => GrantHealth::SignInNeeded,
            Ok(v1::GrantHealth::Unspecified) | Err(_) => return Err(Incomplete("health")),
        };
        Ok(Self {
            account: wire.account.ok_or(Incomplete("account"))?.into(),
            client_id: wire.client_id,
            health,
            valid_until: UnixTime::from_wire(wire.valid_until),
            next_renewal: UnixTime::from_wire(wire.next_renewal),
            backoff_until: UnixTime::from_wire(wire.backoff_until),
            last_failure: wire.last_failure.map(|failure| GrantFailure {
                on: UnixTime::from_seconds(failure.failed_on),
                // A word of a newer daemon.
                reason: failure.reason.parse().unwrap_or(Reason::Internal),
                message: failure.message,
                error: given(failure.provider_error),
                correlation_id: failure.correlation_id,
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{GrantFailure, GrantHealth, GrantStatus};
    use crate::{Account, Reason, oauth::UnixTime, wire::v1};

    #[test]
    fn every_word_reads_back() {
        for health in [GrantHealth::Live, GrantHealth::BackingOff, GrantHealth::SignInNeeded] {
            let status = GrantStatus {
                account: Account {
                    home_account_id: "id".into(),
                    username: "ada".into(),
                    name: None,
                    environment: "id.example".into(),
                    tenant: String::new(),
                    application: "mail".into(),
                },
                client_id: "native-app".into(),
                health,
                valid_until: Some(UnixTime::from_seconds(7)),
                next_renewal: None,
                backoff_until: Some(UnixTime::from_seconds(9)),
                last_failure: Some(GrantFailure {
                    on: UnixTime::from_seconds(3),
                    reason: Reason::AuthorityUnavailable,
                    message: "it is down".into(),
                    error: Some("temporarily_unavailable".into()),
                    correlation_id: "c".into(),
                }),
            };
            assert_eq!(GrantStatus::try_from(v1::GrantStatus::from(status.clone())), Ok(status));
        }
    }
}
