//! Finding the users of a client, and signing one out.

use std::sync::Arc;

use super::Vault;
use crate::{
    model::{Client, GrantHolder, GrantKey, User},
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

    /// Signs a user out of a client: removes the account, the client's grant, the access tokens and the identity documents.
    /// Whether there was any of them. A grant of a family of clients stays.
    pub async fn remove_account(&self, client: &Client, home_account_id: &str) -> Result<bool, StoreError> {
        let (client, home_account_id) = (client.clone(), home_account_id.to_owned());
        self.write(move |tables| {
            let grant = GrantKey {
                environment: client.environment.clone(),
                holder: GrantHolder::Client(client.client_id.clone()),
                home_account_id: home_account_id.clone(),
            };
            let removed = tables.delete_account(&client, &home_account_id)?
                + tables.delete_grant(&grant)?
                + tables.delete_tokens_of_account(&client, &home_account_id)?
                + tables.delete_identities_of_account(&client, &home_account_id)?;
            Ok(removed > 0)
        })
        .await
    }
}
