//! Table `access_token`: access tokens by partition and granted scopes, with keyed columns for sign-out (owner), removal of
//! an application (client) and purging (hour of expiry). The list of scopes is in `posting`. The hit path runs through here.

use std::{borrow::Cow, ops::RangeInclusive};

use serde::{Deserialize, Serialize};
use token_broker_proto::{
    Secret,
    oauth::{ClientId, ScopeSet, UnixTime},
};

use super::{SealedRow, Tables, account::UserRecord, is_empty, posting};
use crate::{
    model::{CachedToken, Client, TokenPartition, TokenSubject},
    store::{
        error::StoreError,
        seal::{Keyring, Lookup, Table},
    },
};

const TABLE: Table = Table::AccessToken;
const BY_ID: &str = "SELECT id, token_hash, sealed FROM access_token WHERE id = ?1";
/// Seconds in a bucket of expiry.
pub(in crate::store) const HOUR: i64 = 3600;

/// An access token with everything that its row knows.
pub(in crate::store) struct StoredToken {
    pub(in crate::store) id: i64,
    pub(in crate::store) partition: TokenPartition,
    pub(in crate::store) token: CachedToken,
}

/// Partition: `e`nvironment, `c`lient id, `h`ome account id, `t`enant, token type `y`, `k`ey id, e`x`tra. Token: `a`ccess
/// token, `w`ritten token type, `s`copes, `i`ssued on, `d`ead on, `r`efresh on, su`b`ject. Borrows: this is read at every hit.
#[derive(Serialize, Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    e: Cow<'a, str>,
    #[serde(borrow)]
    c: Cow<'a, str>,
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    h: Option<Cow<'a, str>>,
    #[serde(default, borrow, skip_serializing_if = "is_empty")]
    t: Cow<'a, str>,
    #[serde(borrow)]
    y: Cow<'a, str>,
    #[serde(default, borrow, skip_serializing_if = "is_empty")]
    k: Cow<'a, str>,
    #[serde(default, borrow, skip_serializing_if = "is_empty")]
    x: Cow<'a, str>,
    #[serde(borrow)]
    a: Cow<'a, str>,
    #[serde(borrow)]
    w: Cow<'a, str>,
    #[serde(borrow)]
    s: Cow<'a, str>,
    i: i64,
    d: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    r: Option<i64>,
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    b: Option<SubjectRecord<'a>>,
}

/// The user, and the `j`son web token that is the ID token.
#[derive(Serialize, Deserialize)]
struct SubjectRecord<'a> {
    u: UserRecord,
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    j: Option<Cow<'a, str>>,
}

/// Lookup columns: token, owner, client, expiry.
fn columns(keys: &Keyring, partition: &TokenPartition, token: &CachedToken) -> [Lookup; 3] {
    let client = Client { environment: partition.environment.clone(), client_id: partition.client_id.clone() };
    [
        keys.lookup_bytes(TABLE, "token", &partition_hash(keys, partition), &[&token.scopes.to_string()]),
        owner_hash(keys, &client, owner(partition, token)),
        client_hash(keys, &client),
    ]
}

fn partition_hash(keys: &Keyring, partition: &TokenPartition) -> Lookup {
    let TokenPartition { environment, client_id, home_account_id, tenant, token_type, key_id, extra } = partition;
    let owner = if home_account_id.is_some() { "user" } else { "app" };
    let home = home_account_id.as_deref().unwrap_or_default();
    keys.lookup(TABLE, "partition", &[environment, client_id.as_str(), owner, home, tenant, token_type, key_id, extra])
}

/// With whose sign-out it goes: a token on behalf of a user is of no account, but of that user all the same.
fn owner<'a>(partition: &'a TokenPartition, token: &'a CachedToken) -> Option<&'a str> {
    let subject = || token.subject.as_deref().map(|subject| subject.user.home_account_id.as_str());
    partition.home_account_id.as_deref().or_else(subject)
}

fn owner_hash(keys: &Keyring, client: &Client, home_account_id: Option<&str>) -> Lookup {
    let owner = if home_account_id.is_some() { "user" } else { "app" };
    let home = home_account_id.unwrap_or_default();
    keys.lookup(TABLE, "owner", &[&client.environment, client.client_id.as_str(), owner, home])
}

fn client_hash(keys: &Keyring, client: &Client) -> Lookup {
    keys.lookup(TABLE, "client", &[&client.environment, client.client_id.as_str()])
}

/// Keyed hash of an hour since the epoch.
fn bucket(keys: &Keyring, hour: i64) -> [u8; 8] {
    let hash = keys.lookup(TABLE, "expiry hour", &[&hour.to_string()]);
    hash.first_chunk().copied().unwrap_or_default()
}

