//! The end of every sign-in: verify who it is, store everything in one durable step, say who signed in.

use token_broker_proto::{Account, oauth::Authority};

use super::{Desk, SignIn};
use crate::{
    acquire::{found::bearer_partition, metadata::Issued},
    flow::oauth::{id_token::Expectation, token_response::TokenResponse},
    model::{DeskError, Grant, GrantState, IdentityDocuments, User},
    store::{Saved, SignInRecord},
};

impl Desk {
    pub(super) async fn save_sign_in(
        &self,
        sign_in: &SignIn,
        response: TokenResponse,
        expected: Expectation<'_>,
    ) -> Result<Account, DeskError> {
        let application = &sign_in.stored.application;
        let client = application.client();
        let (user, identity) = self.identified(sign_in, &response, expected).await?;
        let (now, realm) = (self.clock.now(), sign_in.metadata.realm());
        let grant = response.refresh_token.clone().map(|refresh_token| {
            let key = client.grant_key(&user.home_account_id);
            let scopes = response.scopes.clone();
            let state = GrantState::Live;
            (key, Grant { refresh_token, scopes, obtained_on: now, last_used_on: now, state })
        });
        let record = SignInRecord {
            client: client.clone(),
            token: Some((bearer_partition(application, Some(&user), &realm), response.cached())),
            user: user.clone(),
            grant,
            identity: identity.map(|documents| (realm, documents)),
        };
        match self.vault.save_sign_in(record).await? {
            Saved::Done => Ok(user.account(&client, &application.name)),
            Saved::Discarded => Err(DeskError::ApplicationNotFound(application.name.to_string())),
        }
    }

    /// Who signed in. A provider of OpenID Connect must say so; plain OAuth 2.0 cannot, and has one nameless account a client.
    async fn identified(
        &self,
        sign_in: &SignIn,
        response: &TokenResponse,
        expected: Expectation<'_>,
    ) -> Result<(User, Option<IdentityDocuments>), DeskError> {
        let authority = &sign_in.stored.application.authority;
        let correlation_id = sign_in.correlation_id;
        let issued = Issued { authority, metadata: &sign_in.metadata, expected, correlation_id };
        match (self.verified(&issued, response).await?, authority) {
            (Some((user, documents)), _) => Ok((user, Some(documents))),
            (None, Authority::Endpoints(_)) => Ok((nameless(), None)),
            (None, Authority::OpenIdConnect { .. } | Authority::Microsoft(_)) => {
                Err(DeskError::AuthorityUnusable("the provider answered without an ID token".to_owned()))
            }
        }
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
