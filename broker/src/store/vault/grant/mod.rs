//! Finding a grant, saving a refresh of it and changing its state. Owns the fence: what was begun with one rotation of a
//! grant is saved only while that rotation is the current one.

pub(super) mod session;

use token_broker_proto::oauth::ClientId;

pub use session::SessionRecord;

use super::{Vault, readable};
use crate::{
    model::{
        AppMetadata, CachedToken, Client, Grant, GrantKey, GrantStamp, GrantState, IdentityDocuments, RefreshFailure,
        TokenPartition, User,
    },
    store::{
        error::StoreError,
        rows::{Tables, grant::StoredGrant, identity::IdentityKey},
    },
};

/// What came of saving something that was begun earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    /// It is durable.
    Done,
    /// What it was begun for is gone or was replaced: nothing was saved.
    Discarded,
}

/// What a refresh brought.
#[derive(Debug, Clone)]
pub struct RefreshRecord {
    /// The rotation that was used.
    pub stamp: GrantStamp,
    /// The grant that was used.
    pub grant_key: GrantKey,
    /// The client that refreshed.
    pub client: Client,
    /// Whose grant it is.
    pub home_account_id: String,
    /// The access token; its `issued_on` is when the grant was used.
    pub token: (TokenPartition, CachedToken),
    /// The next refresh token; `None` when the provider did not rotate it.
    pub new_grant: Option<Grant>,
}

/// A grant as a list of them has it.
#[derive(Debug, Clone)]
pub struct GrantEntry {
    /// Its rotation.
    pub stamp: GrantStamp,
    /// Its name.
    pub key: GrantKey,
    /// The client that signed in; for a family grant it is one of many holders.
    pub client_id: ClientId,
    /// The grant.
    pub grant: Grant,
}

impl Vault {
    /// The grant with its stamp, whatever its state.
    pub fn find_grant(&self, key: &GrantKey) -> Result<Option<(GrantStamp, Grant)>, StoreError> {
        let found = self.read(|tables| tables.grant(key))?;
        Ok(found.map(|stored| (stored.stamp, stored.grant)))
    }

    /// Some grants, of one client or of all, that come after a row; damaged ones are left out.
    pub fn grants_page(
        &self,
        client: Option<&Client>,
        after: i64,
        limit: usize,
    ) -> Result<Vec<GrantEntry>, StoreError> {
        let found = self.read(|tables| tables.grants_after(client, after, limit))?;
        let entry = |StoredGrant { stamp, key, client_id, grant }| GrantEntry { stamp, key, client_id, grant };
        Ok(found.into_iter().map(entry).collect())
    }

    /// Saves a refresh. Discarded when the client or the account is gone, or the stamp is not the current one. A registration
    /// that was replaced meanwhile keeps its client: the rotated token must not be lost for that.
    pub async fn save_refresh(&self, record: RefreshRecord) -> Result<Saved, StoreError> {
        self.write(move |tables| save(tables, record)).await
    }

    /// The same for a client that joins its family by this grant: it has the user's account from then on.
    pub async fn save_joined(&self, record: RefreshRecord, user: User) -> Result<Saved, StoreError> {
        self.write(move |tables| {
            let RefreshRecord { client, grant_key, stamp, .. } = &record;
            if !tables.is_client_registered(client)? || current(tables, grant_key, *stamp)?.is_none() {
                return Ok(Saved::Discarded);
            }
            tables.put_account(client, &user)?;
            let family = grant_key.holder.family().map(str::to_owned);
            tables.put_app_metadata(client, &AppMetadata { family })?;
            save(tables, record)
        })
        .await
    }

    /// Saves what a refresh said of the user's identity. Discarded when the account is gone.
    pub async fn save_identity(
        &self,
        client: &Client,
        tenant: &str,
        home_account_id: &str,
        documents: IdentityDocuments,
    ) -> Result<Saved, StoreError> {
        let (tenant, home_account_id) = (tenant.to_owned(), home_account_id.to_owned());
        let key = IdentityKey { client: client.clone(), tenant, home_account_id };
        self.write(move |tables| {
            if !tables.has_account(&key.client, &key.home_account_id)? {
                return Ok(Saved::Discarded);
            }
            tables.put_identity(&key, &documents)?;
            Ok(Saved::Done)
        })
        .await
    }

    /// Notes whether a grant still works. Discarded when the stamp is not the current one.
    pub async fn set_grant_state(
        &self,
        key: &GrantKey,
        stamp: GrantStamp,
        state: GrantState,
    ) -> Result<Saved, StoreError> {
        let key = key.clone();
        self.write(move |tables| {
            let Some(mut stored) = current(tables, &key, stamp)? else { return Ok(Saved::Discarded) };
            stored.grant.state = state;
            tables.update_grant(&stored)?;
            Ok(Saved::Done)
        })
        .await
    }

    /// Notes a refresh that failed, and the state that it leaves the grant in. Discarded when the stamp is not the current one.
    pub async fn note_failure(
        &self,
        key: &GrantKey,
        stamp: GrantStamp,
        state: GrantState,
        failure: RefreshFailure,
    ) -> Result<Saved, StoreError> {
        let key = key.clone();
        self.write(move |tables| {
            let Some(mut stored) = current(tables, &key, stamp)? else { return Ok(Saved::Discarded) };
            stored.grant.state = state;
            stored.grant.last_failure = Some(failure);
            tables.update_grant(&stored)?;
            Ok(Saved::Done)
        })
        .await
    }
}

fn save(tables: &Tables<'_>, record: RefreshRecord) -> Result<Saved, StoreError> {
    let RefreshRecord { stamp, grant_key, client, home_account_id, token, new_grant } = record;
    let (partition, token) = token;
    // A grant of a family outlives a sign-out, so the account itself has to be there; a session is its own account.
    let is_wanted = grant_key.is_session() || tables.has_account(&client, &home_account_id)?;
    if !is_wanted || !tables.is_client_registered(&client)? {
        return Ok(Saved::Discarded);
    }
    let Some(mut stored) = current(tables, &grant_key, stamp)? else { return Ok(Saved::Discarded) };
    if let Some(grant) = new_grant {
        let Grant { last_failure, user, .. } = stored.grant;
        stored.grant = Grant { last_failure, user, ..grant };
        stored.stamp.generation += 1;
    } else {
        stored.grant.last_used_on = token.issued_on;
        stored.grant.state = GrantState::Live;
    }
    tables.update_grant(&stored)?;
    tables.put_token(&partition, &token)?;
    Ok(Saved::Done)
}

/// Removes a grant and hands it over; a damaged one is as good as none.
pub(super) fn take(tables: &Tables<'_>, key: &GrantKey) -> Result<Option<Grant>, StoreError> {
    let stored = readable(tables.grant(key), "the grant is removed and cannot be revoked")?;
    tables.delete_grant(key)?;
    Ok(stored.map(|stored| stored.grant))
}

/// The grant, if this is its current rotation.
fn current(tables: &Tables<'_>, key: &GrantKey, stamp: GrantStamp) -> Result<Option<StoredGrant>, StoreError> {
    Ok(tables.grant(key)?.filter(|stored| stored.stamp == stamp))
}
