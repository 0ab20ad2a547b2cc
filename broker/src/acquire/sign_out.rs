//! `SignOut`: forgets an account of an application; on request the provider revokes the refresh token first (RFC 7009).
//! Whatever the provider says, the account is gone from here.

use token_broker_proto::calls::{Revocation, SignOutAnswer, SignOutRequest};

use super::Desk;
use crate::{
    access::Caller,
    flow::oauth::{ClientContext, revocation},
    model::{DeskError, GrantHolder, GrantKey, RegisteredApplication, User},
};

impl Desk {
    /// Signs an account out.
    pub async fn sign_out(&self, caller: &Caller, request: &SignOutRequest) -> Result<SignOutAnswer, DeskError> {
        tracing::debug!(%caller, revoke = request.revoke, "sign out");
        let stored = self.find_application_named(&request.application)?;
        let application = &stored.application;
        let client = application.client();
        let Some(user) = self.find_user(application, request.account.as_deref())? else {
            return Ok(SignOutAnswer { account: None, revocation: Revocation::NotRequested });
        };
        let revocation =
            if request.revoke { self.revoke(application, &user, request).await } else { Revocation::NotRequested };
        self.vault.remove_account(&client, &user.home_account_id).await?;
        tracing::info!("signed out");
        Ok(SignOutAnswer { account: Some(user.account(&client, &application.name)), revocation })
    }

    async fn revoke(&self, application: &RegisteredApplication, user: &User, request: &SignOutRequest) -> Revocation {
        match self.try_to_revoke(application, user, request).await {
            Ok(revocation) => revocation,
            Err(error) => Revocation::Failed(error.to_string()),
        }
    }

    async fn try_to_revoke(
        &self,
        application: &RegisteredApplication,
        user: &User,
        request: &SignOutRequest,
    ) -> Result<Revocation, DeskError> {
        let client = application.client();
        let key = GrantKey {
            environment: client.environment,
            holder: GrantHolder::Client(client.client_id),
            home_account_id: user.home_account_id.clone(),
        };
        let Some((_, grant)) = self.vault.find_grant(&key)? else {
            return Ok(Revocation::NotRequested);
        };
        let correlation_id = self.correlation_id(request.correlation_id);
        let metadata = self.metadata(&application.authority, correlation_id).await?;
        let client = ClientContext {
            metadata: &metadata,
            client_id: &application.client_id,
            credential: &application.credential,
        };
        let Some(request) = revocation::request(client, &grant.refresh_token, correlation_id) else {
            return Ok(Revocation::Failed("the provider has no revocation endpoint (RFC 7009)".into()));
        };
        Ok(match self.provider.revoke(request).await {
            Ok(()) => Revocation::Accepted,
            Err(error) => Revocation::Failed(error.to_string()),
        })
    }
}
