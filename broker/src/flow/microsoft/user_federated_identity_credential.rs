//! `user_fic`, a grant of Microsoft Entra ID: a confidential client shows a federated identity credential that stands for a user and
//! gets tokens of that user. The answer is read by `token_response`.

use token_broker_proto::{Secret, calls::FederatedUser, oauth::CorrelationId};

use super::telemetry;
use crate::{
    flow::oauth::{ClientContext, TokenParameters, endpoint::Form},
    model::HttpRequest,
};

/// A user and the credential that stands for them.
#[derive(Debug, Clone, Copy)]
pub struct Statement<'a> {
    /// Whom it is for.
    pub user: &'a FederatedUser,
    /// The credential.
    pub assertion: &'a Secret,
}

/// Asks for tokens of the user.
#[must_use]
pub fn request(
    client: ClientContext<'_>,
    statement: Statement<'_>,
    parameters: TokenParameters<'_>,
    correlation_id: CorrelationId,
) -> HttpRequest {
    let form = Form::grant("user_fic").with("user_federated_identity_credential", statement.assertion.expose());
    let form = match statement.user {
        FederatedUser::Name(name) => form.with("username", name.as_str()),
        FederatedUser::ObjectId(id) => form.with("user_id", id.as_str()),
    };
    let mut request = client.post_to_token_endpoint(parameters.add_to(form), correlation_id);
    match statement.user {
        FederatedUser::Name(name) => telemetry::anchor_username(&mut request, name.as_str()),
        FederatedUser::ObjectId(id) => telemetry::anchor(&mut request, &format!("{id}.{}", client.metadata.realm())),
    }
    request
}
