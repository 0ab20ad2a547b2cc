//! Table `account`: the users of a client, found by home account id and by username.

use serde::{Deserialize, Serialize};
use token_broker_proto::oauth::ClientId;

use super::{SealedRow, Tables, is_empty};
use crate::{
    model::{Client, User},
    store::{
        error::StoreError,
        seal::{Keyring, Lookup, Table},
    },
};

const TABLE: Table = Table::Account;

/// `e`nvironment, `c`lient id, and the user.
#[derive(Serialize, Deserialize)]
struct Record {
    e: String,
    c: String,
    #[serde(flatten)]
    user: UserRecord,
}

/// A user in a record: `h`ome account id, `u`sername, `n`ame, `l`ocal account id, `t`enant.
#[derive(Serialize, Deserialize)]
pub(super) struct UserRecord {
    h: String,
    #[serde(default, skip_serializing_if = "is_empty")]
    u: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    n: Option<String>,
    l: String,
    #[serde(default, skip_serializing_if = "is_empty")]
    t: String,
}

impl From<UserRecord> for User {
    fn from(UserRecord { h, u, n, l, t }: UserRecord) -> Self {
        Self { home_account_id: h, username: u, name: n, local_account_id: l, tenant: t }
    }
}

impl From<&User> for UserRecord {
    fn from(user: &User) -> Self {
        let User { home_account_id, username, name, local_account_id, tenant } = user.clone();
        Self { h: home_account_id, u: username, n: name, l: local_account_id, t: tenant }
    }
}

/// Lookup columns: account, client, username.
fn columns(keys: &Keyring, client: &Client, user: &User) -> [Lookup; 3] {
    [
        account_hash(keys, client, &user.home_account_id),
        client_hash(keys, client),
        username_hash(keys, client, &user.username),
    ]
}

fn account_hash(keys: &Keyring, client: &Client, home_account_id: &str) -> Lookup {
    keys.lookup(TABLE, "account", &[&client.environment, client.client_id.as_str(), home_account_id])
}

fn client_hash(keys: &Keyring, client: &Client) -> Lookup {
    keys.lookup(TABLE, "client", &[&client.environment, client.client_id.as_str()])
}

/// Case is lost on purpose: people type their username as they like.
fn username_hash(keys: &Keyring, client: &Client, username: &str) -> Lookup {
    keys.lookup(TABLE, "username", &[&client.environment, client.client_id.as_str(), &username.to_lowercase()])
}

impl Tables<'_> {
    pub(in crate::store) fn account(&self, client: &Client, home_account_id: &str) -> Result<Option<User>, StoreError> {
        let sql = "SELECT id, account_hash, sealed FROM account WHERE account_hash = ?1";
        let row = self.row(TABLE, sql, [account_hash(self.keys, client, home_account_id)])?;
        row.map(|row| Ok(read(self.keys, row)?.1)).transpose()
    }

    /// Users of a client, oldest first.
    pub(in crate::store) fn accounts_of(&self, client: &Client, limit: usize) -> Result<Vec<User>, StoreError> {
        let sql = "SELECT id, account_hash, sealed FROM account WHERE client_hash = ?1 ORDER BY id LIMIT ?2";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.rows(TABLE, sql, (client_hash(self.keys, client), limit), |row| read_of(self.keys, row, client))
    }

    pub(in crate::store) fn accounts_by_username(
        &self,
        client: &Client,
        username: &str,
    ) -> Result<Vec<User>, StoreError> {
        let sql = "SELECT id, account_hash, sealed FROM account WHERE username_hash = ?1 ORDER BY id";
        let hash = username_hash(self.keys, client, username);
        self.rows(TABLE, sql, [hash], |row| read_of(self.keys, row, client))
    }

    pub(in crate::store) fn all_accounts(&self) -> Result<Vec<(Client, User)>, StoreError> {
        self.rows(TABLE, "SELECT id, account_hash, sealed FROM account ORDER BY id", [], |row| read(self.keys, row))
    }

    /// Whether the account is there, be it readable or not.
    pub(in crate::store) fn has_account(&self, client: &Client, home_account_id: &str) -> Result<bool, StoreError> {
        let mut query = self.db.prepare_cached("SELECT 1 FROM account WHERE account_hash = ?1")?;
        Ok(query.exists([account_hash(self.keys, client, home_account_id)])?)
    }

    /// Adds the account, or brings it up to date under its old row id.
    pub(in crate::store) fn put_account(&self, client: &Client, user: &User) -> Result<(), StoreError> {
        let [account, of_client, username] = columns(self.keys, client, user);
        let sealed = self.keys.seal(TABLE, &account, &record(client, user))?;
        let sql = "INSERT INTO account (account_hash, client_hash, username_hash, sealed) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT (account_hash) DO UPDATE SET username_hash = excluded.username_hash, sealed = excluded.sealed";
        self.change(sql, (account, of_client, username, sealed))?;
        Ok(())
    }

    pub(in crate::store) fn delete_account(&self, client: &Client, home_account_id: &str) -> Result<usize, StoreError> {
        let hash = account_hash(self.keys, client, home_account_id);
        self.change("DELETE FROM account WHERE account_hash = ?1", [hash])
    }

    pub(in crate::store) fn delete_accounts_of(&self, client: &Client) -> Result<usize, StoreError> {
        self.change("DELETE FROM account WHERE client_hash = ?1", [client_hash(self.keys, client)])
    }
}

/// What the lookup columns of a row should be, its own hash first.
pub(in crate::store) fn expected(keys: &Keyring, row: SealedRow) -> Result<Vec<Lookup>, StoreError> {
    let (client, user) = read(keys, row)?;
    Ok(columns(keys, &client, &user).to_vec())
}

/// The user, if the row is of that client: only the account hash is bound to the row, other columns could have been moved.
fn read_of(keys: &Keyring, row: SealedRow, client: &Client) -> Result<User, StoreError> {
    let name = row.name;
    let (own, user) = read(keys, row)?;
    if own == *client { Ok(user) } else { Err(name.corrupt()) }
}

fn read(keys: &Keyring, mut row: SealedRow) -> Result<(Client, User), StoreError> {
    let name = row.name;
    let record: Record = row.open(keys)?;
    let client_id = ClientId::parse(&record.c).map_err(|_| name.corrupt())?;
    Ok((Client { environment: record.e, client_id }, record.user.into()))
}

fn record(client: &Client, user: &User) -> Record {
    Record { e: client.environment.clone(), c: client.client_id.to_string(), user: user.into() }
}
