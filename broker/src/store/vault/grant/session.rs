//! On-behalf-of sessions: a refresh token under a name of the application's own, without an account. The tokens of a session are
//! in partitions of that name, so nothing of one session is ever found by another, and all of it goes when it ends.

use super::{Saved, Vault};
use crate::{
    model::{ApplicationStamp, CachedToken, Client, Grant, GrantKey, TokenPartition, User},
    store::{error::StoreError, rows::Tables},
};

/// Grants looked through at once.
const PAGE: usize = 256;

/// What the beginning of a session brought.
#[derive(Debug, Clone)]
pub struct SessionRecord {
    /// The registration that it was asked for.
    pub application: ApplicationStamp,
    /// The client.
    pub client: Client,
    /// The session's grant, under `Client::session_grant_key`.
    pub grant: (GrantKey, Grant),
    /// The first token; its partition names the session.
    pub token: (TokenPartition, CachedToken),
}

impl Vault {
    /// Saves the beginning of a session in place of an older one of that name, of which nothing stays. Discarded when the
    /// registration is gone or was replaced.
    pub async fn save_session(&self, record: SessionRecord) -> Result<Saved, StoreError> {
        self.write(move |tables| {
            let SessionRecord { application, client, grant: (key, grant), token: (partition, token) } = record;
            if !tables.is_registered(application)? {
                return Ok(Saved::Discarded);
            }
            end(tables, &client, &key)?;
            tables.replace_grant(&key, &client.client_id, grant)?;
            tables.put_token(&partition, &token)?;
            Ok(Saved::Done)
        })
        .await
    }

    /// Ends a session, and hands its grant over; `None` if there is none of that name.
    pub async fn take_session(&self, client: &Client, key: GrantKey) -> Result<Option<Grant>, StoreError> {
        let client = client.clone();
        self.write(move |tables| {
            let grant = match tables.grant(&key) {
                Err(StoreError::Corrupt(row)) => {
                    tracing::warn!(row, "a damaged grant is removed and cannot be revoked");
                    None
                }
                found => found?.map(|stored| stored.grant),
            };
            end(tables, &client, &key)?;
            Ok(grant)
        })
        .await
    }
}

/// Ends every session of a user.
pub(in crate::store::vault) fn end_all(
    tables: &Tables<'_>,
    client: &Client,
    home_account_id: &str,
) -> Result<(), StoreError> {
    let mut after = 0;
    loop {
        let page = tables.grants_after(Some(client), after, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.stamp.row;
        let is_theirs = |user: &User| user.home_account_id == home_account_id;
        for stored in page.iter().filter(|stored| stored.grant.user.as_ref().is_some_and(is_theirs)) {
            end(tables, client, &stored.key)?;
        }
    }
}

fn end(tables: &Tables<'_>, client: &Client, key: &GrantKey) -> Result<(), StoreError> {
    tables.delete_grant(key)?;
    tables.delete_tokens_of_account(client, &key.home_account_id)?;
    Ok(())
}
