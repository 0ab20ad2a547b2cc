//! Table `grant_token`: refresh tokens with their rotation, by (environment, client or family, account). A rotation updates
//! the row and counts its generation; a new sign-in makes a new row.

use std::{borrow::Cow, ops::RangeInclusive};

use serde::{Deserialize, Serialize};
use token_broker_proto::{
    Secret,
    oauth::{ClientId, ScopeSet, UnixTime},
};

use super::{SealedRow, Tables, account::UserRecord};
use crate::{
    model::{Backoff, Client, Grant, GrantHolder, GrantKey, GrantStamp, GrantState, RefreshFailure, RefreshToken},
    store::{
        error::StoreError,
        seal::{Keyring, Lookup, Table},
    },
};

const TABLE: Table = Table::Grant;

/// A grant with everything that its row knows.
pub(in crate::store) struct StoredGrant {
    pub(in crate::store) stamp: GrantStamp,
    pub(in crate::store) key: GrantKey,
    /// The client that signed in; for a family grant it is one of many holders.
    pub(in crate::store) client_id: ClientId,
    pub(in crate::store) grant: Grant,
}

/// `e`nvironment, `f`amily, `b`ehalf: the user of a session, `c`lient id, `h`ome account id, `g`eneration, `k` refresh token,
/// `s`copes, `o`btained on, last `u`sed on, state `z`, `l`ast failure. Borrows, so that no copy of the token is made.
#[derive(Serialize, Deserialize)]
struct Record<'a> {
    e: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    f: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    b: Option<UserRecord>,
    c: String,
    h: String,
    g: i64,
    #[serde(borrow)]
    k: Cow<'a, str>,
    s: String,
    o: i64,
    u: i64,
    #[serde(default)]
    z: StateRecord,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    l: Option<FailureRecord>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StateRecord {
    #[default]
    Live,
    BackingOff {
        #[serde(default)]
        since: i64,
        until: i64,
        failures: u32,
        #[serde(default)]
        lost: bool,
        #[serde(default)]
        unsent: bool,
    },
    Refused {
        since: i64,
        error: String,
        #[serde(default)]
        lost: bool,
    },
}

#[derive(Serialize, Deserialize)]
struct FailureRecord {
    on: i64,
    reason: String,
    message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    correlation_id: String,
}

/// Lookup columns: grant, client. A family's grant belongs to no single client; a session is its client's like any other.
fn columns(keys: &Keyring, key: &GrantKey) -> [Lookup; 2] {
    let (kind, of, holder) = match &key.holder {
        GrantHolder::Client(client_id) => ("client", "client", client_id.as_str()),
        GrantHolder::Family(family) => ("family", "family", family.as_str()),
        GrantHolder::Session(client_id) => ("session", "client", client_id.as_str()),
    };
    [
        keys.lookup(TABLE, "grant", &[&key.environment, kind, holder, &key.home_account_id]),
        keys.lookup(TABLE, of, &[&key.environment, holder]),
    ]
}

fn client_hash(keys: &Keyring, client: &Client) -> Lookup {
    keys.lookup(TABLE, "client", &[&client.environment, client.client_id.as_str()])
}

impl Tables<'_> {
    pub(in crate::store) fn grant(&self, key: &GrantKey) -> Result<Option<StoredGrant>, StoreError> {
        let [hash, _] = columns(self.keys, key);
        let row = self.row(TABLE, "SELECT id, grant_hash, sealed FROM grant_token WHERE grant_hash = ?1", [hash])?;
        row.map(|row| read(self.keys, row)).transpose()
    }

    pub(in crate::store) fn grant_by_id(&self, id: i64) -> Result<Option<StoredGrant>, StoreError> {
        let row = self.row(TABLE, "SELECT id, grant_hash, sealed FROM grant_token WHERE id = ?1", [id])?;
        row.map(|row| read(self.keys, row)).transpose()
    }

    /// Every grant, or those of one client, by row id.
    pub(in crate::store) fn grants(
        &self,
        client: Option<&Client>,
        ids: &RangeInclusive<i64>,
    ) -> Result<Vec<StoredGrant>, StoreError> {
        let (first, last) = (ids.start(), ids.end());
        let read = |row| read(self.keys, row);
        match client {
            None => {
                let sql = "SELECT id, grant_hash, sealed FROM grant_token WHERE id BETWEEN ?1 AND ?2 ORDER BY id";
                self.rows(TABLE, sql, (first, last), read)
            }
            Some(client) => {
                let sql = "SELECT id, grant_hash, sealed FROM grant_token WHERE client_hash = ?1 AND id BETWEEN ?2 AND ?3 ORDER BY id";
                self.rows(TABLE, sql, (client_hash(self.keys, client), first, last), read)
            }
        }
    }

    /// Some grants, of one client or of all, that come after a row.
    pub(in crate::store) fn grants_after(
        &self,
        client: Option<&Client>,
        after: i64,
        limit: usize,
    ) -> Result<Vec<StoredGrant>, StoreError> {
        let (read, limit) = (|row| read(self.keys, row), i64::try_from(limit).unwrap_or(i64::MAX));
        match client {
            None => {
                let sql = "SELECT id, grant_hash, sealed FROM grant_token WHERE id > ?1 ORDER BY id LIMIT ?2";
                self.rows(TABLE, sql, (after, limit), read)
            }
            Some(client) => {
                let sql = "SELECT id, grant_hash, sealed FROM grant_token
                    WHERE client_hash = ?1 AND id > ?2 ORDER BY id LIMIT ?3";
                self.rows(TABLE, sql, (client_hash(self.keys, client), after, limit), read)
            }
        }
    }

    /// Puts a fresh grant in place of the old one: a new row, so that no stamp of the old one fits.
    pub(in crate::store) fn replace_grant(
        &self,
        key: &GrantKey,
        client_id: &ClientId,
        grant: Grant,
    ) -> Result<(), StoreError> {
        self.delete_grant(key)?;
        let stamp = GrantStamp { row: 0, generation: 1 };
        let stored = StoredGrant { stamp, key: key.clone(), client_id: client_id.clone(), grant };
        let [hash, of_client] = columns(self.keys, key);
        let sealed = self.keys.seal(TABLE, &hash, &record(&stored))?;
        let sql = "INSERT INTO grant_token (grant_hash, client_hash, sealed) VALUES (?1, ?2, ?3)";
        self.change(sql, (hash, of_client, sealed))?;
        Ok(())
    }

    /// Writes a changed grant back into its row.
    pub(in crate::store) fn update_grant(&self, stored: &StoredGrant) -> Result<(), StoreError> {
        let [hash, _] = columns(self.keys, &stored.key);
        let sealed = self.keys.seal(TABLE, &hash, &record(stored))?;
        self.change("UPDATE grant_token SET sealed = ?1 WHERE id = ?2", (sealed, stored.stamp.row))?;
        Ok(())
    }

    pub(in crate::store) fn delete_grant(&self, key: &GrantKey) -> Result<usize, StoreError> {
        let [hash, _] = columns(self.keys, key);
        self.change("DELETE FROM grant_token WHERE grant_hash = ?1", [hash])
    }

    pub(in crate::store) fn delete_grants_of(&self, client: &Client) -> Result<usize, StoreError> {
        self.change("DELETE FROM grant_token WHERE client_hash = ?1", [client_hash(self.keys, client)])
    }
}

