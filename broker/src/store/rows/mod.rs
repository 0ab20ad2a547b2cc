//! The tables of the vault, one file each: how a word is sealed into a row, hashed into its lookup columns, and read back.
//! Owns [`Tables`] (a connection with its keys) and [`SealedRow`]. Does not own transactions: `vault` and `writer` do.

pub(super) mod access_token;
pub(super) mod account;
pub(super) mod application;
pub(super) mod grant;
pub(super) mod identity;
pub(super) mod meta;
pub(super) mod posting;
pub(super) mod provider;

use rusqlite::{Connection, OptionalExtension as _, Params, Row, types::ValueRef};
use serde::Deserialize;

use super::{
    error::StoreError,
    seal::{Keyring, Lookup, Table, Wiped},
};

/// A connection and the keys to its rows.
#[derive(Clone, Copy)]
pub(super) struct Tables<'a> {
    pub(super) db: &'a Connection,
    pub(super) keys: &'a Keyring,
}

/// Names a row in errors, reports and logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RowName {
    pub(super) table: Table,
    pub(super) id: i64,
}

impl RowName {
    pub(super) fn corrupt(self) -> StoreError {
        StoreError::Corrupt(format!("{} {}", self.table.name(), self.id))
    }
}

/// A row as stored: `id`, the lookup hash that it is bound to, `sealed`; wiped when dropped, since it is opened in place.
pub(super) struct SealedRow {
    pub(super) name: RowName,
    pub(super) lookup: Lookup,
    sealed: Wiped,
}

impl SealedRow {
    /// Reads the first three columns: id, lookup hash, sealed. Columns of a wrong kind do not open later.
    pub(super) fn read(table: Table, row: &Row<'_>) -> rusqlite::Result<Self> {
        let blob = |column| match row.get_ref(column) {
            Ok(ValueRef::Blob(bytes)) => Ok(bytes),
            Ok(_) => Ok([].as_slice()),
            Err(error) => Err(error),
        };
        Ok(Self {
            name: RowName { table, id: row.get(0)? },
            lookup: blob(1)?.try_into().unwrap_or_default(),
            sealed: Wiped::copy_of(blob(2)?),
        })
    }

    /// Opens the row in place and decodes its record. Once only.
    pub(super) fn open<'r, R: Deserialize<'r>>(&'r mut self, keys: &Keyring) -> Result<R, StoreError> {
        let name = self.name;
        let plain = keys.open(name.table, &self.lookup, self.sealed.as_mut()).ok_or_else(|| name.corrupt())?;
        // The decoder's error could quote the record.
        serde_json::from_slice(plain).map_err(|_| name.corrupt())
    }
}

impl Tables<'_> {
    /// The row that a query finds: `id`, lookup hash, `sealed`.
    fn row(&self, table: Table, sql: &str, params: impl Params) -> Result<Option<SealedRow>, StoreError> {
        let mut query = self.db.prepare_cached(sql)?;
        Ok(query.query_row(params, |row| SealedRow::read(table, row)).optional()?)
    }

    /// Every row that a query finds and that opens; the others are reported and left out.
    fn rows<T>(
        &self,
        table: Table,
        sql: &str,
        params: impl Params,
        read: impl Fn(SealedRow) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut query = self.db.prepare_cached(sql)?;
        let mut found = Vec::new();
        for row in query.query_map(params, |row| SealedRow::read(table, row))? {
            match read(row?) {
                Ok(word) => found.push(word),
                Err(StoreError::Corrupt(row)) => {
                    tracing::warn!(row, "a row of the store does not open; it is left out");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// The id of the last of so many rows after this one; `None` if there are none. `sql` finds them: `id`, after, how many.
    pub(super) fn last_of_page(&self, sql: &str, after: i64, most: usize) -> Result<Option<i64>, StoreError> {
        let mut query = self.db.prepare_cached(sql)?;
        Ok(query.query_row((after, i64::try_from(most).unwrap_or(i64::MAX)), |row| row.get(0))?)
    }

    /// Removes a row by its id, readable or not; whether there was one.
    pub(super) fn delete_row(&self, sql: &str, id: i64) -> Result<bool, StoreError> {
        Ok(self.change(sql, [id])? > 0)
    }

    /// Runs a statement; the number of rows it changed.
    fn change(&self, sql: &str, params: impl Params) -> Result<usize, StoreError> {
        Ok(self.db.prepare_cached(sql)?.execute(params)?)
    }
}

/// A record's text that may be left out when it is empty.
fn is_empty(text: &str) -> bool {
    text.is_empty()
}
