//! The forms of `watch` (beside those of `token`) and `events`.

use serde::Serialize;
use token_broker_client::{
    calls::{Event, EventRecord, RenewalFailure, SignInNeeded, TokenExpired},
    oauth::{Scope, UnixTime},
};

use super::AccountJson;

/// `watch`: what is no token.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum TokenEventJson<'a> {
    SignInNeeded {
        message: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        claims: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        token_expires_on: Option<i64>,
    },
    TokenExpired {
        expires_on: i64,
        reason: &'static str,
        message: &'a str,
    },
}

/// `events`: one for each event, a line each.
#[derive(Serialize)]
pub(crate) struct EventJson<'a> {
    #[serde(flatten)]
    what: WhatJson<'a>,
    occurred_on: i64,
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum WhatJson<'a> {
    Resync { missed: u64 },
    SignedIn { account: AccountJson<'a> },
    SignedOut { account: AccountJson<'a> },
    TokenRenewed { application: &'a str, account: Option<AccountJson<'a>>, scopes: Vec<&'a str>, expires_on: i64 },
    RenewalFailed(FailureJson<'a>),
    SignInNeeded(FailureJson<'a>),
    ApplicationAdded { application: &'a str },
    ApplicationReplaced { application: &'a str },
    ApplicationRemoved { application: &'a str },
    CacheEntryRemoved { id: String },
}

/// Why a token could not be had.
#[derive(Serialize)]
struct FailureJson<'a> {
    application: &'a str,
    account: Option<AccountJson<'a>>,
    reason: &'static str,
    message: &'a str,
    correlation_id: String,
}

impl<'a> From<&'a SignInNeeded> for TokenEventJson<'a> {
    fn from(needed: &'a SignInNeeded) -> Self {
        Self::SignInNeeded {
            message: &needed.message,
            claims: needed.claims.as_deref(),
            token_expires_on: needed.token_expires_on.map(UnixTime::seconds),
        }
    }
}

impl<'a> From<&'a TokenExpired> for TokenEventJson<'a> {
    fn from(expired: &'a TokenExpired) -> Self {
        let TokenExpired { expires_on, reason, message } = expired;
        Self::TokenExpired { expires_on: expires_on.seconds(), reason: reason.as_str(), message }
    }
}

impl<'a> From<&'a EventRecord> for EventJson<'a> {
    fn from(record: &'a EventRecord) -> Self {
        Self { what: (&record.event).into(), occurred_on: record.occurred_on.seconds() }
    }
}

impl<'a> From<&'a Event> for WhatJson<'a> {
    fn from(event: &'a Event) -> Self {
        match event {
            Event::Resync { missed } => Self::Resync { missed: *missed },
            Event::SignedIn(account) => Self::SignedIn { account: account.into() },
            Event::SignedOut(account) => Self::SignedOut { account: account.into() },
            Event::TokenRenewed(renewal) => Self::TokenRenewed {
                application: &renewal.application,
                account: renewal.account.as_ref().map(Into::into),
                scopes: renewal.scopes.iter().map(Scope::as_str).collect(),
                expires_on: renewal.expires_on.seconds(),
            },
            Event::RenewalFailed(failure) => Self::RenewalFailed(failure.into()),
            Event::SignInNeeded(failure) => Self::SignInNeeded(failure.into()),
            Event::ApplicationAdded(application) => Self::ApplicationAdded { application },
            Event::ApplicationReplaced(application) => Self::ApplicationReplaced { application },
            Event::ApplicationRemoved(application) => Self::ApplicationRemoved { application },
            Event::CacheEntryRemoved(id) => Self::CacheEntryRemoved { id: id.to_string() },
        }
    }
}

impl<'a> From<&'a RenewalFailure> for FailureJson<'a> {
    fn from(failure: &'a RenewalFailure) -> Self {
        Self {
            application: &failure.application,
            account: failure.account.as_ref().map(Into::into),
            reason: failure.reason.as_str(),
            message: &failure.message,
            correlation_id: failure.correlation_id.to_string(),
        }
    }
}
