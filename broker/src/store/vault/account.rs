//! Finding the users of a client, and signing one out.

use std::sync::Arc;

use super::{
    Vault,
    grant::{session, take},
    readable,
};
use crate::{
    model::{AppMetadata, Client, FAMILY, Grant, GrantKey, User},
    store::{error::StoreError, rows::Tables},
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

    /// What is known of a client's family; `None` of a client that was never seen, or of which that cannot be read any more.
    pub fn find_app_metadata(&self, client: &Client) -> Result<Option<AppMetadata>, StoreError> {
        self.read(|tables| known(&tables, client))
    }

    /// Notes what is known of a client's family.
    pub async fn save_app_metadata(&self, client: &Client, known: AppMetadata) -> Result<(), StoreError> {
        let client = client.clone();
        self.write(move |tables| tables.put_app_metadata(&client, &known)).await
    }

    /// The users whose grant a family shares, as a client of it knows them.
    pub fn family_users(&self, environment: &str, family: &str) -> Result<Vec<User>, StoreError> {
        self.read(|tables| {
            let mut users: Vec<User> = Vec::new();
            for client in tables.clients_of_family(environment, family)? {
                for user in tables.accounts_of(&client, usize::MAX)? {
                    let key = client.family_grant_key(family, &user.home_account_id);
                    let is_new = !users.iter().any(|known| known.home_account_id == user.home_account_id);
                    if is_new && readable(tables.grant(&key), "its client cannot be joined")?.is_some() {
                        users.push(user);
                    }
                }
            }
            Ok(users)
        })
    }

    /// Signs a user out of a client: removes the account, the client's grant, the access tokens and the identity documents,
    /// and hands the grant over to be revoked. The user's on-behalf-of sessions end, too. A grant of a family of clients goes with
    /// the last of them.
    pub async fn take_account(&self, client: &Client, home_account_id: &str) -> Result<Option<Grant>, StoreError> {
        let (client, home_account_id) = (client.clone(), home_account_id.to_owned());
        self.write(move |tables| {
            let key = client.grant_key(&home_account_id);
            let grant = take(tables, &key)?;
            tables.delete_account(&client, &home_account_id)?;
            tables.delete_tokens_of_account(&client, &home_account_id)?;
            tables.delete_identities_of_account(&client, &home_account_id)?;
            session::end_all(tables, &client, &home_account_id)?;
            let Some(key) = abandoned(tables, &client, &home_account_id)? else { return Ok(grant) };
            let shared = take(tables, &key)?;
            Ok(grant.or(shared))
        })
        .await
    }
}

fn known(tables: &Tables<'_>, client: &Client) -> Result<Option<AppMetadata>, StoreError> {
    readable(tables.app_metadata(client), "the family of a client is unknown")
}

/// Names the grant of a client's family, when no client of it has the account any more. A client that is in none may have left it.
pub(super) fn abandoned(
    tables: &Tables<'_>,
    client: &Client,
    home_account_id: &str,
) -> Result<Option<GrantKey>, StoreError> {
    let known = known(tables, client)?;
    let family = known.and_then(|known| known.family).unwrap_or_else(|| FAMILY.to_owned());
    for other in tables.clients_of_family(&client.environment, &family)? {
        if tables.has_account(&other, home_account_id)? {
            return Ok(None);
        }
    }
    Ok(Some(client.family_grant_key(&family, home_account_id)))
}
