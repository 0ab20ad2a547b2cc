//! From the words of the API to their JSON forms.

use std::time::Duration;

use token_broker_client::{
    Account, Failure, Invalid, ProviderError, RemovedApplication, Secret, Verification,
    calls::{
        Application, CacheEntry, DaemonStatus, Revocation, SessionKey, SignInEvent, SignOutAnswer, SignedHttpRequest,
        TokenAnswer,
    },
    oauth::{ApplicationName, ManagedIdentitySource, Scope, UnixTime},
};

use super::{
    AccountJson, AccountsJson, ApplicationJson, ApplicationsJson, CountsJson, EntriesJson, EntryJson, ErrorJson,
    ManagedIdentityJson, ProviderJson, RemovedJson, SignInJson, SignOutJson, SignedJson, StatusJson, TokenJson,
    VerificationJson,
};

impl<'a> From<&'a Account> for AccountJson<'a> {
    fn from(account: &'a Account) -> Self {
        Self {
            home_account_id: &account.home_account_id,
            username: &account.username,
            name: account.name.as_deref(),
            environment: &account.environment,
            tenant: &account.tenant,
            application: &account.application,
        }
    }
}

impl<'a> From<&'a TokenAnswer> for TokenJson<'a> {
    fn from(answer: &'a TokenAnswer) -> Self {
        Self {
            access_token: answer.access_token.expose(),
            token_type: &answer.token_type,
            expires_on: answer.expires_on.seconds(),
            refresh_on: answer.refresh_on.map(UnixTime::seconds),
            scopes: answer.scopes.iter().map(Scope::as_str).collect(),
            account: answer.account.as_ref().map(Into::into),
            id_token: answer.id_token.as_ref().map(Secret::expose),
            token_source: answer.source.as_str(),
            correlation_id: answer.correlation_id.to_string(),
            key_id: answer.key_id.as_deref(),
            session_key: answer.session_key.as_ref().map(SessionKey::expose),
        }
    }
}

impl<'a> From<&'a SignedHttpRequest> for SignedJson<'a> {
    fn from(signed: &'a SignedHttpRequest) -> Self {
        Self {
            authorization: signed.authorization.expose(),
            token_type: "pop",
            expires_on: signed.expires_on.seconds(),
            scopes: signed.scopes.iter().map(Scope::as_str).collect(),
            account: signed.account.as_ref().map(Into::into),
            token_source: signed.source.as_str(),
            key_id: &signed.key_id,
            correlation_id: signed.correlation_id.to_string(),
        }
    }
}

impl<'a> From<&'a SignInEvent> for SignInJson<'a> {
    fn from(event: &'a SignInEvent) -> Self {
        match event {
            SignInEvent::OpenUrl(url) => Self::OpenUrl { url: url.expose() },
            SignInEvent::UserCode(code) => Self::UserCode {
                verification_uri: &code.verification_uri,
                verification_uri_complete: code.verification_uri_complete.as_ref().map(Secret::expose),
                user_code: code.user_code.expose(),
                expires_on: code.expires_on.seconds(),
            },
            SignInEvent::SignedIn(account) => Self::SignedIn { account: account.into() },
        }
    }
}

impl<'a> From<&'a SignOutAnswer> for SignOutJson<'a> {
    fn from(answer: &'a SignOutAnswer) -> Self {
        let (revocation, revocation_failure) = match &answer.revocation {
            Revocation::NotRequested => ("not_requested", None),
            Revocation::Accepted => ("accepted", None),
            Revocation::Failed(why) => ("failed", Some(why.as_str())),
        };
        Self { account: answer.account.as_ref().map(Into::into), revocation, revocation_failure }
    }
}

impl<'a> From<&'a [Account]> for AccountsJson<'a> {
    fn from(accounts: &'a [Account]) -> Self {
        Self { accounts: accounts.iter().map(Into::into).collect() }
    }
}

impl<'a> From<&'a Application> for ApplicationJson<'a> {
    fn from(application: &'a Application) -> Self {
        Self {
            name: &application.name,
            client_id: &application.client_id,
            authority: &application.authority,
            credential: application.credential.as_str(),
            scopes: &application.scopes,
            credential_fingerprint: application.credential_fingerprint.as_deref(),
            redirect_uri: application.redirect_uri.as_deref(),
            client_capabilities: &application.client_capabilities,
            no_instance_discovery: application.no_instance_discovery,
            keep_alive_seconds: application.keep_alive.as_ref().map(Duration::as_secs),
            managed_identity: application.managed_identity.as_ref().map(|identity| ManagedIdentityJson {
                id_kind: identity.id.kind(),
                source: identity.source.map(ManagedIdentitySource::as_str),
            }),
            options: (&application.options).into(),
        }
    }
}

