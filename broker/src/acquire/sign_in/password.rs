//! Sign-in by user name and password (RFC 6749, section 4.3). At Microsoft Entra ID the user's realm is asked for first: a managed
//! user's password goes to the token endpoint, a federated user's to the federation server of the organization, whose SAML assertion
//! then goes to the token endpoint. Nothing is kept but what every sign-in brings.

use std::sync::Arc;

use token_broker_proto::{Account, Secret, calls::Username, oauth::Authority};

use super::{Desk, SignIn};
use crate::{
    flow::{
        microsoft::{
            user_realm::{Federation, UserRealm},
            ws_trust::{rst::Ask, rstr::SamlAssertion, saml_bearer},
        },
        oauth::{
            TokenError,
            id_token::Expectation,
            password::{self, ResourceOwner},
            token_response::TokenResponse,
        },
    },
    model::{DeskError, HttpRequest, Interaction, Presented},
    ports::entropy,
    provider::from_token,
};

impl Desk {
    pub(super) async fn sign_in_by_password(
        self: &Arc<Self>,
        sign_in: &SignIn,
        username: &Username,
        password: &Secret,
    ) -> Result<Account, DeskError> {
        let owner = ResourceOwner { username: username.as_str(), password };
        let tokens = sign_in.patience.wait(self.tokens_for_password(sign_in, owner)).await??;
        let context = sign_in.context().known_as(username);
        let expected = Expectation::without_nonce(context.client(&Presented::Nothing));
        self.save_sign_in(&context, tokens, expected).await
    }

    async fn tokens_for_password(
        self: &Arc<Self>,
        sign_in: &SignIn,
        owner: ResourceOwner<'_>,
    ) -> Result<TokenResponse, DeskError> {
        let context = sign_in.context();
        let credential = self.shown(&context).await?;
        let (client, parameters) = (context.client(&credential), sign_in.parameters());
        let realm = match &sign_in.stored.application.authority {
            Authority::Microsoft(authority) => {
                self.provider.user_realm(authority, owner.username, sign_in.correlation_id).await?
            }
            Authority::OpenIdConnect { .. } | Authority::Endpoints(_) | Authority::ManagedIdentity(_) => {
                UserRealm::Managed
            }
        };
        let request = match realm {
            UserRealm::Managed => password::request(client, owner, parameters, sign_in.correlation_id),
            UserRealm::Federated(federation) => {
                let assertion = self.assertion_for_password(sign_in, owner, &federation).await?;
                saml_bearer::request(client, &assertion, parameters, sign_in.correlation_id)
            }
        };
        self.tokens_without_user(sign_in, request).await
    }

    async fn assertion_for_password(
        &self,
        sign_in: &SignIn,
        owner: ResourceOwner<'_>,
        federation: &Federation,
    ) -> Result<SamlAssertion, DeskError> {
        let correlation_id = sign_in.correlation_id;
        let endpoint = self.provider.federation_endpoint(federation, correlation_id).await?;
        let message_id = entropy::correlation_id(&*self.entropy);
        let ask = Ask { audience: &federation.audience, message_id, now: self.clock.now() };
        self.provider.saml_assertion(&endpoint, owner, ask, correlation_id).await
    }

    /// Tokens for a request that no user is in front of. Where the provider says that a page would help, that is said.
    pub(super) async fn tokens_without_user(
        &self,
        sign_in: &SignIn,
        request: HttpRequest,
    ) -> Result<TokenResponse, DeskError> {
        let tokens = self.provider.tokens(request, &sign_in.scopes).await;
        tokens.map_err(|error| match (error.needs_page(), error) {
            (true, TokenError::Refused(words)) => {
                let application = sign_in.stored.application.name.to_string();
                DeskError::InteractionRequired { application, why: Interaction::Provider(words) }
            }
            (_, other) => from_token(other),
        })
    }
}
