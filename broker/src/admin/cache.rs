//! Inspecting and caring for the cache. Tokens are shown as scopes, expiry and fingerprint, never whole.

use token_broker_proto::{
    Account,
    calls::{ApplicationSelector, CacheEntry, CacheEntryId},
    oauth::ApplicationName,
};

use super::Desk;
use crate::{
    access::Caller,
    model::{DeskError, User},
    store::{StoredApplication, StoredEntry, VerifyReport},
};

impl Desk {
    /// What the cache holds, of one application or of all: a page after the entry that the last page ended with, and the entry
    /// that this one ends with, if there may be more.
    pub async fn list_cache_entries(
        &self,
        caller: &Caller,
        application: Option<&ApplicationName>,
        after: Option<CacheEntryId>,
        most: usize,
    ) -> Result<(Vec<CacheEntry>, Option<CacheEntryId>), DeskError> {
        tracing::debug!(%caller, "list cache");
        let client = match application {
            Some(name) => {
                let found = self.vault.find_application(&ApplicationSelector::Name(name.clone()))?;
                let found = found.ok_or_else(|| DeskError::ApplicationNotFound(name.to_string()))?;
                Some(found.application.client())
            }
            None => None,
        };
        let applications = self.vault.applications()?;
        let page = self.vault.entries_after(client, after, most).await?;
        let entries = page.entries.into_iter().map(|entry| shown(entry, application, &applications)).collect();
        Ok((entries, page.next))
    }

    /// One entry.
    pub fn show_cache_entry(&self, caller: &Caller, id: CacheEntryId) -> Result<CacheEntry, DeskError> {
        tracing::debug!(%caller, %id, "show cache entry");
        let entry = self.vault.find_entry(id)?.ok_or_else(|| no_entry(id))?;
        Ok(shown(entry, None, &self.vault.applications()?))
    }

    /// Removes one entry.
    pub async fn remove_cache_entry(&self, caller: &Caller, id: CacheEntryId) -> Result<(), DeskError> {
        tracing::debug!(%caller, %id, "remove cache entry");
        if self.vault.remove_entry(id).await? { Ok(()) } else { Err(no_entry(id)) }
    }

    /// Opens every sealed row and checks the database itself.
    pub async fn verify_cache(&self, caller: &Caller) -> Result<VerifyReport, DeskError> {
        tracing::debug!(%caller, "verify cache");
        Ok(self.vault.verify().await?)
    }
}

fn no_entry(id: CacheEntryId) -> DeskError {
    token_broker_proto::Invalid::new("id", format!("the cache has no entry {id}")).into()
}

/// The entry without its token, under the name that was asked for or else the first that shares its client.
fn shown(entry: StoredEntry, asked: Option<&ApplicationName>, applications: &[StoredApplication]) -> CacheEntry {
    let named = || applications.iter().find(|stored| stored.application.client() == entry.client);
    let application =
        asked.map(ToString::to_string).or_else(|| named().map(|stored| stored.application.name.to_string()));
    CacheEntry {
        id: entry.id,
        account: account(&entry, application.as_deref().unwrap_or_default()),
        application,
        scopes: entry.scopes.to_strings(),
        token_type: entry.token_type,
        expires_on: entry.expires_on,
        fingerprint: entry.fingerprint,
        environment: entry.client.environment,
        client_id: entry.client.client_id.to_string(),
        generation: entry.generation,
        key_id: entry.key_id,
    }
}

fn account(entry: &StoredEntry, application: &str) -> Option<Account> {
    let home_account_id = entry.home_account_id.clone()?;
    let user = entry.user.as_ref();
    Some(Account {
        home_account_id,
        username: user.map(|user: &User| user.username.clone()).unwrap_or_default(),
        name: user.and_then(|user| user.name.clone()),
        environment: entry.client.environment.clone(),
        tenant: entry.tenant.clone(),
        application: application.to_owned(),
    })
}
