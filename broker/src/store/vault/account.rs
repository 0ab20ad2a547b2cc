//! Finding the users of a client, and signing one out.

use std::sync::Arc;

use super::Vault;
use crate::{
    model::{Client, Grant, User},
    store::error::StoreError,
};

/// Most users that are listed to choose from.
const MAX_CANDIDATES: usize = 8;

impl Vault {
    /// Users of a client, who signed in first comes first; at most `limit`.
    pub fn users(&self, client: &Client, limit: usize) -> Result<Vec<User>, StoreError> {
        self.read(|tables| tables.accounts_of(client, limit))
    }

    /// The users that a selector means: the one with that home account id, else those with that username in whatever case.
    /// Without a selector the client's first few.
    pub fn find_users(&self, client: &Client, selector: Option<&str>) -> Result<Arc<[User]>, StoreError> {
        let find = || match selector {
            None => self.users(client, MAX_CANDIDATES),
            Some("") => Ok(Vec::new()),
            Some(selector) => self.read(|tables| match tables.account(client, selector)? {
                Some(user) => Ok(vec![user]),
                None => tables.accounts_by_username(client, selector),
            }),
        };
        let question = (client.clone(), selector.map(str::to_owned));
        self.0.open()?.users.or_find(question, || Ok(find()?.into()))
    }

    /// Every account with its client, who signed in first comes first.
    pub fn accounts(&self) -> Result<Vec<(Client, User)>, StoreError> {
        self.read(|tables| tables.all_accounts())
    }

    /// Signs a user out of a client: removes the account, the client's grant, the access tokens and the identity documents,
    /// and hands the grant over to be revoked. A grant of a family of clients stays.
    pub async fn take_account(&self, client: &Client, home_account_id: &str) -> Result<Option<Grant>, StoreError> {
        let (client, home_account_id) = (client.clone(), home_account_id.to_owned());
        self.write(move |tables| {
            let key = client.grant_key(&home_account_id);
            let grant = match tables.grant(&key) {
                Err(StoreError::Corrupt(row)) => {
                    tracing::warn!(row, "a damaged grant is removed and cannot be revoked");
                    None
                }
                found => found?.map(|stored| stored.grant),
            };
            tables.delete_grant(&key)?;
            tables.delete_account(&client, &home_account_id)?;
            tables.delete_tokens_of_account(&client, &home_account_id)?;
            tables.delete_identities_of_account(&client, &home_account_id)?;
            Ok(grant)
        })
        .await
    }
}
