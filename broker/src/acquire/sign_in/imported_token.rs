//! Sign-in by a refresh token from elsewhere, to move it here (MSAL's `acquire_token_by_refresh_token`). It is sent once; what comes
//! back is kept, or the token itself where no newer one comes. Like a code, it may be spent by then, so nothing stops it half-way.

use std::sync::Arc;

use token_broker_proto::{Account, Secret, oauth::Authority};

use super::{Desk, SignIn};
use crate::{
    acquire::metadata::Issued,
    flow::{
        microsoft::telemetry,
        oauth::{TokenParameters, id_token::Expectation, refresh_token},
    },
    model::{DeskError, RefreshToken},
};

/// An answer to a refresh need not have an ID token (OpenID Connect Core 1.0, section 12.2).
const NOBODY: &str = "the provider took the refresh token and answered without an ID token, so it is not known whose it is: \
                      nothing was kept, the token may be spent, and only a sign-in by browser or device code helps";

impl Desk {
    pub(super) async fn sign_in_by_imported_token(
        self: &Arc<Self>,
        sign_in: &SignIn,
        token: &Secret,
    ) -> Result<Account, DeskError> {
        let context = sign_in.context();
        let credential = sign_in.patience.wait(self.shown(&context)).await??;
        let client = context.client(&credential);
        let token = RefreshToken::new(token.clone());
        // Elsewhere than at Microsoft nothing beyond the grant may be asked for (RFC 6749, section 6), and only its first owner
        // knows what that is.
        let scopes = match sign_in.stored.application.authority {
            Authority::Microsoft(_) => Some(&sign_in.scopes),
            Authority::OpenIdConnect { .. } | Authority::Endpoints(_) | Authority::ManagedIdentity(_) => {
                sign_in.request.scopes.as_ref()
            }
        };
        let parameters = TokenParameters { scopes, ..sign_in.parameters() };
        let mut request = refresh_token::request(client, &token, parameters, sign_in.correlation_id);
        telemetry::for_imported_token(&mut request);
        let authority = &context.stored.application.authority;
        let expected = Expectation::without_nonce(client);
        let issued = Issued { authority, metadata: context.metadata, expected, correlation_id: context.correlation_id };
        sign_in.patience.wait(self.has_keys(&issued)).await??;
        let mut tokens = self.tokens_without_user(sign_in, request).await?;
        if tokens.id_token.is_none() && !matches!(authority, Authority::Endpoints(_)) {
            return Err(DeskError::AuthorityUnusable(NOBODY.to_owned()));
        }
        tokens.refresh_token.get_or_insert(token);
        self.save_sign_in(&context, tokens, Expectation::without_nonce(client)).await
    }
}
