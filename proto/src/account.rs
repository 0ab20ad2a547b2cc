//! The account: a user who signed in to one application (OpenID Connect Core 1.0, section 2; MSAL's account).

use crate::wire::v1;

/// A user who signed in to one application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// `{uid}.{utid}` at Microsoft Entra ID, else the `sub` claim of the ID token.
    pub home_account_id: String,
    /// Name to show and to select by; may be empty.
    pub username: String,
    /// The `name` claim, if there was one.
    pub name: Option<String>,
    /// Host of the authority, with the issuer's path for an OpenID Connect provider.
    pub environment: String,
    /// Tenant (Microsoft Entra ID); empty elsewhere.
    pub tenant: String,
    /// Name in the broker of the application.
    pub application: String,
}

impl Account {
    /// What people call the account: its username, else its home account id.
    #[must_use]
    pub fn label(&self) -> &str {
        if self.username.is_empty() { &self.home_account_id } else { &self.username }
    }
}

impl From<v1::Account> for Account {
    fn from(wire: v1::Account) -> Self {
        Self {
            home_account_id: wire.home_account_id,
            username: wire.username,
            name: Some(wire.name).filter(|name| !name.is_empty()),
            environment: wire.environment,
            tenant: wire.tenant,
            application: wire.application,
        }
    }
}

impl From<Account> for v1::Account {
    fn from(account: Account) -> Self {
        Self {
            home_account_id: account.home_account_id,
            username: account.username,
            name: account.name.unwrap_or_default(),
            environment: account.environment,
            tenant: account.tenant,
            application: account.application,
        }
    }
}