/// The hour a token is purged after: never before it was issued, since the purge does not come back to hours gone by.
fn expiry_hour(token: &CachedToken) -> i64 {
    token.expires_on.max(token.issued_on).seconds().div_euclid(HOUR)
}

impl Tables<'_> {
    /// The newest token of the partition that covers the requested scopes and that `accept` takes, and the ids of the damaged ones
    /// that were passed over on the way.
    pub(in crate::store) fn token(
        &self,
        partition: &TokenPartition,
        requested: &ScopeSet,
        accept: &dyn Fn(&CachedToken) -> bool,
    ) -> Result<(Option<CachedToken>, Vec<i64>), StoreError> {
        let hash = partition_hash(self.keys, partition);
        let mut matches = posting::Matches::start(self, &hash, requested)?;
        let mut damaged = Vec::new();
        while let Some(id) = matches.next()? {
            match self.candidate(id, partition, requested) {
                Ok(Some(token)) if accept(&token) => return Ok((Some(token), damaged)),
                Ok(_) => {}
                Err(StoreError::Corrupt(_)) => damaged.push(id),
                Err(error) => return Err(error),
            }
        }
        Ok((None, damaged))
    }

    /// A token that the postings lead to. They are not sealed: what the row itself says counts.
    fn candidate(
        &self,
        id: i64,
        partition: &TokenPartition,
        requested: &ScopeSet,
    ) -> Result<Option<CachedToken>, StoreError> {
        let Some(mut row) = self.row(TABLE, BY_ID, [id])? else { return Ok(None) };
        let name = row.name;
        let record: Record<'_> = row.open(self.keys)?;
        if !is_of(&record, partition) {
            return Err(name.corrupt());
        }
        let token = token(record).ok_or_else(|| name.corrupt())?;
        if requested.is_covered_by(&token.scopes) { Ok(Some(token)) } else { Err(name.corrupt()) }
    }

    /// Whether there is a row of this id, damaged or not.
    pub(in crate::store) fn has_token(&self, id: i64) -> Result<bool, StoreError> {
        Ok(self.db.prepare_cached("SELECT 1 FROM access_token WHERE id = ?1")?.exists([id])?)
    }

    pub(in crate::store) fn token_by_id(&self, id: i64) -> Result<Option<StoredToken>, StoreError> {
        let row = self.row(TABLE, BY_ID, [id])?;
        row.map(|row| read(self.keys, row)).transpose()
    }

    /// Every access token, or those of one client, oldest first.
    pub(in crate::store) fn tokens(
        &self,
        client: Option<&Client>,
        ids: &RangeInclusive<i64>,
    ) -> Result<Vec<StoredToken>, StoreError> {
        let (first, last) = (ids.start(), ids.end());
        let read = |row| read(self.keys, row);
        match client {
            None => {
                let sql = "SELECT id, token_hash, sealed FROM access_token WHERE id BETWEEN ?1 AND ?2 ORDER BY id";
                self.rows(TABLE, sql, (first, last), read)
            }
            Some(client) => {
                let sql = "SELECT id, token_hash, sealed FROM access_token WHERE client_hash = ?1 AND id BETWEEN ?2 AND ?3 ORDER BY id";
                self.rows(TABLE, sql, (client_hash(self.keys, client), first, last), read)
            }
        }
    }

    /// Whether this very token is still there.
    pub(in crate::store) fn still_has(
        &self,
        partition: &TokenPartition,
        token: &CachedToken,
    ) -> Result<bool, StoreError> {
        let is_it = |kept: &CachedToken| kept.issued_on == token.issued_on && kept.scopes == token.scopes;
        Ok(self.token(partition, &token.scopes, &is_it)?.0.is_some())
    }

    /// Adds a token in place of the one with the same scopes: a new row, so that it is the newest.
    pub(in crate::store) fn put_token(
        &self,
        partition: &TokenPartition,
        token: &CachedToken,
    ) -> Result<(), StoreError> {
        let [hash, owner, client] = columns(self.keys, partition, token);
        self.change("DELETE FROM access_token WHERE token_hash = ?1", [hash])?;
        let sealed = self.keys.seal(TABLE, &hash, &record(partition, token))?;
        let sql = "INSERT INTO access_token (token_hash, owner_hash, client_hash, expiry_bucket, sealed)
            VALUES (?1, ?2, ?3, ?4, ?5)";
        self.change(sql, (hash, owner, client, bucket(self.keys, expiry_hour(token)), sealed))?;
        let terms = posting::terms_of_token(self.keys, &partition_hash(self.keys, partition), &token.scopes);
        self.insert_postings(self.db.last_insert_rowid(), &terms)
    }

    pub(in crate::store) fn delete_tokens_of_account(
        &self,
        client: &Client,
        home_account_id: &str,
    ) -> Result<usize, StoreError> {
        let hash = owner_hash(self.keys, client, Some(home_account_id));
        self.change("DELETE FROM access_token WHERE owner_hash = ?1", [hash])
    }

    pub(in crate::store) fn delete_tokens_of(&self, client: &Client) -> Result<usize, StoreError> {
        self.change("DELETE FROM access_token WHERE client_hash = ?1", [client_hash(self.keys, client)])
    }

    /// Removes some of the tokens that expire in that hour; how many.
    pub(in crate::store) fn delete_tokens_of_hour(&self, hour: i64, limit: usize) -> Result<usize, StoreError> {
        let bucket = bucket(self.keys, hour);
        // Most hours hold nothing, and looking is much cheaper than deleting nothing.
        if !self.db.prepare_cached("SELECT 1 FROM access_token WHERE expiry_bucket = ?1")?.exists([bucket])? {
            return Ok(0);
        }
        let sql = "DELETE FROM access_token WHERE id IN
            (SELECT id FROM access_token WHERE expiry_bucket = ?1 LIMIT ?2)";
        self.change(sql, (bucket, i64::try_from(limit).unwrap_or(i64::MAX)))
    }

    /// Whether a token is listed under the terms of its scopes, and in the bucket of its expiry.
    pub(in crate::store) fn is_listed(&self, row: SealedRow) -> Result<bool, StoreError> {
        let StoredToken { id, partition, token } = read(self.keys, row)?;
        let mut terms = posting::terms_of_token(self.keys, &partition_hash(self.keys, &partition), &token.scopes);
        terms.sort_unstable();
        let mut query = self.db.prepare_cached("SELECT expiry_bucket = ?1 FROM access_token WHERE id = ?2")?;
        let in_bucket: bool = query.query_row((bucket(self.keys, expiry_hour(&token)), id), |row| row.get(0))?;
        Ok(in_bucket && self.postings(id)? == terms)
    }
}

