//! Access tokens that were met and do not open. Such a row is left out, as if it were not there, until a new token takes its place
//! or its owner removes it; here it is kept in mind, so that log and status name it. What else does not open is an error.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use super::super::Vault;

/// Most rows that are kept in mind; `cache verify` finds all.
const MOST: usize = 64;

/// Row ids of access tokens.
#[derive(Debug, Default)]
pub(in crate::store::vault) struct Damaged(Mutex<BTreeSet<i64>>);

impl Damaged {
    /// Keeps them in mind, and logs those that are new.
    pub(in crate::store::vault) fn note(&self, ids: &[i64]) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for id in ids {
            if known.len() < MOST && known.insert(*id) {
                tracing::warn!(row = format!("access_token {id}"), "an access token does not open; it is left out");
            }
        }
    }
}

impl Vault {
    /// The damaged access tokens that were met and are still there, a sentence each.
    #[must_use]
    pub fn damaged_tokens(&self) -> Vec<String> {
        let Ok(open) = self.0.open() else { return Vec::new() };
        let met = open.damaged.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if met.is_empty() {
            return Vec::new();
        }
        let still = |id: &i64| self.read(|tables| tables.has_token(*id)).unwrap_or(true);
        let gone: BTreeSet<i64> = met.iter().copied().filter(|id| !still(id)).collect();
        open.damaged.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|id| !gone.contains(id));
        let told = |id: &i64| {
            format!(
                "the access token at-{id} (row access_token {id}) is damaged and is left out; another is fetched instead"
            )
        };
        met.difference(&gone).map(told).collect()
    }
}
