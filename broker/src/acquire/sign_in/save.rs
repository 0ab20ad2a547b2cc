//! The end of every sign-in: verify who it is, store everything in one durable step, say who signed in.

use std::sync::Arc;

use token_broker_proto::{
    Account,
    calls::{Event, Username},
    oauth::{Authority, CorrelationId},
};

use super::Desk;
use crate::{
    acquire::{found::partition, metadata::Issued},
    flow::oauth::{ClientContext, id_token::Expectation, token_response::TokenResponse},
    model::{DeskError, Grant, IdentityDocuments, Presented, ProviderMetadata, TokenBinding, User},
    store::{Saved, SignInRecord, StoredApplication},
};

/// What somebody signed in to, and where.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub stored: &'a StoredApplication,
    pub metadata: &'a ProviderMetadata,
    pub correlation_id: CorrelationId,
    /// What the user was called, for an ID token that has no name.
    pub username: Option<&'a str>,
}

impl<'c> Context<'c> {
    /// The same for a user who was called by name.
    pub(super) fn known_as(self, username: &'c Username) -> Self {
        Self { username: Some(username.as_str()), ..self }
    }

    /// Who asks, and whom, showing this.
    pub(super) fn client<'a>(&'a self, credential: &'a Presented) -> ClientContext<'a> {
        ClientContext::of(&self.stored.application, self.metadata, credential)
    }
}

impl Desk {
    /// What the client shows the provider in its next request.
    pub(super) async fn shown(self: &Arc<Self>, sign_in: &Context<'_>) -> Result<Presented, DeskError> {
        self.presented(&sign_in.stored.application, sign_in.metadata, sign_in.correlation_id).await
    }

    pub(super) async fn save_sign_in(
        &self,
        sign_in: &Context<'_>,
        response: TokenResponse,
        expected: Expectation<'_>,
    ) -> Result<Account, DeskError> {
        let application = &sign_in.stored.application;
        let client = application.client();
        let (user, identity) = self.identified(sign_in, &response, expected).await?;
        let (now, realm) = (self.clock.now(), sign_in.metadata.realm());
        let grant = response.refresh_token.clone().map(|refresh_token| {
            let home = &user.home_account_id;
            // Families are Microsoft's; elsewhere the word may mean anything.
            let is_microsoft = matches!(application.authority, Authority::Microsoft(_));
            let key = match response.family.as_ref().filter(|_| is_microsoft) {
                Some(family) => client.family_grant_key(family, home),
                None => client.grant_key(home),
            };
            let scopes = response.scopes.clone();
            (key, Grant::issued(refresh_token, scopes, now))
        });
        let partition = partition(application, Some(&user), &realm, &TokenBinding::Bearer);
        let record = SignInRecord {
            client: client.clone(),
            token: Some((partition, response.cached())),
            user: user.clone(),
            grant,
            identity: identity.map(|documents| (realm, documents)),
        };
        match self.vault.save_sign_in(record).await? {
            Saved::Done => {
                let account = user.account(&client, &application.name);
                self.publish(client, Event::SignedIn(account.clone()));
                Ok(account)
            }
            Saved::Discarded => Err(DeskError::ApplicationNotFound(application.name.to_string())),
        }
    }

    /// Who signed in. A provider of OpenID Connect must say so; plain OAuth 2.0 cannot, and has one nameless account a client.
    async fn identified(
        &self,
        sign_in: &Context<'_>,
        response: &TokenResponse,
        expected: Expectation<'_>,
    ) -> Result<(User, Option<IdentityDocuments>), DeskError> {
        let authority = &sign_in.stored.application.authority;
        let correlation_id = sign_in.correlation_id;
        let issued = Issued { authority, metadata: sign_in.metadata, expected, correlation_id };
        match (self.verified(&issued, response).await?, authority) {
            (Some((user, documents)), _) => Ok((named(user, sign_in.username), Some(documents))),
            (None, Authority::Endpoints(_)) => Ok((named(nameless(), sign_in.username), None)),
            (None, Authority::OpenIdConnect { .. } | Authority::Microsoft(_) | Authority::ManagedIdentity(_)) => {
                Err(DeskError::AuthorityUnusable("the provider answered without an ID token".to_owned()))
            }
        }
    }
}

/// The user by the name that the ID token gives, else by the one that signed in.
fn named(user: User, signed_in_as: Option<&str>) -> User {
    match signed_in_as {
        Some(name) if user.username.is_empty() => User { username: name.to_owned(), ..user },
        _ => user,
    }
}

fn nameless() -> User {
    User {
        home_account_id: "user".to_owned(),
        username: String::new(),
        name: None,
        local_account_id: "user".to_owned(),
        tenant: String::new(),
    }
}
