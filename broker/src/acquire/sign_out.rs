//! `SignOut`: forgets an account of an application, or ends an on-behalf-of session, and on request revokes its refresh token at
//! the provider (RFC 7009). The account goes first, in one durable step that hands its grant over: whatever the provider says, it
//! is gone from here, and what is under way for it is thrown away. It runs as a task of its own, so a caller that hangs up does
//! not leave it half done.

use std::sync::Arc;

use token_broker_proto::calls::{Event, Revocation, SignOutAnswer, SignOutRequest};
use tracing::Instrument;

use super::Desk;
use crate::{
    access::Caller,
    flow::oauth::{ClientContext, revocation},
    model::{DeskError, Grant},
    store::StoredApplication,
};

impl Desk {
    /// Signs an account out.
    pub async fn sign_out(
        self: &Arc<Self>,
        caller: &Caller,
        request: SignOutRequest,
    ) -> Result<SignOutAnswer, DeskError> {
        tracing::debug!(%caller, revoke = request.revoke, "sign out");
        let correlation_id = self.correlation_id(request.correlation_id);
        let request = SignOutRequest { correlation_id: Some(correlation_id), ..request };
        let span = tracing::info_span!("sign_out", %correlation_id);
        let desk = Arc::clone(self);
        let task = async move { desk.forget(&request).await }.instrument(span);
        let done = self.tasks.tracker.spawn(task).await;
        done.unwrap_or_else(|_| Err(DeskError::Internal("a sign-out died".into())))
    }

    async fn forget(self: &Arc<Self>, request: &SignOutRequest) -> Result<SignOutAnswer, DeskError> {
        let stored = self.find_application_named(&request.application)?;
        let (application, client) = (&stored.application, stored.application.client());
        let session = match &request.account {
            Some(key) => self.end_session(&client, key).await?,
            None => None,
        };
        let (user, grant) = match (self.find_user(application, request.account.as_deref()), session) {
            (Ok(Some(user)), _) => {
                let grant = self.vault.take_account(&client, &user.home_account_id).await?;
                self.in_use.forget_account(&client, &user.home_account_id);
                tracing::info!("signed out");
                self.publish(client.clone(), Event::SignedOut(user.account(&client, &application.name)));
                (Some(user), grant)
            }
            (_, Some(session)) => {
                tracing::info!("an on-behalf-of session ended");
                (session.user.clone(), Some(session))
            }
            (Ok(None), None) => (None, None),
            (Err(error), None) => return Err(error),
        };
        let revocation = match grant.filter(|_| request.revoke) {
            Some(grant) => match self.revoke(&stored, &grant, request).await {
                Ok(revocation) => revocation,
                Err(error) => Revocation::Failed(error.to_string()),
            },
            None => Revocation::NotRequested,
        };
        Ok(SignOutAnswer { account: user.map(|user| user.account(&client, &application.name)), revocation })
    }

    async fn revoke(
        self: &Arc<Self>,
        stored: &StoredApplication,
        grant: &Grant,
        request: &SignOutRequest,
    ) -> Result<Revocation, DeskError> {
        let application = &stored.application;
        let correlation_id = self.correlation_id(request.correlation_id);
        let metadata = self.metadata(&application.authority, correlation_id).await?;
        let credential = self.presented(application, &metadata, correlation_id).await?;
        let client = ClientContext::of(application, &metadata, &credential);
        let Some(request) = revocation::request(client, &grant.refresh_token, correlation_id) else {
            return Ok(Revocation::Failed("the provider has no revocation endpoint (RFC 7009)".into()));
        };
        Ok(match self.provider.revoke(request).await {
            Ok(()) => Revocation::Accepted,
            Err(error) => Revocation::Failed(error.to_string()),
        })
    }
}
