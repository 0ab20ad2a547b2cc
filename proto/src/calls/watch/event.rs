//! `WatchEvents`: what happens to applications, accounts and tokens. No event carries a token.

use crate::{
    Account, Reason,
    calls::{CacheEntryId, Incomplete},
    oauth::{CorrelationId, ScopeSet, UnixTime},
    wire::v1,
};

/// Something that happened, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRecord {
    /// When.
    pub occurred_on: UnixTime,
    /// What.
    pub event: Event,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Events before this one may be missing: ask for what is there, then follow.
    Resync {
        /// How many are missing because the reader was slow; 0 in the first event.
        missed: u64,
    },
    /// A user signed in.
    SignedIn(Account),
    /// A user signed out.
    SignedOut(Account),
    /// A new access token is stored.
    TokenRenewed(Renewal),
    /// A new access token could not be had.
    RenewalFailed(RenewalFailure),
    /// A new access token cannot be had without the user.
    SignInNeeded(RenewalFailure),
    /// An application was registered, by this name.
    ApplicationAdded(String),
    /// The registration of an application was replaced, by this name.
    ApplicationReplaced(String),
    /// An application was removed, by this name.
    ApplicationRemoved(String),
    /// An entry of the cache was removed.
    CacheEntryRemoved(CacheEntryId),
}

/// A new access token, without the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renewal {
    /// Name of the application that asked for it.
    pub application: String,
    /// Whose it is; `None` for an app-only token.
    pub account: Option<Account>,
    /// Granted scopes.
    pub scopes: ScopeSet,
    /// When it expires.
    pub expires_on: UnixTime,
}

/// Why a new access token could not be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenewalFailure {
    /// Name of the application that asked for it.
    pub application: String,
    /// Whose it would be; `None` for an app-only token.
    pub account: Option<Account>,
    /// Why, for programs.
    pub reason: Reason,
    /// Why, for people.
    pub message: String,
    /// Name of the request, in the daemon's log and at the provider.
    pub correlation_id: CorrelationId,
}

impl Event {
    /// Name of the application that it is about, if it is about one.
    #[must_use]
    pub fn application(&self) -> Option<&str> {
        match self {
            Self::SignedIn(account) | Self::SignedOut(account) => Some(&account.application),
            Self::TokenRenewed(renewal) => Some(&renewal.application),
            Self::RenewalFailed(failure) | Self::SignInNeeded(failure) => Some(&failure.application),
            Self::ApplicationAdded(name) | Self::ApplicationReplaced(name) | Self::ApplicationRemoved(name) => {
                Some(name)
            }
            Self::Resync { .. } | Self::CacheEntryRemoved(_) => None,
        }
    }
}

impl From<EventRecord> for v1::WatchEventsResponse {
    fn from(record: EventRecord) -> Self {
        use v1::watch_events_response::Event as Wire;
        let event = match record.event {
            Event::Resync { missed } => Wire::Resync(v1::Resync { missed: i64::try_from(missed).unwrap_or(i64::MAX) }),
            Event::SignedIn(account) => Wire::SignedIn(account.into()),
            Event::SignedOut(account) => Wire::SignedOut(account.into()),
            Event::TokenRenewed(renewal) => Wire::TokenRenewed(renewal.into()),
            Event::RenewalFailed(failure) => Wire::RenewalFailed(failure.into()),
            Event::SignInNeeded(failure) => Wire::SignInNeeded(failure.into()),
            Event::ApplicationAdded(name) => Wire::ApplicationAdded(name),
            Event::ApplicationReplaced(name) => Wire::ApplicationReplaced(name),
            Event::ApplicationRemoved(name) => Wire::ApplicationRemoved(name),
            Event::CacheEntryRemoved(id) => Wire::CacheEntryRemoved(id.to_string()),
        };
        Self { occurred_on: record.occurred_on.seconds(), event: Some(event) }
    }
}

impl TryFrom<v1::WatchEventsResponse> for EventRecord {
    type Error = Incomplete;