/// What the lookup columns of a row should be, its own hash first.
pub(in crate::store) fn expected(keys: &Keyring, row: SealedRow) -> Result<Vec<Lookup>, StoreError> {
    Ok(columns(keys, &read(keys, row)?.key).to_vec())
}

fn read(keys: &Keyring, mut row: SealedRow) -> Result<StoredGrant, StoreError> {
    let name = row.name;
    let record: Record<'_> = row.open(keys)?;
    stored(name.id, record).ok_or_else(|| name.corrupt())
}

fn stored(row: i64, record: Record<'_>) -> Option<StoredGrant> {
    let client_id = ClientId::parse(&record.c).ok()?;
    let holder = match (record.f, &record.b) {
        (Some(family), _) => GrantHolder::Family(family),
        (None, Some(_)) => GrantHolder::Session(client_id.clone()),
        (None, None) => GrantHolder::Client(client_id.clone()),
    };
    Some(StoredGrant {
        stamp: GrantStamp { row, generation: record.g },
        key: GrantKey { environment: record.e, holder, home_account_id: record.h },
        client_id,
        grant: Grant {
            refresh_token: RefreshToken::new(Secret::new(record.k)),
            scopes: ScopeSet::parse([record.s.as_str()]).ok()?,
            obtained_on: UnixTime::from_seconds(record.o),
            last_used_on: UnixTime::from_seconds(record.u),
            state: state(record.z),
            last_failure: record.l.and_then(failure),
            user: record.b.map(Into::into),
        },
    })
}

fn record(stored: &StoredGrant) -> Record<'_> {
    let StoredGrant { stamp, key, client_id, grant } = stored;
    Record {
        e: key.environment.clone(),
        f: key.holder.family().map(str::to_owned),
        b: grant.user.as_ref().filter(|_| key.is_session()).map(Into::into),
        c: match &key.holder {
            GrantHolder::Client(holder) | GrantHolder::Session(holder) => holder.to_string(),
            GrantHolder::Family(_) => client_id.to_string(),
        },
        h: key.home_account_id.clone(),
        g: stamp.generation,
        k: Cow::Borrowed(grant.refresh_token.secret().expose()),
        s: grant.scopes.to_string(),
        o: grant.obtained_on.seconds(),
        u: grant.last_used_on.seconds(),
        z: state_record(&grant.state),
        l: grant.last_failure.as_ref().map(failure_record),
    }
}

fn state(record: StateRecord) -> GrantState {
    match record {
        StateRecord::Live => GrantState::Live,
        StateRecord::BackingOff { since, until, failures, lost, unsent } => GrantState::BackingOff(Backoff {
            since: UnixTime::from_seconds(since),
            until: UnixTime::from_seconds(until),
            failures,
            answer_lost: lost,
            unsent,
        }),
        StateRecord::Refused { since, error, lost } => {
            GrantState::Refused { since: UnixTime::from_seconds(since), error, answer_lost: lost }
        }
    }
}

fn state_record(state: &GrantState) -> StateRecord {
    match state {
        GrantState::Live => StateRecord::Live,
        GrantState::BackingOff(Backoff { since, until, failures, answer_lost, unsent }) => StateRecord::BackingOff {
            since: since.seconds(),
            until: until.seconds(),
            failures: *failures,
            lost: *answer_lost,
            unsent: *unsent,
        },
        GrantState::Refused { since, error, answer_lost } => {
            StateRecord::Refused { since: since.seconds(), error: error.clone(), lost: *answer_lost }
        }
    }
}

/// A reason of a newer version is no reason to lose the grant.
fn failure(record: FailureRecord) -> Option<RefreshFailure> {
    let FailureRecord { on, reason, message, error, correlation_id } = record;
    let reason = reason.parse().ok()?;
    Some(RefreshFailure { on: UnixTime::from_seconds(on), reason, message, error, correlation_id })
}

fn failure_record(failure: &RefreshFailure) -> FailureRecord {
    let RefreshFailure { on, reason, message, error, correlation_id } = failure.clone();
    FailureRecord { on: on.seconds(), reason: reason.as_str().to_owned(), message, error, correlation_id }
}
