//! Table `posting`: which access tokens of a partition carry a scope. Owns scope matching, "requested ⊆ granted", as a walk
//! over the index that is bounded by the rarest requested scope's list (a leapfrog join, Veldhuizen 2014), newest first.

use rusqlite::{CachedStatement, OptionalExtension as _};
use token_broker_proto::oauth::ScopeSet;

use super::Tables;
use crate::store::{
    error::StoreError,
    seal::{Keyring, Lookup, Table},
};

/// The term of every token of the partition, for requests that name reserved scopes only.
fn any_scope(keys: &Keyring, partition: &Lookup) -> Lookup {
    term(keys, "any scope", partition, &[])
}

/// One term per scope that takes part in matching.
fn scope_terms(keys: &Keyring, partition: &Lookup, scopes: &ScopeSet) -> Vec<Lookup> {
    let matching = scopes.iter().filter(|scope| !scope.is_reserved());
    matching.map(|scope| term(keys, "scope", partition, &[scope.as_str()])).collect()
}

/// Half of it tells the partition, so that the lists of a partition lie side by side, mostly on one page; the other half is
/// over partition and scope. Who reads the file learns no more than from `owner_hash`.
fn term(keys: &Keyring, what: &str, partition: &Lookup, scope: &[&str]) -> Lookup {
    let mut term = *partition;
    let of_scope = keys.lookup_bytes(Table::Posting, what, partition, scope);
    for (to, from) in term.iter_mut().skip(8).zip(of_scope) {
        *to = from;
    }
    term
}

/// The terms that a token with these granted scopes is listed under.
pub(in crate::store) fn terms_of_token(keys: &Keyring, partition: &Lookup, granted: &ScopeSet) -> Vec<Lookup> {
    let mut terms = scope_terms(keys, partition, granted);
    terms.push(any_scope(keys, partition));
    terms
}

/// The tokens of a partition that carry every requested scope, by descending row id.
pub(in crate::store) struct Matches<'a> {
    seek: CachedStatement<'a>,
    terms: Vec<Lookup>,
    /// Which list is asked next.
    next: usize,
    /// No higher row id fits any more.
    bound: i64,
}

impl<'a> Matches<'a> {
    pub(in crate::store) fn start(
        tables: &Tables<'a>,
        partition: &Lookup,
        requested: &ScopeSet,
    ) -> Result<Self, StoreError> {
        let mut terms = scope_terms(tables.keys, partition, requested);
        if terms.is_empty() {
            terms.push(any_scope(tables.keys, partition));
        }
        let sql = "SELECT token_id FROM posting WHERE term = ?1 AND token_id <= ?2 ORDER BY token_id DESC LIMIT 1";
        Ok(Self { seek: tables.db.prepare_cached(sql)?, terms, next: 0, bound: i64::MAX })
    }

    /// The next row id. Each list in turn is asked for its newest token that is not newer than what the others agreed on;
    /// a full round of agreement is a match. No list is read where the rarest has no token.
    pub(in crate::store) fn next(&mut self) -> Result<Option<i64>, StoreError> {
        let mut agreed = 0;
        while agreed < self.terms.len() {
            let Some(term) = self.terms.get(self.next) else { return Ok(None) };
            let found: Option<i64> = self.seek.query_row((term, self.bound), |row| row.get(0)).optional()?;
            let Some(found) = found else {
                self.terms.clear();
                return Ok(None);
            };
            agreed = if found == self.bound { agreed + 1 } else { 1 };
            self.bound = found;
            self.next = (self.next + 1) % self.terms.len();
        }
        if self.terms.is_empty() {
            return Ok(None);
        }
        let found = self.bound;
        self.bound -= 1;
        Ok(Some(found))
    }
}

impl Tables<'_> {
    pub(in crate::store) fn insert_postings(&self, token_id: i64, terms: &[Lookup]) -> Result<(), StoreError> {
        let mut insert = self.db.prepare_cached("INSERT INTO posting (term, token_id) VALUES (?1, ?2)")?;
        for term in terms {
            insert.execute((term, token_id))?;
        }
        Ok(())
    }

    /// The terms that a token is listed under, sorted.
    pub(in crate::store) fn postings(&self, token_id: i64) -> Result<Vec<Lookup>, StoreError> {
        let mut query = self.db.prepare_cached("SELECT term FROM posting WHERE token_id = ?1 ORDER BY term")?;
        Ok(query.query_map([token_id], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }
}