    fn try_from(wire: v1::WatchEventsResponse) -> Result<Self, Incomplete> {
        use v1::watch_events_response::Event as Wire;
        let event = match wire.event.ok_or(Incomplete("event"))? {
            Wire::Resync(resync) => Event::Resync { missed: u64::try_from(resync.missed).unwrap_or(0) },
            Wire::SignedIn(account) => Event::SignedIn(account.into()),
            Wire::SignedOut(account) => Event::SignedOut(account.into()),
            Wire::TokenRenewed(renewal) => Event::TokenRenewed(renewal.try_into()?),
            Wire::RenewalFailed(failure) => Event::RenewalFailed(failure.try_into()?),
            Wire::SignInNeeded(failure) => Event::SignInNeeded(failure.try_into()?),
            Wire::ApplicationAdded(name) => Event::ApplicationAdded(name),
            Wire::ApplicationReplaced(name) => Event::ApplicationReplaced(name),
            Wire::ApplicationRemoved(name) => Event::ApplicationRemoved(name),
            Wire::CacheEntryRemoved(id) => {
                Event::CacheEntryRemoved(id.parse().map_err(|_| Incomplete("cache_entry_removed"))?)
            }
        };
        Ok(Self { occurred_on: UnixTime::from_seconds(wire.occurred_on), event })
    }
}

impl From<Renewal> for v1::TokenRenewed {
    fn from(renewal: Renewal) -> Self {
        Self {
            application: renewal.application,
            account: renewal.account.map(Into::into),
            scopes: renewal.scopes.to_strings(),
            expires_on: renewal.expires_on.seconds(),
        }
    }
}

impl TryFrom<v1::TokenRenewed> for Renewal {
    type Error = Incomplete;

    fn try_from(wire: v1::TokenRenewed) -> Result<Self, Incomplete> {
        Ok(Self {
            application: wire.application,
            account: wire.account.map(Into::into),
            scopes: ScopeSet::parse(wire.scopes.iter().map(String::as_str)).map_err(|_| Incomplete("scopes"))?,
            expires_on: UnixTime::from_seconds(wire.expires_on),
        })
    }
}

impl From<RenewalFailure> for v1::RenewalFailed {
    fn from(failure: RenewalFailure) -> Self {
        Self {
            application: failure.application,
            account: failure.account.map(Into::into),
            reason: failure.reason.as_str().to_owned(),
            message: failure.message,
            correlation_id: failure.correlation_id.to_string(),
        }
    }
}

impl TryFrom<v1::RenewalFailed> for RenewalFailure {
    type Error = Incomplete;

    fn try_from(wire: v1::RenewalFailed) -> Result<Self, Incomplete> {
        let correlation_id = CorrelationId::parse(&wire.correlation_id).ok().flatten();
        Ok(Self {
            application: wire.application,
            account: wire.account.map(Into::into),
            reason: wire.reason.parse().map_err(|_| Incomplete("reason"))?,
            message: wire.message,
            correlation_id: correlation_id.ok_or(Incomplete("correlation_id"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, EventRecord, Renewal, RenewalFailure};
    use crate::{
        Account, Reason,
        oauth::{CorrelationId, ScopeSet, UnixTime},
        wire::v1,
    };

    #[test]
    fn every_event_reads_back() {
        let account = Account {
            home_account_id: "1".into(),
            username: "ada".into(),
            name: None,
            environment: "id.example".into(),
            tenant: String::new(),
            application: "mail".into(),
        };
        let renewal = Renewal {
            application: "mail".into(),
            account: None,
            scopes: ScopeSet::parse(["a b"]).unwrap(),
            expires_on: UnixTime::from_seconds(9),
        };
        let failure = RenewalFailure {
            application: "mail".into(),
            account: Some(account.clone()),
            reason: Reason::AuthorityUnavailable,
            message: "away".into(),
            correlation_id: CorrelationId::from_random([3; 16]),
        };
        for event in [
            Event::Resync { missed: 3 },
            Event::SignedIn(account.clone()),
            Event::SignedOut(account),
            Event::TokenRenewed(renewal),
            Event::RenewalFailed(failure.clone()),
            Event::SignInNeeded(failure),
            Event::ApplicationAdded("a".into()),
            Event::ApplicationReplaced("b".into()),
            Event::ApplicationRemoved("c".into()),
            Event::CacheEntryRemoved("at-1".parse().unwrap()),
        ] {
            let record = EventRecord { occurred_on: UnixTime::from_seconds(5), event };
            assert_eq!(EventRecord::try_from(v1::WatchEventsResponse::from(record.clone())), Ok(record));
        }
    }
}
