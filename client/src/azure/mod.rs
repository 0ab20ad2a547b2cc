//! `azure_core`'s `TokenCredential` on the daemon's tokens, for the clients of Azure's SDK. Holds no token: the daemon caches, and
//! Azure's own policy keeps the last one for a while.

use azure_core::{
    Error, Result,
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    error::ErrorKind,
    time::OffsetDateTime,
};
use token_broker_proto::{
    Invalid,
    calls::{Subject, TokenRequest},
    oauth::{ApplicationName, Claims, ScopeSet},
};

use crate::Client;

/// Hands the daemon's tokens to a client of Azure's SDK.
///
/// A claims challenge (continuous access evaluation) is answered by putting its [`Claims`] as a value into the context of the token
/// request's `method_options`, as an `OnChallenge` of `azure_core` can. Failures are of the kind `Credential`, with the
/// [`ClientError`](crate::ClientError) as source.
#[derive(Debug, Clone)]
pub struct BrokerCredential {
    client: Client,
    application: ApplicationName,
    subject: Subject,
}

impl BrokerCredential {
    /// Tokens of a user who is signed in to this application: username or `home_account_id`, `None` for the only one.
    #[must_use]
    pub fn of_user(client: Client, application: ApplicationName, account: Option<String>) -> Self {
        Self { client, application, subject: Subject::User(account) }
    }

    /// Tokens of the application itself (RFC 6749, section 4.4).
    #[must_use]
    pub fn of_application(client: Client, application: ApplicationName) -> Self {
        Self { client, application, subject: Subject::Application }
    }
}

#[async_trait::async_trait]
impl TokenCredential for BrokerCredential {
    async fn get_token(&self, scopes: &[&str], options: Option<TokenRequestOptions<'_>>) -> Result<AccessToken> {
        let asked = options.as_ref().and_then(|options| options.method_options.context.value::<Claims>());
        let request = TokenRequest {
            subject: self.subject.clone(),
            scopes: Some(ScopeSet::parse(scopes.iter().copied()).map_err(invalid)?),
            claims: asked.cloned(),
            ..TokenRequest::new(self.application.clone())
        };
        let answer = self.client.token(&request).await.map_err(|error| Error::new(ErrorKind::Credential, error))?;
        let expires_on = OffsetDateTime::from_unix_timestamp(answer.expires_on.seconds())
            .map_err(|error| Error::new(ErrorKind::DataConversion, error))?;
        Ok(AccessToken::new(answer.access_token.expose().to_owned(), expires_on))
    }
}

fn invalid(rule: Invalid) -> Error {
    Error::new(ErrorKind::Credential, rule)
}
