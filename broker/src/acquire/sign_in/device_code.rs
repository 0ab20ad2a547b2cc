//! Device code sign-in (RFC 8628): show the code, poll at the provider's pace, stop when it expires.

use std::sync::Arc;

use token_broker_proto::{Account, calls::SignInEvent};

use super::{Desk, SignIn};
use crate::{
    flow::oauth::{
        device_code::{self, Poll},
        id_token::Expectation,
    },
    model::DeskError,
    ports::http::HttpError,
    provider::{from_http, from_token},
};

impl Desk {
    pub(super) async fn sign_in_by_device_code(self: &Arc<Self>, sign_in: &SignIn) -> Result<Account, DeskError> {
        let claims = sign_in.request.claims.as_ref();
        let context = sign_in.context();
        let credential = sign_in.patience.wait(self.shown(&context)).await??;
        let client = context.client(&credential);
        let request = device_code::request(client, &sign_in.scopes, claims, sign_in.correlation_id)
            .map_err(|missing| DeskError::Unsupported(format!("{missing} (RFC 8628): sign in by browser")))?;
        let sent = sign_in.patience.wait(self.provider.send(request)).await?;
        let response = sent.map_err(|error| from_http(&error))?;
        let parsed = device_code::parse(&response, &sign_in.scopes, self.clock.now());
        let mut authorization = parsed.map_err(from_token)?;
        sign_in.tell(SignInEvent::UserCode(authorization.user_code().clone())).await;
        let tokens = loop {
            let next = self.clock.now().plus(authorization.wait());
            sign_in.patience.wait_until(next.min(authorization.expires_on())).await?;
            let credential = self.shown(&context).await?;
            let poll = authorization.poll_request(context.client(&credential), claims, sign_in.correlation_id);
            let next = match self.provider.poll(poll).await {
                Ok(response) => authorization.after(&response, self.clock.now()),
                Err(error @ HttpError::Tls(_)) => return Err(from_http(&error)),
                Err(_) => authorization.after_timeout(self.clock.now()),
            };
            authorization = match next {
                Poll::Wait(authorization) => authorization,
                Poll::Done(response) => break *response,
                Poll::Expired => return Err(DeskError::Expired),
                Poll::Declined(provider) => return Err(DeskError::Declined(Some(Box::new(provider)))),
                Poll::Failed(error) => return Err(from_token(error)),
            };
        };
        self.save_sign_in(&context, tokens, Expectation::without_nonce(client)).await
    }
}
