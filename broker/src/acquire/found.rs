//! Looks up what a request names: the application, the user, the cached token. Reads only.

use std::{sync::Arc, time::Duration};

use token_broker_proto::{
    Account,
    calls::ApplicationSelector,
    oauth::{ApplicationName, UnixTime},
};

use super::Desk;
use crate::{
    model::{CachedToken, Client, DeskError, Interaction, RegisteredApplication, TokenBinding, TokenPartition, User},
    store::StoredApplication,
};

impl Desk {
    /// The application of a request.
    pub(super) fn find_application(&self, selector: &ApplicationSelector) -> Result<Arc<StoredApplication>, DeskError> {
        let found = self.vault.find_application(selector)?;
        found.ok_or_else(|| {
            DeskError::ApplicationNotFound(match selector {
                ApplicationSelector::Name(name) => name.to_string(),
                ApplicationSelector::Client { client_id, authority } => format!("{client_id} at {authority}"),
            })
        })
    }

    /// The application of that name.
    pub(super) fn find_application_named(&self, name: &ApplicationName) -> Result<Arc<StoredApplication>, DeskError> {
        self.find_application(&ApplicationSelector::Name(name.clone()))
    }

    /// The user that a request means; `None` if nobody is signed in at all.
    pub(super) fn find_user(
        &self,
        application: &RegisteredApplication,
        selector: Option<&str>,
    ) -> Result<Option<User>, DeskError> {
        let client = application.client();
        let users = self.vault.find_users(&client, selector)?;
        if users.len() > 1 {
            let candidates = accounts(&users, &client, application);
            return Err(DeskError::AccountAmbiguous { candidates });
        }
        match (users.first(), selector) {
            (Some(user), _) => Ok(Some(user.clone())),
            (None, Some(named)) if !self.vault.users(&client, 1)?.is_empty() => {
                Err(DeskError::AccountNotFound { account: named.to_owned(), application: application.name.to_string() })
            }
            (None, _) => Ok(None),
        }
    }

    /// The user that a token request means: one must be signed in.
    pub(super) fn signed_in_user(
        &self,
        application: &RegisteredApplication,
        selector: Option<&str>,
    ) -> Result<User, DeskError> {
        self.find_user(application, selector)?.ok_or_else(|| DeskError::InteractionRequired {
            application: application.name.to_string(),
            why: Interaction::NotSignedIn,
        })
    }

    /// The accounts that are signed in, of one application or of all.
    pub fn list_accounts(
        &self,
        caller: &crate::access::Caller,
        application: Option<&ApplicationName>,
    ) -> Result<Vec<Account>, DeskError> {
        tracing::debug!(%caller, "list accounts");
        if let Some(name) = application {
            let found = self.find_application_named(name)?;
            let client = found.application.client();
            return Ok(accounts(&self.vault.users(&client, usize::MAX)?, &client, &found.application));
        }
        let users = self.vault.accounts()?;
        let applications = self.vault.applications()?;
        let listed = applications.iter().flat_map(|stored| {
            let client = stored.application.client();
            let own = users.iter().filter(|(owner, _)| *owner == client).map(|(_, user)| user.clone());
            accounts(&own.collect::<Vec<_>>(), &client, &stored.application)
        });
        Ok(listed.collect())
    }
}

fn accounts(users: &[User], client: &Client, application: &RegisteredApplication) -> Vec<Account> {
    users.iter().map(|user| user.account(client, &application.name)).collect()
}

/// The partition that a token of this user, or of the application itself, is cached in. No token is ever served for another
/// binding than it was issued for: each has its own.
pub(super) fn partition(
    application: &RegisteredApplication,
    user: Option<&User>,
    realm: &str,
    binding: &TokenBinding,
) -> TokenPartition {
    let Client { environment, client_id } = application.client();
    TokenPartition {
        environment,
        client_id,
        home_account_id: user.map(|user| user.home_account_id.clone()),
        tenant: realm.to_owned(),
        token_type: binding.token_type().to_owned(),
        key_id: binding.key_id().unwrap_or_default().to_owned(),
        // Two names of one client may be told different things, and so be given different tokens.
        extra: application.options.added(),
    }
}

/// A clock that was set back by more than this makes every older token look younger than it is.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(300);

/// Whether a token is valid for long enough: for the promised time, else for its margin. A token that was issued in the future
/// is not: the clock was set back, and it ends earlier than it seems.
pub(super) fn is_fresh(token: &CachedToken, min_validity: Option<Duration>, now: UnixTime) -> bool {
    let margin = min_validity.unwrap_or_else(|| margin(token));
    let issued_in_future = token.issued_on.since(now) > CLOCK_TOLERANCE;
    is_valid(token, now) && !issued_in_future && token.expires_on.since(now) >= margin
}

/// The end of a token's life in which it is not handed out if another can be had: the smaller of 300 s and a fifth of it.
pub(super) fn margin(token: &CachedToken) -> Duration {
    (token.expires_on.since(token.issued_on) / 5).min(Duration::from_secs(300))
}

/// Whether a token is valid at all.
pub(super) fn is_valid(token: &CachedToken, now: UnixTime) -> bool {
    token.expires_on > now
}