/// What the lookup columns of a row should be, its own hash first; without the expiry.
pub(in crate::store) fn expected(keys: &Keyring, row: SealedRow) -> Result<Vec<Lookup>, StoreError> {
    let StoredToken { partition, token, .. } = read(keys, row)?;
    Ok(columns(keys, &partition, &token).to_vec())
}

fn is_of(record: &Record<'_>, partition: &TokenPartition) -> bool {
    record.e == partition.environment
        && record.c == partition.client_id.as_str()
        && record.h.as_deref() == partition.home_account_id.as_deref()
        && record.t == partition.tenant
        && record.y == partition.token_type
        && record.k == partition.key_id
        && record.x == partition.extra
}

fn read(keys: &Keyring, mut row: SealedRow) -> Result<StoredToken, StoreError> {
    let name = row.name;
    let record: Record<'_> = row.open(keys)?;
    let partition = TokenPartition {
        environment: record.e.to_string(),
        client_id: ClientId::parse(&record.c).map_err(|_| name.corrupt())?,
        home_account_id: record.h.as_deref().map(ToOwned::to_owned),
        tenant: record.t.to_string(),
        token_type: record.y.to_string(),
        key_id: record.k.to_string(),
        extra: record.x.to_string(),
    };
    Ok(StoredToken { id: name.id, partition, token: token(record).ok_or_else(|| name.corrupt())? })
}

fn token(record: Record<'_>) -> Option<CachedToken> {
    Some(CachedToken {
        access_token: Secret::new(record.a),
        token_type: record.w.into_owned(),
        scopes: ScopeSet::parse([&*record.s]).ok()?,
        issued_on: UnixTime::from_seconds(record.i),
        expires_on: UnixTime::from_seconds(record.d),
        refresh_on: record.r.map(UnixTime::from_seconds),
        subject: record
            .b
            .map(|SubjectRecord { u, j }| Box::new(TokenSubject { user: u.into(), id_token: j.map(Secret::new) })),
    })
}

fn record<'a>(partition: &'a TokenPartition, token: &'a CachedToken) -> Record<'a> {
    Record {
        e: Cow::from(&partition.environment),
        c: Cow::from(partition.client_id.as_str()),
        h: partition.home_account_id.as_ref().map(Cow::from),
        t: Cow::from(&partition.tenant),
        y: Cow::from(&partition.token_type),
        k: Cow::from(&partition.key_id),
        x: Cow::from(&partition.extra),
        a: Cow::from(token.access_token.expose()),
        w: Cow::from(&token.token_type),
        s: Cow::from(token.scopes.to_string()),
        i: token.issued_on.seconds(),
        d: token.expires_on.seconds(),
        r: token.refresh_on.map(UnixTime::seconds),
        b: token.subject.as_deref().map(|TokenSubject { user, id_token }: &'a TokenSubject| SubjectRecord {
            u: UserRecord::from(user),
            j: id_token.as_ref().map(|token| Cow::from(token.expose())),
        }),
    }
}
