//! Table `identity`: the ID token and `client_info` as the provider sent them, per (client, tenant, account).

use std::{borrow::Cow, ops::RangeInclusive};

use serde::{Deserialize, Serialize};
use token_broker_proto::{Secret, oauth::ClientId};

use super::{SealedRow, Tables, is_empty};
use crate::{
    model::{Client, IdentityDocuments},
    store::{
        error::StoreError,
        seal::{Keyring, Lookup, Table},
    },
};

const TABLE: Table = Table::Identity;

/// Names the documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct IdentityKey {
    pub(in crate::store) client: Client,
    pub(in crate::store) tenant: String,
    pub(in crate::store) home_account_id: String,
}

/// Documents with everything that their row knows.
pub(in crate::store) struct StoredIdentity {
    pub(in crate::store) id: i64,
    pub(in crate::store) key: IdentityKey,
    pub(in crate::store) documents: IdentityDocuments,
}

/// `e`nvironment, `c`lient id, `t`enant, `h`ome account id, `d`ocument (the ID token), client `i`nfo. Borrows, so that no
/// copy of the ID token is made.
#[derive(Serialize, Deserialize)]
struct Record<'a> {
    e: String,
    c: String,
    #[serde(default, skip_serializing_if = "is_empty")]
    t: String,
    h: String,
    #[serde(borrow)]
    d: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    i: Option<String>,
}

/// Lookup columns: identity, owner, client.
fn columns(keys: &Keyring, key: &IdentityKey) -> [Lookup; 3] {
    let IdentityKey { client, tenant, home_account_id } = key;
    let fields = [&client.environment, client.client_id.as_str(), tenant, home_account_id];
    [keys.lookup(TABLE, "identity", &fields), owner_hash(keys, client, home_account_id), client_hash(keys, client)]
}

fn owner_hash(keys: &Keyring, client: &Client, home_account_id: &str) -> Lookup {
    keys.lookup(TABLE, "owner", &[&client.environment, client.client_id.as_str(), home_account_id])
}

fn client_hash(keys: &Keyring, client: &Client) -> Lookup {
    keys.lookup(TABLE, "client", &[&client.environment, client.client_id.as_str()])
}

impl Tables<'_> {
    pub(in crate::store) fn identity(&self, key: &IdentityKey) -> Result<Option<IdentityDocuments>, StoreError> {
        let [hash, ..] = columns(self.keys, key);
        let row = self.row(TABLE, "SELECT id, identity_hash, sealed FROM identity WHERE identity_hash = ?1", [hash])?;
        row.map(|row| Ok(read(self.keys, row)?.documents)).transpose()
    }

    pub(in crate::store) fn identity_by_id(&self, id: i64) -> Result<Option<StoredIdentity>, StoreError> {
        let row = self.row(TABLE, "SELECT id, identity_hash, sealed FROM identity WHERE id = ?1", [id])?;
        row.map(|row| read(self.keys, row)).transpose()
    }

    /// All documents, or those of one client, by row id.
    pub(in crate::store) fn identities(
        &self,
        client: Option<&Client>,
        ids: &RangeInclusive<i64>,
    ) -> Result<Vec<StoredIdentity>, StoreError> {
        let (first, last) = (ids.start(), ids.end());
        let read = |row| read(self.keys, row);
        match client {
            None => {
                let sql = "SELECT id, identity_hash, sealed FROM identity WHERE id BETWEEN ?1 AND ?2 ORDER BY id";
                self.rows(TABLE, sql, (first, last), read)
            }
            Some(client) => {
                let sql = "SELECT id, identity_hash, sealed FROM identity WHERE client_hash = ?1 AND id BETWEEN ?2 AND ?3 ORDER BY id";
                self.rows(TABLE, sql, (client_hash(self.keys, client), first, last), read)
            }
        }
    }

    /// Puts documents in place of the old ones.
    pub(in crate::store) fn put_identity(
        &self,
        key: &IdentityKey,
        documents: &IdentityDocuments,
    ) -> Result<(), StoreError> {
        let [identity, owner, client] = columns(self.keys, key);
        let sealed = self.keys.seal(TABLE, &identity, &record(key, documents))?;
        self.change("DELETE FROM identity WHERE identity_hash = ?1", [identity])?;
        let sql = "INSERT INTO identity (identity_hash, owner_hash, client_hash, sealed) VALUES (?1, ?2, ?3, ?4)";
        self.change(sql, (identity, owner, client, sealed))?;
        Ok(())
    }

    pub(in crate::store) fn delete_identities_of_account(
        &self,
        client: &Client,
        home_account_id: &str,
    ) -> Result<usize, StoreError> {
        let hash = owner_hash(self.keys, client, home_account_id);
        self.change("DELETE FROM identity WHERE owner_hash = ?1", [hash])
    }

    pub(in crate::store) fn delete_identities_of(&self, client: &Client) -> Result<usize, StoreError> {
        self.change("DELETE FROM identity WHERE client_hash = ?1", [client_hash(self.keys, client)])
    }
}

/// What the lookup columns of a row should be, its own hash first.
pub(in crate::store) fn expected(keys: &Keyring, row: SealedRow) -> Result<Vec<Lookup>, StoreError> {
    Ok(columns(keys, &read(keys, row)?.key).to_vec())
}

fn read(keys: &Keyring, mut row: SealedRow) -> Result<StoredIdentity, StoreError> {
    let name = row.name;
    let record: Record<'_> = row.open(keys)?;
    let client_id = ClientId::parse(&record.c).map_err(|_| name.corrupt())?;
    Ok(StoredIdentity {
        id: name.id,
        key: IdentityKey {
            client: Client { environment: record.e, client_id },
            tenant: record.t,
            home_account_id: record.h,
        },
        documents: IdentityDocuments { id_token: Secret::new(record.d), client_info: record.i },
    })
}

fn record<'a>(key: &IdentityKey, documents: &'a IdentityDocuments) -> Record<'a> {
    Record {
        e: key.client.environment.clone(),
        c: key.client.client_id.to_string(),
        t: key.tenant.clone(),
        h: key.home_account_id.clone(),
        d: Cow::from(documents.id_token.expose()),
        i: documents.client_info.clone(),
    }
}