impl<'a> From<&'a [Application]> for ApplicationsJson<'a> {
    fn from(applications: &'a [Application]) -> Self {
        Self { applications: applications.iter().map(Into::into).collect() }
    }
}

impl<'a> RemovedJson<'a> {
    /// What went with the application.
    pub(crate) fn new(name: &'a ApplicationName, removed: RemovedApplication) -> Self {
        Self { name: name.as_str(), accounts_removed: removed.accounts, tokens_removed: removed.tokens }
    }
}

impl<'a> From<&'a CacheEntry> for EntryJson<'a> {
    fn from(entry: &'a CacheEntry) -> Self {
        Self {
            id: entry.id.to_string(),
            kind: entry.id.kind.as_str(),
            application: entry.application.as_deref(),
            account: entry.account.as_ref().map(Into::into),
            scopes: &entry.scopes,
            token_type: entry.token_type.as_deref(),
            expires_on: entry.expires_on.map(UnixTime::seconds),
            fingerprint: &entry.fingerprint,
            environment: &entry.environment,
            client_id: &entry.client_id,
            generation: entry.generation,
            key_id: entry.key_id.as_deref(),
        }
    }
}

impl<'a> From<&'a [CacheEntry]> for EntriesJson<'a> {
    fn from(entries: &'a [CacheEntry]) -> Self {
        Self { entries: entries.iter().map(Into::into).collect() }
    }
}

impl<'a> From<&'a Verification> for VerificationJson<'a> {
    fn from(verification: &'a Verification) -> Self {
        Self { rows_checked: verification.rows_checked, problems: &verification.problems }
    }
}

impl<'a> From<&'a DaemonStatus> for StatusJson<'a> {
    fn from(status: &'a DaemonStatus) -> Self {
        Self {
            version: &status.version,
            pid: status.pid,
            uptime_seconds: status.uptime_seconds,
            locked: status.lock_reason.is_some(),
            lock_reason: status.lock_reason.as_deref(),
            notices: &status.notices,
            key_source: &status.key_source,
            data_dir: &status.data_dir,
            socket: &status.socket,
            counts: CountsJson {
                applications: status.counts.applications,
                accounts: status.counts.accounts,
                access_tokens: status.counts.access_tokens,
                refresh_tokens: status.counts.refresh_tokens,
            },
            executable: &status.executable,
            executable_replaced: status.executable_replaced,
            grants: status.grants.iter().map(Into::into).collect(),
        }
    }
}

impl<'a> ErrorJson<'a> {
    /// An error of which only this is known.
    pub(crate) fn new(reason: &'static str, message: String, advice: Option<String>) -> Self {
        Self {
            reason,
            message,
            correlation_id: None,
            provider: None,
            candidates: Vec::new(),
            advice,
            retry_after_seconds: None,
            field: None,
            limit: None,
        }
    }

    /// A failure that the daemon told of.
    pub(crate) fn of(failure: &'a Failure, message: String, advice: Option<String>) -> Self {
        Self {
            correlation_id: failure.correlation_id.as_deref(),
            provider: failure.provider.as_ref().map(Into::into),
            candidates: failure.candidates.iter().map(Into::into).collect(),
            retry_after_seconds: failure.retry_after.as_ref().map(Duration::as_secs),
            field: failure.field.as_deref(),
            limit: failure.limit.as_deref(),
            ..Self::new(failure.reason.as_str(), message, advice)
        }
    }

    /// An argument that breaks a rule.
    pub(crate) fn invalid(invalid: &Invalid, message: String, advice: Option<String>) -> Self {
        Self {
            field: Some(invalid.field),
            ..Self::new(token_broker_client::Reason::InvalidRequest.as_str(), message, advice)
        }
    }
}

impl<'a> From<&'a ProviderError> for ProviderJson<'a> {
    fn from(provider: &'a ProviderError) -> Self {
        Self {
            error: &provider.error,
            suberror: provider.suberror.as_deref(),
            error_codes: &provider.error_codes,
            description: provider.description.as_deref(),
            claims: provider.claims.as_deref(),
            correlation_id: provider.correlation_id.as_deref(),
            error_uri: provider.error_uri.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests;
