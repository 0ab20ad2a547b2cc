//! What `status` says of each grant: whether it works, until when there is a token, when the next one is fetched, what went
//! wrong last.

use std::sync::Arc;

use token_broker_proto::{
    Account,
    calls::{GrantFailure, GrantHealth, GrantStatus},
    oauth::{ScopeSet, UnixTime},
};

use super::Desk;
use crate::{
    access::Caller,
    acquire::found::partition,
    model::{Client, DeskError, Grant, GrantState, RefreshFailure, RegisteredApplication, TokenBinding, User},
    store::{GrantEntry, StoreError, StoredApplication},
};

/// Most grants that are told of; the counts of the store say how many there are.
const MOST: usize = 100;

impl Desk {
    /// The first grants, who signed in first comes first; none while the store is locked.
    pub fn grants(&self, caller: &Caller) -> Result<Vec<GrantStatus>, DeskError> {
        tracing::debug!(%caller, "status of the grants");
        let read = || Ok((self.vault.grants_page(None, 0, MOST)?, self.vault.applications()?));
        let (grants, applications) = match read() {
            Err(StoreError::Locked(_)) => return Ok(Vec::new()),
            found => found?,
        };
        grants.iter().map(|entry| self.grant_status(entry, &applications)).collect()
    }

    fn grant_status(&self, entry: &GrantEntry, applications: &[StoredApplication]) -> Result<GrantStatus, DeskError> {
        let (environment, client_id) = (entry.key.environment.clone(), entry.client_id.clone());
        let client = Client { environment, client_id };
        let users = match &entry.grant.user {
            Some(user) => Arc::from([user.clone()]),
            None => self.vault.find_users(&client, Some(&entry.key.home_account_id))?,
        };
        let found = applications.iter().find(|stored| stored.application.client() == client);
        let application = found.map(|stored| &stored.application);
        let (valid_until, next_renewal) = match (application, users.first()) {
            _ if entry.key.is_session() => (None, None),
            (Some(application), Some(user)) => self.prospects(application, user, &entry.grant)?,
            _ => (None, None),
        };
        let pause = entry.grant.state.pause(self.clock.now());
        Ok(GrantStatus {
            account: account(entry, users.first(), &client, application),
            client_id: client.client_id.to_string(),
            health: health(&entry.grant.state),
            valid_until,
            next_renewal,
            backoff_until: pause.map(|left| self.clock.now().plus(left)),
            last_failure: entry.grant.last_failure.as_ref().map(failure),
        })
    }

    /// Until when its newest token is valid, and when that will be renewed.
    fn prospects(
        &self,
        application: &RegisteredApplication,
        user: &User,
        grant: &Grant,
    ) -> Result<(Option<UnixTime>, Option<UnixTime>), DeskError> {
        let realm = self.kept_realm(&application.authority)?;
        let partition = partition(application, Some(user), &realm, &TokenBinding::Bearer);
        let token = self.vault.find_token(&partition, &ScopeSet::default(), &|_| true)?;
        let works = !matches!(grant.state, GrantState::Refused { .. });
        let ahead = token.as_ref().and_then(|token| self.in_use.due_of(&partition, token));
        let kept_alive = application.keep_alive.map(|longest| grant.last_used_on.plus(longest));
        let next = [ahead, kept_alive].into_iter().flatten().min().filter(|_| works);
        Ok((token.map(|token| token.expires_on), next))
    }
}

fn account(
    entry: &GrantEntry,
    user: Option<&User>,
    client: &Client,
    application: Option<&RegisteredApplication>,
) -> Account {
    if let (Some(user), Some(application)) = (user, application) {
        return user.account(client, &application.name);
    }
    Account {
        home_account_id: entry.key.home_account_id.clone(),
        username: user.map(|user| user.username.clone()).unwrap_or_default(),
        name: user.and_then(|user| user.name.clone()),
        environment: client.environment.clone(),
        tenant: user.map(|user| user.tenant.clone()).unwrap_or_default(),
        application: application.map(|application| application.name.to_string()).unwrap_or_default(),
    }
}

fn health(state: &GrantState) -> GrantHealth {
    match state {
        GrantState::Live => GrantHealth::Live,
        GrantState::BackingOff(_) => GrantHealth::BackingOff,
        GrantState::Refused { .. } => GrantHealth::SignInNeeded,
    }
}

fn failure(failure: &RefreshFailure) -> GrantFailure {
    GrantFailure {
        on: failure.on,
        reason: failure.reason,
        message: failure.message.clone(),
        error: failure.error.clone(),
        correlation_id: failure.correlation_id.clone(),
    }
}
