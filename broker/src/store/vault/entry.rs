//! The cache as it may be looked at: entries without their tokens, their removal, row counts and fingerprints.

use std::{collections::HashMap, ops::RangeInclusive};

use token_broker_proto::{
    Secret,
    calls::{CacheEntryId, CacheEntryKind, StoreCounts},
    oauth::{ScopeSet, UnixTime},
};

use super::Vault;
use crate::{
    model::{Client, User},
    store::{
        error::StoreError,
        rows::{Tables, access_token::StoredToken, grant::StoredGrant, identity::StoredIdentity},
    },
};

/// An entry of the cache, without its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntry {
    /// Its id; never used again once the entry is gone.
    pub id: CacheEntryId,
    /// The client it is for; of a family's grant, the client that signed in.
    pub client: Client,
    /// Whose it is, if that account is known here.
    pub user: Option<User>,
    /// Whose it is; `None` for an app-only token.
    pub home_account_id: Option<String>,
    /// Tenant it was issued in; empty where there are no tenants, and for refresh tokens.
    pub tenant: String,
    /// Granted scopes; empty for an ID token.
    pub scopes: ScopeSet,
    /// `token_type` as the provider wrote it; access tokens only.
    pub token_type: Option<String>,
    /// When it expires; access tokens only.
    pub expires_on: Option<UnixTime>,
    /// Keyed fingerprint of the token, 16 hex digits.
    pub fingerprint: String,
    /// Rotation, from 1; refresh tokens only.
    pub generation: Option<i64>,
    /// Key that it is bound to; access tokens only, and no bearer token.
    pub key_id: Option<String>,
}

/// A part of the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryPage {
    /// Its entries; may be none although there are more pages.
    pub entries: Vec<StoredEntry>,
    /// After which entry the next page begins; `None` after the last one.
    pub next: Option<CacheEntryId>,
}

/// The kinds in the order in which they are listed, with what finds the end of a page.
const KINDS: [(CacheEntryKind, &str); 3] = [
    (
        CacheEntryKind::AccessToken,
        "SELECT max(id) FROM (SELECT id FROM access_token WHERE id > ?1 ORDER BY id LIMIT ?2)",
    ),
    (
        CacheEntryKind::RefreshToken,
        "SELECT max(id) FROM (SELECT id FROM grant_token WHERE id > ?1 ORDER BY id LIMIT ?2)",
    ),
    (CacheEntryKind::IdToken, "SELECT max(id) FROM (SELECT id FROM identity WHERE id > ?1 ORDER BY id LIMIT ?2)"),
];

impl Vault {
    /// The next part of the cache after this entry: so many rows are looked at, of which those of the client are in the page.
    /// Reads on a thread of its own: nobody who wants a token waits for it.
    pub async fn entries_after(
        &self,
        client: Option<Client>,
        after: Option<CacheEntryId>,
        most: usize,
    ) -> Result<EntryPage, StoreError> {
        self.read_aside(move |tables| page(&tables, client.as_ref(), after, most)).await
    }

    /// Access tokens, refresh tokens and ID tokens of a client, or all: in that order, oldest first. Damaged rows are left
    /// out and logged. A grant of a family belongs to no single client. The program takes them page by page.
    #[cfg(test)]
    pub(in crate::store) fn entries(&self, client: Option<&Client>) -> Result<Vec<StoredEntry>, StoreError> {
        self.read(|tables| {
            let mut entries = Vec::new();
            for (kind, _) in KINDS {
                entries.extend(of_kind(&tables, kind, client, &(1..=i64::MAX))?);
            }
            name_users(&tables, &mut entries)?;
            Ok(entries)
        })
    }

    /// One entry.
    pub fn find_entry(&self, id: CacheEntryId) -> Result<Option<StoredEntry>, StoreError> {
        self.read(|tables| {
            let found = match id.kind {
                CacheEntryKind::AccessToken => tables.token_by_id(id.row)?.map(|token| of_token(&tables, token)),
                CacheEntryKind::RefreshToken => tables.grant_by_id(id.row)?.map(|grant| of_grant(&tables, grant)),
                CacheEntryKind::IdToken => {
                    tables.identity_by_id(id.row)?.map(|identity| of_identity(&tables, identity))
                }
            };
            let Some(mut entry) = found else { return Ok(None) };
            if entry.user.is_none() {
                entry.user = user_of(&tables, &entry)?;
            }
            Ok(Some(entry))
        })
    }

    /// Removes one entry, readable or not; whether there was one.
    pub async fn remove_entry(&self, id: CacheEntryId) -> Result<bool, StoreError> {
        self.write(move |tables| {
            let sql = match id.kind {
                CacheEntryKind::AccessToken => "DELETE FROM access_token WHERE id = ?1",
                CacheEntryKind::RefreshToken => "DELETE FROM grant_token WHERE id = ?1",
                CacheEntryKind::IdToken => "DELETE FROM identity WHERE id = ?1",
            };
            tables.delete_row(sql, id.row)
        })
        .await
    }

