//! Finding a cached access token, saving an app-only one, and purging the expired.

use super::{Vault, grant::Saved};
use crate::{
    model::{ApplicationStamp, CachedToken, TokenPartition},
    store::{
        error::StoreError,
        rows::{Tables, access_token::HOUR},
    },
};
use token_broker_proto::oauth::{ScopeSet, UnixTime};

/// Hours that the first purge looks back.
const FIRST_LOOK_BACK: i64 = 400 * 24;
/// Hours looked at in one transaction.
const HOURS_PER_STEP: i64 = 1000;
/// Rows removed in one transaction, so that other writes need not wait long.
const ROWS_PER_STEP: usize = 1000;

/// How far a step of the purge came.
struct Step {
    removed: u64,
    finished: bool,
}

impl Vault {
    /// The newest access token of the partition that covers the requested scopes (reserved ones aside) and that `accept`
    /// takes. A damaged one is left out. `accept` must not call the vault.
    pub fn find_token(
        &self,
        partition: &TokenPartition,
        requested: &ScopeSet,
        accept: &dyn Fn(&CachedToken) -> bool,
    ) -> Result<Option<CachedToken>, StoreError> {
        let (token, damaged) = self.read(|tables| tables.token(partition, requested, accept))?;
        if !damaged.is_empty() {
            self.0.open()?.damaged.note(&damaged);
        }
        Ok(token)
    }

    /// Saves a token that came without a grant: of the application itself, or for an assertion. Discarded when the registration is
    /// gone or was replaced.
    pub async fn save_app_token(
        &self,
        application: ApplicationStamp,
        partition: TokenPartition,
        token: CachedToken,
    ) -> Result<Saved, StoreError> {
        self.write(move |tables| {
            if !tables.is_registered(application)? {
                return Ok(Saved::Discarded);
            }
            tables.put_token(&partition, &token)?;
            Ok(Saved::Done)
        })
        .await
    }

    /// Saves a token anew, with what was learned of it since. Discarded when it is not there any more.
    pub async fn save_token_again(&self, partition: TokenPartition, token: CachedToken) -> Result<Saved, StoreError> {
        self.write(move |tables| {
            if !tables.still_has(&partition, &token)? {
                return Ok(Saved::Discarded);
            }
            tables.put_token(&partition, &token)?;
            Ok(Saved::Done)
        })
        .await
    }

    /// Removes the access tokens that expired in an hour before the current one; how many. Goes by small transactions.
    pub async fn purge_expired(&self, now: UnixTime) -> Result<u64, StoreError> {
        let hour = now.seconds().div_euclid(HOUR);
        let mut removed = 0;
        loop {
            let step = self.write(move |tables| purge_step(tables, hour)).await?;
            removed += step.removed;
            if step.finished {
                return Ok(removed);
            }
        }
    }
}

/// Purges some hours from the mark on, and moves the mark. A mark in the future (the clock was wrong) comes back.
fn purge_step(tables: &Tables<'_>, current: i64) -> Result<Step, StoreError> {
    let marked = match tables.purge_mark() {
        Err(StoreError::Corrupt(row)) => {
            tracing::warn!(row, "a row of the store does not open; the purge starts over");
            None
        }
        marked => marked?,
    };
    let start = marked.unwrap_or(current - FIRST_LOOK_BACK).min(current);
    let (mut hour, mut removed) = (start, 0);
    let end = current.min(start.saturating_add(HOURS_PER_STEP));
    while hour < end && removed < ROWS_PER_STEP {
        let limit = ROWS_PER_STEP - removed;
        let of_hour = tables.delete_tokens_of_hour(hour, limit)?;
        removed += of_hour;
        // At the limit the hour may hold more: the next step begins with it.
        if of_hour < limit {
            hour += 1;
        }
    }
    if marked != Some(hour) {
        tables.move_purge_mark(hour)?;
    }
    Ok(Step { removed: u64::try_from(removed).unwrap_or(u64::MAX), finished: hour >= current })
}
