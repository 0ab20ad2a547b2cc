//! The user behind an account, and the identity documents that came with the sign-in.

use token_broker_proto::{Account, Secret, oauth::ApplicationName};

use super::Client;

/// A signed-in user of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// `{uid}.{utid}` at Microsoft Entra ID, else the `sub` claim.
    pub home_account_id: String,
    /// `preferred_username`, else `upn`, else `email`; may be empty.
    pub username: String,
    /// The `name` claim.
    pub name: Option<String>,
    /// `oid` at Microsoft Entra ID, else the `sub` claim.
    pub local_account_id: String,
    /// Tenant of the sign-in; empty where there are no tenants.
    pub tenant: String,
}

impl User {
    /// The shared word for it, under the name of an application of that client.
    #[must_use]
    pub fn account(&self, client: &Client, application: &ApplicationName) -> Account {
        Account {
            home_account_id: self.home_account_id.clone(),
            username: self.username.clone(),
            name: self.name.clone(),
            environment: client.environment.clone(),
            tenant: self.tenant.clone(),
            application: application.to_string(),
        }
    }
}

/// Whom a token was issued for, where no signed-in account says so.
#[derive(Debug, Clone)]
pub struct TokenSubject {
    /// The user.
    pub user: User,
    /// The ID token that came along.
    pub id_token: Option<Secret>,
}

/// What a provider said of the user's identity, unchanged, kept per client, tenant and account.
#[derive(Debug, Clone)]
pub struct IdentityDocuments {
    /// The ID token (OpenID Connect Core 1.0, section 2).
    pub id_token: Secret,
    /// `client_info` of Microsoft Entra ID.
    pub client_info: Option<String>,
}