    /// How many rows there are; costs the same however many.
    pub fn counts(&self) -> Result<StoreCounts, StoreError> {
        self.read(|tables| tables.tallies())
    }

    /// Keyed fingerprint of a secret, 16 hex digits: tells whether two are the same, and nothing else.
    pub fn fingerprint(&self, secret: &Secret) -> Result<String, StoreError> {
        Ok(self.0.open()?.keys.fingerprint(secret.expose()))
    }
}

fn page(
    tables: &Tables<'_>,
    client: Option<&Client>,
    after: Option<CacheEntryId>,
    most: usize,
) -> Result<EntryPage, StoreError> {
    let begun = |kind| after.is_none_or(|after| after.kind == kind);
    for (kind, sql) in KINDS.into_iter().skip_while(|(kind, _)| !begun(*kind)) {
        let row = after.filter(|after| after.kind == kind).map_or(0, |after| after.row);
        if let Some(last) = tables.last_of_page(sql, row, most)? {
            let mut entries = of_kind(tables, kind, client, &(row + 1..=last))?;
            name_users(tables, &mut entries)?;
            return Ok(EntryPage { entries, next: Some(CacheEntryId { kind, row: last }) });
        }
    }
    Ok(EntryPage { entries: Vec::new(), next: None })
}

fn of_kind(
    tables: &Tables<'_>,
    kind: CacheEntryKind,
    client: Option<&Client>,
    ids: &RangeInclusive<i64>,
) -> Result<Vec<StoredEntry>, StoreError> {
    Ok(match kind {
        CacheEntryKind::AccessToken => {
            tables.tokens(client, ids)?.into_iter().map(|token| of_token(tables, token)).collect()
        }
        CacheEntryKind::RefreshToken => {
            tables.grants(client, ids)?.into_iter().map(|grant| of_grant(tables, grant)).collect()
        }
        CacheEntryKind::IdToken => {
            tables.identities(client, ids)?.into_iter().map(|identity| of_identity(tables, identity)).collect()
        }
    })
}

/// Finds the user of each entry; many entries have the same.
fn name_users(tables: &Tables<'_>, entries: &mut [StoredEntry]) -> Result<(), StoreError> {
    let mut users = HashMap::new();
    for entry in entries {
        let key = (entry.client.clone(), entry.home_account_id.clone());
        if entry.user.is_none() {
            entry.user = match users.get(&key) {
                Some(user) => Option::clone(user),
                None => users.entry(key).or_insert(user_of(tables, entry)?).clone(),
            };
        }
    }
    Ok(())
}

fn of_token(tables: &Tables<'_>, stored: StoredToken) -> StoredEntry {
    let StoredToken { id: row, partition, token } = stored;
    let user = token.subject.map(|subject| subject.user);
    StoredEntry {
        id: CacheEntryId { kind: CacheEntryKind::AccessToken, row },
        client: Client { environment: partition.environment, client_id: partition.client_id },
        home_account_id: user.as_ref().map(|user| user.home_account_id.clone()).or(partition.home_account_id),
        user,
        tenant: partition.tenant,
        scopes: token.scopes,
        token_type: Some(token.token_type),
        expires_on: Some(token.expires_on),
        fingerprint: tables.keys.fingerprint(token.access_token.expose()),
        generation: None,
        key_id: Some(partition.key_id).filter(|key_id| !key_id.is_empty()),
    }
}

fn of_grant(tables: &Tables<'_>, stored: StoredGrant) -> StoredEntry {
    StoredEntry {
        id: CacheEntryId { kind: CacheEntryKind::RefreshToken, row: stored.stamp.row },
        client: Client { environment: stored.key.environment, client_id: stored.client_id },
        home_account_id: Some(match &stored.grant.user {
            Some(user) => user.home_account_id.clone(),
            None => stored.key.home_account_id,
        }),
        user: stored.grant.user,
        tenant: String::new(),
        scopes: stored.grant.scopes,
        token_type: None,
        expires_on: None,
        fingerprint: tables.keys.fingerprint(stored.grant.refresh_token.secret().expose()),
        generation: Some(stored.stamp.generation),
        key_id: None,
    }
}

fn of_identity(tables: &Tables<'_>, stored: StoredIdentity) -> StoredEntry {
    StoredEntry {
        id: CacheEntryId { kind: CacheEntryKind::IdToken, row: stored.id },
        client: stored.key.client,
        user: None,
        home_account_id: Some(stored.key.home_account_id),
        tenant: stored.key.tenant,
        scopes: ScopeSet::default(),
        token_type: None,
        expires_on: None,
        fingerprint: tables.keys.fingerprint(stored.documents.id_token.expose()),
        generation: None,
        key_id: None,
    }
}

/// The user of an entry; a damaged account does not spoil the entry.
fn user_of(tables: &Tables<'_>, entry: &StoredEntry) -> Result<Option<User>, StoreError> {
    let Some(home_account_id) = &entry.home_account_id else { return Ok(None) };
    match tables.account(&entry.client, home_account_id) {
        Err(StoreError::Corrupt(row)) => {
            tracing::warn!(row, "an account of the store does not open");
            Ok(None)
        }
        found => found,
    }
}
