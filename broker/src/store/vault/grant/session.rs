//! On-behalf-of sessions: a refresh token under a name of the application's own, without an account. The tokens of a session are
//! in partitions of that name, so nothing of one session is ever found by another, and all of it goes when it ends: by its process,
//! with its user, or when nobody came back to it for longer than its refresh token lives.

use token_broker_proto::oauth::UnixTime;

use super::{Saved, Vault, current, take};
use crate::{
    model::{ApplicationStamp, CachedToken, Client, Grant, GrantKey, GrantStamp, TokenPartition, User},
    store::{
        error::StoreError,
        rows::{Tables, grant::StoredGrant},
    },
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
            let grant = take(tables, &key)?;
            end(tables, &client, &key)?;
            Ok(grant)
        })
        .await
    }

    /// Ends the sessions that were last used before this; how many. One that is used meanwhile stays.
    pub async fn purge_sessions(&self, before: UnixTime) -> Result<u64, StoreError> {
        let mut ended = 0;
        for (stamp, key, client) in self.read_aside(move |tables| unused(&tables, before)).await? {
            let is_ended = self.write(move |tables| {
                if current(tables, &key, stamp)?.is_none_or(|stored| stored.grant.last_used_on >= before) {
                    return Ok(false);
                }
                end(tables, &client, &key)?;
                Ok(true)
            });
            ended += u64::from(is_ended.await?);
        }
        Ok(ended)
    }
}

/// The sessions that were last used before this.
fn unused(tables: &Tables<'_>, before: UnixTime) -> Result<Vec<(GrantStamp, GrantKey, Client)>, StoreError> {
    let (mut found, mut after) = (Vec::new(), 0);
    loop {
        let page = tables.grants_after(None, after, PAGE)?;
        let Some(last) = page.last() else { return Ok(found) };
        after = last.stamp.row;
        let is_unused = |stored: &StoredGrant| stored.key.is_session() && stored.grant.last_used_on < before;
        found.extend(page.into_iter().filter(is_unused).map(|stored| {
            let client = Client { environment: stored.key.environment.clone(), client_id: stored.client_id };
            (stored.stamp, stored.key, client)
        }));
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
