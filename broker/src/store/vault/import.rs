//! Saving what another program's cache holds. Never takes the place of what is newer here, and saving the same twice changes
//! nothing.

use super::Vault;
use crate::{
    model::{
        AppMetadata, CachedToken, Client, Grant, GrantHolder, GrantKey, GrantState, IdentityDocuments, TokenPartition,
        User,
    },
    store::{
        error::StoreError,
        rows::{Tables, identity::IdentityKey},
    },
};

/// One thing to save.
#[derive(Debug, Clone)]
pub enum ImportRecord {
    /// An access token.
    AccessToken(TokenPartition, CachedToken),
    /// A refresh token.
    Grant(GrantKey, Grant),
    /// An ID token, of this tenant and home account id.
    Identity {
        /// Tenant it was issued in.
        tenant: String,
        /// Whose it is.
        home_account_id: String,
        /// It.
        documents: IdentityDocuments,
    },
    /// A user of the client.
    User(User),
}

/// What became of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Imported {
    /// It is saved.
    Taken,
    /// The same, or a newer one, was there.
    Known,
}

impl Vault {
    /// Saves records of a client in one transaction; what became of each, in their order. `None`, and nothing saved, when
    /// no application stands for the client any more.
    pub async fn import(
        &self,
        client: Client,
        records: Vec<ImportRecord>,
    ) -> Result<Option<Vec<Imported>>, StoreError> {
        self.write(move |tables| {
            if !tables.is_client_registered(&client)? {
                return Ok(None);
            }
            records.into_iter().map(|record| save(tables, &client, record)).collect::<Result<_, _>>().map(Some)
        })
        .await
    }
}

fn save(tables: &Tables<'_>, client: &Client, record: ImportRecord) -> Result<Imported, StoreError> {
    match record {
        ImportRecord::AccessToken(partition, token) => {
            let as_good = |own: &CachedToken| own.scopes == token.scopes && own.expires_on >= token.expires_on;
            if tables.token(&partition, &token.scopes, &as_good)?.0.is_some() {
                return Ok(Imported::Known);
            }
            tables.put_token(&partition, &token)?;
        }
        ImportRecord::Grant(key, grant) => {
            if tables.grant(&key)?.is_some_and(|own| is_better(&own.grant, &grant)) {
                return Ok(Imported::Known);
            }
            if let GrantHolder::Family(family) = &key.holder {
                tables.put_app_metadata(client, &AppMetadata { family: Some(family.clone()) })?;
            }
            tables.replace_grant(&key, &client.client_id, grant)?;
        }
        ImportRecord::Identity { tenant, home_account_id, documents } => {
            let key = IdentityKey { client: client.clone(), tenant, home_account_id };
            if tables.identity(&key)?.is_some() {
                return Ok(Imported::Known);
            }
            tables.put_identity(&key, &documents)?;
        }
        ImportRecord::User(user) => {
            if tables.has_account(client, &user.home_account_id)? {
                return Ok(Imported::Known);
            }
            tables.put_account(client, &user)?;
        }
    }
    Ok(Imported::Taken)
}

/// Whether the grant that is here is to be kept: a refused one is not, else the newer one is.
fn is_better(own: &Grant, other: &Grant) -> bool {
    let works = !matches!(own.state, GrantState::Refused { .. });
    works && own.obtained_on >= other.obtained_on
        || own.refresh_token.secret().expose() == other.refresh_token.secret().expose()
}
