//! Verification: opens every sealed row, compares its lookup columns with its content, and runs SQLite's own checks.

use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::{Connection, Row};

use super::super::{Vault, closed};
use crate::store::{
    error::StoreError,
    rows::{SealedRow, Tables, access_token, account, application, grant, identity, meta, provider},
    seal::{Keyring, Lookup, Table},
};

/// Most problems that are reported one by one.
const MAX_PROBLEMS: usize = 1000;

/// What a verification found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// Sealed rows that were opened, or would not open.
    pub rows_checked: i64,
    /// What is wrong, by row: `access_token 17 does not open`; and findings of SQLite's own check.
    pub problems: Vec<String>,
}

/// Computes what the lookup columns of a row should be.
type Expected = fn(&Keyring, SealedRow) -> Result<Vec<Lookup>, StoreError>;

/// What is checked: the columns after `id, hash, sealed` are compared as well.
const CHECKS: [(Table, &str, Expected); 7] = [
    (
        Table::Application,
        "SELECT id, name_hash, sealed, registration_hash, client_hash FROM application",
        application::expected,
    ),
    (Table::Account, "SELECT id, account_hash, sealed, client_hash, username_hash FROM account", account::expected),
    (Table::Grant, "SELECT id, grant_hash, sealed, client_hash FROM grant_token", grant::expected),
    (
        Table::AccessToken,
        "SELECT id, token_hash, sealed, owner_hash, client_hash FROM access_token",
        access_token::expected,
    ),
    (Table::Identity, "SELECT id, identity_hash, sealed, owner_hash, client_hash FROM identity", identity::expected),
    (Table::AppMetadata, "SELECT id, client_hash, sealed FROM app_metadata", meta::expected),
    (Table::Provider, "SELECT id, authority_hash, sealed FROM provider_metadata", provider::expected),
];

impl Vault {
    /// Checks every row and the database itself.
    pub async fn verify(&self) -> Result<VerifyReport, StoreError> {
        self.aside(|db, keys, stop| Check { db, keys, stop }.run()).await
    }
}

struct Check<'a> {
    db: &'a Connection,
    keys: &'a Keyring,
    stop: &'a AtomicBool,
}

impl Check<'_> {
    fn run(&self) -> Result<VerifyReport, StoreError> {
        let mut report = VerifyReport::default();
        for pragma in ["PRAGMA integrity_check", "PRAGMA foreign_key_check"] {
            self.ask_sqlite(pragma, &mut report)?;
        }
        for (table, sql, expected) in CHECKS {
            let mut query = self.db.prepare(sql)?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                if self.stop.load(Ordering::Relaxed) {
                    return Err(closed());
                }
                report.rows_checked += 1;
                if let Some(problem) = self.problem(table, expected, row)? {
                    report.add(problem);
                }
            }
        }
        match (Tables { db: self.db, keys: self.keys }).purge_mark() {
            Ok(None) => {}
            Ok(Some(_)) => report.rows_checked += 1,
            Err(StoreError::Corrupt(row)) => {
                report.rows_checked += 1;
                report.add(format!("{row} does not open"));
            }
            Err(error) => return Err(error),
        }
        Ok(report)
    }

    fn ask_sqlite(&self, pragma: &str, report: &mut VerifyReport) -> Result<(), StoreError> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(closed());
        }
        let mut query = self.db.prepare(pragma)?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            // integrity_check: a text, `ok` if all is well; foreign_key_check: the table, then the row.
            let finding: String = row.get(0)?;
            if pragma.ends_with("foreign_key_check") {
                report.add(format!("{finding} refers to a row that is gone"));
            } else if finding != "ok" {
                report.add(finding);
            }
        }
        Ok(())
    }

    fn problem(&self, table: Table, expected: Expected, row: &Row<'_>) -> Result<Option<String>, StoreError> {
        let sealed = SealedRow::read(table, row)?;
        let name = sealed.name;
        let shown = format!("{} {}", table.name(), name.id);
        let expected = match expected(self.keys, sealed) {
            Ok(expected) => expected,
            Err(StoreError::Corrupt(row)) => return Ok(Some(format!("{row} does not open"))),
            Err(error) => return Err(error),
        };
        let stored = [1, 3, 4].into_iter().take(expected.len()).map(|column| row.get_ref(column));
        for (stored, expected) in stored.zip(&expected) {
            if stored?.as_blob().ok() != Some(expected.as_slice()) {
                return Ok(Some(format!("{shown} is not found by what it holds")));
            }
        }
        let tables = Tables { db: self.db, keys: self.keys };
        if table == Table::AccessToken && !tables.is_listed(SealedRow::read(table, row)?)? {
            return Ok(Some(format!("{shown} is not found by its scopes or its expiry")));
        }
        Ok(None)
    }
}

impl VerifyReport {
    fn add(&mut self, problem: String) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem);
        }
    }
}
