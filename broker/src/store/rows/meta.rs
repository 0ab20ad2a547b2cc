//! Tables `meta` and `tally`, and what goes by client alone: the purge mark, the row counts, the family metadata of a client.

use rusqlite::OptionalExtension as _;
use serde::{Deserialize, Serialize};
use token_broker_proto::{calls::StoreCounts, oauth::ClientId};

use super::{SealedRow, Tables};
use crate::{
    model::{AppMetadata, Client},
    store::{
        error::StoreError,
        seal::{Keyring, Lookup, Table},
    },
};

const PURGE_MARK: &str = "purge mark";

/// `e`nvironment, `c`lient id, `f`amily.
#[derive(Serialize, Deserialize)]
struct Record {
    e: String,
    c: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    f: Option<String>,
}

impl Tables<'_> {
    /// The hour, since the epoch, that every earlier bucket was purged; `None` before the first purge.
    pub(in crate::store) fn purge_mark(&self) -> Result<Option<i64>, StoreError> {
        let mut query = self.db.prepare_cached("SELECT value FROM meta WHERE key = ?1")?;
        let sealed: Option<Vec<u8>> = query.query_row([PURGE_MARK], |row| row.get(0)).optional()?;
        let Some(mut sealed) = sealed else { return Ok(None) };
        let row = self.keys.lookup(Table::Meta, PURGE_MARK, &[]);
        let hour = self.keys.open(Table::Meta, &row, &mut sealed).and_then(|plain| serde_json::from_slice(plain).ok());
        hour.map(Some).ok_or_else(|| StoreError::Corrupt(format!("meta {PURGE_MARK}")))
    }

    pub(in crate::store) fn move_purge_mark(&self, hour: i64) -> Result<(), StoreError> {
        let row = self.keys.lookup(Table::Meta, PURGE_MARK, &[]);
        let sealed = self.keys.seal(Table::Meta, &row, &hour)?;
        let sql =
            "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
        self.change(sql, (PURGE_MARK, sealed))?;
        Ok(())
    }

    pub(in crate::store) fn tallies(&self) -> Result<StoreCounts, StoreError> {
        let mut query = self.db.prepare_cached("SELECT kind, rows FROM tally")?;
        let mut counts = StoreCounts::default();
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let count = row.get(1)?;
            match row.get_ref(0)?.as_str().unwrap_or_default() {
                "application" => counts.applications = count,
                "account" => counts.accounts = count,
                "grant_token" => counts.refresh_tokens = count,
                "access_token" => counts.access_tokens = count,
                _ => {}
            }
        }
        Ok(counts)
    }

    /// What is known of a client's family; `None` of a client that was never seen.
    pub(in crate::store) fn app_metadata(&self, client: &Client) -> Result<Option<AppMetadata>, StoreError> {
        let sql = "SELECT id, client_hash, sealed FROM app_metadata WHERE client_hash = ?1";
        let row = self.row(Table::AppMetadata, sql, [client_hash(self.keys, client)])?;
        row.map(|row| Ok(read(self.keys, row)?.1)).transpose()
    }

    /// Every client of a family at an environment.
    pub(in crate::store) fn clients_of_family(
        &self,
        environment: &str,
        family: &str,
    ) -> Result<Vec<Client>, StoreError> {
        let sql = "SELECT id, client_hash, sealed FROM app_metadata ORDER BY id";
        let all = self.rows(Table::AppMetadata, sql, [], |row| read(self.keys, row))?;
        let of_family = all
            .into_iter()
            .filter(|(client, known)| client.environment == environment && known.family.as_deref() == Some(family));
        Ok(of_family.map(|(client, _)| client).collect())
    }

    pub(in crate::store) fn put_app_metadata(&self, client: &Client, known: &AppMetadata) -> Result<(), StoreError> {
        let hash = client_hash(self.keys, client);
        let record = Record { e: client.environment.clone(), c: client.client_id.to_string(), f: known.family.clone() };
        let sealed = self.keys.seal(Table::AppMetadata, &hash, &record)?;
        let sql = "INSERT INTO app_metadata (client_hash, sealed) VALUES (?1, ?2)
            ON CONFLICT (client_hash) DO UPDATE SET sealed = excluded.sealed";
        self.change(sql, (hash, sealed))?;
        Ok(())
    }

    pub(in crate::store) fn delete_app_metadata(&self, client: &Client) -> Result<usize, StoreError> {
        let hash = client_hash(self.keys, client);
        self.change("DELETE FROM app_metadata WHERE client_hash = ?1", [hash])
    }
}

fn client_hash(keys: &Keyring, client: &Client) -> Lookup {
    keys.lookup(Table::AppMetadata, "client", &[&client.environment, client.client_id.as_str()])
}

/// What the lookup column of a row of `app_metadata` should be.
pub(in crate::store) fn expected(keys: &Keyring, row: SealedRow) -> Result<Vec<Lookup>, StoreError> {
    Ok(vec![client_hash(keys, &read(keys, row)?.0)])
}

fn read(keys: &Keyring, mut row: SealedRow) -> Result<(Client, AppMetadata), StoreError> {
    let name = row.name;
    let record: Record = row.open(keys)?;
    let client_id = ClientId::parse(&record.c).map_err(|_| name.corrupt())?;
    Ok((Client { environment: record.e, client_id }, AppMetadata { family: record.f }))
}
