//! Registering, finding and removing applications. Owns what goes with a registration: a client's accounts and tokens are
//! removed with the last name that stands for it.

use std::sync::Arc;

use token_broker_proto::{
    calls::{ApplicationSelector, ExistingApplication},
    oauth::ApplicationName,
};

use super::{Vault, account::abandoned, readable};
use crate::{
    model::{Client, Credential, RegisteredApplication},
    store::{error::StoreError, rows::Tables, rows::application::StoredApplication},
};

/// What is bound to the client of a damaged one stays, since nobody knows any more which that was.
const DAMAGED: &str = "an application is replaced or removed";

/// What came of saving an application.
#[derive(Debug, Clone)]
pub enum SavedApplication {
    /// The name was free.
    Added(StoredApplication),
    /// The registration was there already, the same in everything.
    Unchanged(StoredApplication),
    /// Another registration had the name; this one has a new stamp.
    Replaced(StoredApplication),
    /// The name is taken and was to be left alone.
    Exists,
}

/// What went with an application.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RemovedApplication {
    /// Accounts that were removed.
    pub accounts: i64,
    /// Access tokens and refresh tokens that were removed.
    pub tokens: i64,
}

impl Vault {
    /// The application of that name, or the first one with that client id and authority.
    pub fn find_application(
        &self,
        selector: &ApplicationSelector,
    ) -> Result<Option<Arc<StoredApplication>>, StoreError> {
        let find = || {
            self.read(|tables| match selector {
                ApplicationSelector::Name(name) => tables.application_by_name(name),
                ApplicationSelector::Client { client_id, authority } => {
                    tables.application_by_registration(client_id, authority)
                }
            })
        };
        self.0.open()?.applications.or_find(selector.clone(), || Ok(find()?.map(Arc::new)))
    }

    /// Every application, by name.
    pub fn applications(&self) -> Result<Vec<StoredApplication>, StoreError> {
        let mut applications = self.read(|tables| tables.all_applications())?;
        applications.sort_by(|one, other| one.application.name.cmp(&other.application.name));
        Ok(applications)
    }

    /// Registers an application. `existing` says what to do when the name is taken; `Update` keeps the old credential when
    /// none is given and client id and authority are the same.
    pub async fn save_application(
        &self,
        application: RegisteredApplication,
        existing: ExistingApplication,
    ) -> Result<SavedApplication, StoreError> {
        self.write(move |tables| save(tables, application, existing)).await
    }

    /// Removes an application, with the accounts and tokens of its client when no other name stands for that. `None` if
    /// there is no such name.
    pub async fn remove_application(&self, name: &ApplicationName) -> Result<Option<RemovedApplication>, StoreError> {
        let name = name.clone();
        self.write(move |tables| {
            let old = readable(tables.application_by_name(&name), DAMAGED)?;
            if !tables.delete_application(&name)? {
                return Ok(None);
            }
            let Some(old) = old else { return Ok(Some(RemovedApplication::default())) };
            remove_if_abandoned(tables, &old.application.client()).map(Some)
        })
        .await
    }
}

fn save(
    tables: &Tables<'_>,
    mut application: RegisteredApplication,
    existing: ExistingApplication,
) -> Result<SavedApplication, StoreError> {
    let found = tables.application_by_name(&application.name);
    if let Ok(None) = found {
        return Ok(SavedApplication::Added(tables.insert_application(application)?));
    }
    if existing == ExistingApplication::Refuse {
        return Ok(SavedApplication::Exists);
    }
    let old = readable(found, DAMAGED)?;
    if let Some(old) = &old {
        if existing == ExistingApplication::Update {
            keep_credential(&mut application, &old.application);
        }
        if same(&application, &old.application) {
            return Ok(SavedApplication::Unchanged(old.clone()));
        }
    }
    tables.delete_application(&application.name)?;
    let stored = tables.insert_application(application)?;
    if let Some(old) = old {
        remove_if_abandoned(tables, &old.application.client())?;
    }
    Ok(SavedApplication::Replaced(stored))
}

fn keep_credential(application: &mut RegisteredApplication, old: &RegisteredApplication) {
    let same_client = application.client_id == old.client_id && application.authority == old.authority;
    if same_client && matches!(application.credential, Credential::Public) {
        application.credential = old.credential.clone();
    }
}

fn same(one: &RegisteredApplication, other: &RegisteredApplication) -> bool {
    one.credential.is(&other.credential)
        && one.name == other.name
        && one.client_id == other.client_id
        && one.authority == other.authority
        && one.scopes == other.scopes
        && one.redirect_uri == other.redirect_uri
        && one.client_capabilities == other.client_capabilities
        && one.keep_alive == other.keep_alive
        && one.options == other.options
}

/// Removes everything of a client that no name stands for. A grant of its family goes with the last client that has the account.
fn remove_if_abandoned(tables: &Tables<'_>, client: &Client) -> Result<RemovedApplication, StoreError> {
    if tables.is_client_registered(client)? {
        return Ok(RemovedApplication::default());
    }
    let count = |rows: usize| i64::try_from(rows).unwrap_or(i64::MAX);
    let users = tables.accounts_of(client, usize::MAX)?;
    let accounts = tables.delete_accounts_of(client)?;
    let mut tokens = tables.delete_tokens_of(client)? + tables.delete_grants_of(client)?;
    for user in users {
        if let Some(key) = abandoned(tables, client, &user.home_account_id)? {
            tokens += tables.delete_grant(&key)?;
        }
    }
    tables.delete_identities_of(client)?;
    tables.delete_app_metadata(client)?;
    Ok(RemovedApplication { accounts: count(accounts), tokens: count(tokens) })
}
