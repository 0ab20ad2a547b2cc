//! `SignHttpRequest`: a token that is bound to the daemon's own key, and one HTTP request signed with it. The token comes from where
//! all tokens come from (`silent`); the key is of `key`.

mod key;

use std::sync::Arc;

use token_broker_proto::calls::{SignHttpRequest, SignedHttpRequest};

pub(super) use key::PopKeys;

use super::Desk;
use crate::{
    access::Caller,
    flow::oauth::proof_of_possession::{
        PopKey, SigningError,
        signed_http_request::{Signing, sign},
    },
    model::DeskError,
    ports::entropy,
};

impl Desk {
    /// A signed HTTP request.
    pub async fn sign_http_request(
        self: &Arc<Self>,
        caller: &Caller,
        request: &SignHttpRequest,
    ) -> Result<SignedHttpRequest, DeskError> {
        tracing::debug!(%caller, "sign an HTTP request");
        // One key for the whole call: if another takes its place meanwhile, the token is still this one's.
        let key = self.pop_key().map_err(fault)?;
        let answer = self.acquire_bound(&request.token, key.binding()).await?;
        let nonce = self.new_correlation_id().to_string().replace('-', "");
        let signing = Signing { access_token: &answer.access_token, nonce: &nonce, now: self.clock.now() };
        Ok(SignedHttpRequest {
            authorization: sign(&key, &request.http, &signing, &entropy::for_signing()).map_err(fault)?,
            expires_on: answer.expires_on,
            scopes: answer.scopes,
            account: answer.account,
            source: answer.source,
            key_id: key.key_id().to_owned(),
            correlation_id: answer.correlation_id,
        })
    }

    /// The key to sign with now. What was bound to the one before it is not renewed any more.
    fn pop_key(&self) -> Result<Arc<PopKey>, SigningError> {
        let current = self.pop_keys.current(self.moment())?;
        if let Some(retired) = current.retired {
            self.in_use.forget_key(&retired);
        }
        Ok(current.key)
    }
}

fn fault(error: SigningError) -> DeskError {
    DeskError::Internal(error.to_string())
}
