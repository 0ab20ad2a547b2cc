//! Sign-in by a federated identity credential that stands for a user (`user_fic` of Microsoft Entra ID). For confidential clients:
//! the credential says who the user is, the client's own says who asks.

use std::sync::Arc;

use token_broker_proto::{Account, calls::FederatedUser, oauth::Authority};

use super::{Desk, SignIn};
use crate::{
    flow::{
        microsoft::user_federated_identity_credential::{self as user_fic, Statement},
        oauth::id_token::Expectation,
    },
    model::{Credential, DeskError},
};

impl Desk {
    pub(super) async fn sign_in_by_user_federated_identity_credential(
        self: &Arc<Self>,
        sign_in: &SignIn,
        statement: Statement<'_>,
    ) -> Result<Account, DeskError> {
        let application = &sign_in.stored.application;
        let unsupported = |why: &str| DeskError::Unsupported(format!("a user federated identity credential {why}"));
        if !matches!(application.authority, Authority::Microsoft(_)) {
            return Err(unsupported("is of Microsoft Entra ID alone"));
        }
        if matches!(application.credential, Credential::Public) {
            let name = &application.name;
            return Err(unsupported(&format!("is for confidential clients, and {name} has no credential of its own")));
        }
        let context = match statement.user {
            FederatedUser::Name(name) => sign_in.context().known_as(name),
            FederatedUser::ObjectId(_) => sign_in.context(),
        };
        let exchange = async {
            let credential = self.shown(&context).await?;
            let client = context.client(&credential);
            let request = user_fic::request(client, statement, sign_in.parameters(), sign_in.correlation_id);
            let tokens = self.tokens_without_user(sign_in, request).await?;
            Ok::<_, DeskError>((credential, tokens))
        };
        let (credential, tokens) = sign_in.patience.wait(exchange).await??;
        self.save_sign_in(&context, tokens, Expectation::without_nonce(context.client(&credential))).await
    }
}
