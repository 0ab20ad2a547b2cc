//! Saving what a sign-in brought, in one transaction, and finding the identity documents of one.

use super::{Vault, grant::Saved};
use crate::{
    model::{AppMetadata, CachedToken, Client, Grant, GrantKey, IdentityDocuments, TokenPartition, User},
    store::{
        error::StoreError,
        rows::{Tables, identity::IdentityKey},
    },
};

/// What a sign-in brought.
#[derive(Debug, Clone)]
pub struct SignInRecord {
    /// The client signed in to.
    pub client: Client,
    /// Who signed in.
    pub user: User,
    /// The access token, if there was one.
    pub token: Option<(TokenPartition, CachedToken)>,
    /// The refresh token, if there was one.
    pub grant: Option<(GrantKey, Grant)>,
    /// ID token and client info, with the tenant that they are kept under.
    pub identity: Option<(String, IdentityDocuments)>,
}

impl Vault {
    /// The identity documents of a user of a client in a tenant.
    pub fn find_identity(
        &self,
        client: &Client,
        tenant: &str,
        home_account_id: &str,
    ) -> Result<Option<IdentityDocuments>, StoreError> {
        let key = IdentityKey {
            client: client.clone(),
            tenant: tenant.to_owned(),
            home_account_id: home_account_id.to_owned(),
        };
        self.read(|tables| tables.identity(&key))
    }

    /// Saves a sign-in. A new grant takes the place of the old one, under a new stamp; access tokens that are there stay.
    /// Discarded when no application stands for the client any more.
    pub async fn save_sign_in(&self, record: SignInRecord) -> Result<Saved, StoreError> {
        self.write(move |tables| save(tables, record)).await
    }
}

fn save(tables: &Tables<'_>, record: SignInRecord) -> Result<Saved, StoreError> {
    let SignInRecord { client, user, token, grant, identity } = record;
    if !tables.is_client_registered(&client)? {
        return Ok(Saved::Discarded);
    }
    tables.put_account(&client, &user)?;
    // A provider that says whose tokens these are (`client_info`) would say the family, too.
    let says_family = identity.as_ref().is_some_and(|(_, documents)| documents.client_info.is_some());
    let family = grant.as_ref().and_then(|(key, _)| key.holder.family().map(str::to_owned));
    if says_family || family.is_some() {
        tables.put_app_metadata(&client, &AppMetadata { family })?;
    }
    if let Some((key, grant)) = grant {
        tables.replace_grant(&key, &client.client_id, grant)?;
    }
    if let Some((partition, token)) = &token {
        tables.put_token(partition, token)?;
    }
    if let Some((tenant, documents)) = identity {
        let key = IdentityKey { client, tenant, home_account_id: user.home_account_id };
        tables.put_identity(&key, &documents)?;
    }
    Ok(Saved::Done)
}
