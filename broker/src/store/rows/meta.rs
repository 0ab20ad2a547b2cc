//! Tables `meta` and `tally`, and what goes by client alone: the purge mark, the row counts, the family metadata of a client.

use rusqlite::OptionalExtension as _;
use token_broker_proto::calls::StoreCounts;

use super::Tables;
use crate::{
    model::Client,
    store::{error::StoreError, seal::Table},
};

const PURGE_MARK: &str = "purge mark";

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

    pub(in crate::store) fn delete_app_metadata(&self, client: &Client) -> Result<usize, StoreError> {
        let fields = [&client.environment, client.client_id.as_str()];
        let hash = self.keys.lookup(Table::AppMetadata, "client", &fields);
        self.change("DELETE FROM app_metadata WHERE client_hash = ?1", [hash])
    }
}
