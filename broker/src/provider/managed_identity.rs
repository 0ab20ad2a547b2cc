//! One exchange with a source of managed identity: asked again as its table says, with the clock that was handed in. And what a
//! failure of it means to a caller.

use token_broker_proto::oauth::ManagedIdentity;

use super::{Provider, error};
use crate::{
    flow::{
        managed_identity::{Retries, Source, VARIABLES},
        oauth::TokenError,
    },
    model::{DeskError, HttpRequest, HttpResponse},
};

impl Provider {
    /// Sends a request to a source until it has an answer that is its last.
    pub async fn ask_source(&self, request: HttpRequest, mut retries: Retries) -> Result<HttpResponse, TokenError> {
        loop {
            let response = self.send(request.clone()).await.map_err(|error| error::token_error(&error))?;
            let Some(wait) = retries.after(&response) else { return Ok(response) };
            tracing::info!(status = response.status().as_u16(), ?wait, "the managed identity is asked for again");
            self.clock.sleep(wait).await;
        }
    }
}

/// What no token means. Where the environment named no source and nothing answers at the last resort, there is none.
#[must_use]
pub fn from_source(error: TokenError, source: &Source, identity: &ManagedIdentity) -> DeskError {
    let title = || format!("the managed identity source {}", source.kind());
    let unavailable = |what| DeskError::AuthorityUnavailable { what, retry_after: None, provider: None };
    match (error, source) {
        (TokenError::NotSent(what), Source::Imds { .. }) if identity.source.is_none() => unavailable(format!(
            "no managed identity was found: the daemon's environment names no other source ({}), and the Instance \
             Metadata Service of a virtual machine is not there: {what}",
            VARIABLES.join(", ")
        )),
        (TokenError::NotSent(what) | TokenError::Lost(what), _) => unavailable(format!("{}: {what}", title())),
        (TokenError::Unavailable { what, retry_after, provider }, _) => {
            DeskError::AuthorityUnavailable { what: format!("{} {what}", title()), retry_after, provider }
        }
        (TokenError::Malformed(what), _) => DeskError::AuthorityUnusable(format!("{} {what}", title())),
        (TokenError::Refused(refusal), _) => DeskError::AuthorityRefused(refusal),
        (TokenError::Busy(limit), _) => DeskError::LimitExceeded(limit),
    }
}
