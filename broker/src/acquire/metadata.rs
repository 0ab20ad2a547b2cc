//! The provider's metadata and signing keys, kept in the store for a day; the metadata are used beyond it when the provider does
//! not answer, the keys are fetched again with them. And the verified identity that a token response carries.

use std::time::Duration;

use token_broker_proto::oauth::{Authority, CorrelationId};

use super::Desk;
use crate::{
    flow::oauth::{
        id_token::{self, Expectation, IdTokenError},
        jwks::JwkSet,
        token_response::TokenResponse,
    },
    model::{DeskError, IdentityDocuments, ProviderMetadata, User},
    provider::from_id_token,
    store::StoredProvider,
};

/// How long metadata is used without asking again.
const METADATA_AGE: Duration = Duration::from_secs(24 * 3600);

impl Desk {
    /// The metadata of an authority.
    pub(super) async fn metadata(
        &self,
        authority: &Authority,
        correlation_id: CorrelationId,
    ) -> Result<ProviderMetadata, DeskError> {
        if let Authority::Endpoints(_) = authority {
            // Made of the registration itself: nothing to keep.
            return self.provider.discover(authority, correlation_id).await;
        }
        let kept = self.vault.find_provider(authority)?;
        if let Some(kept) = &kept
            && kept.metadata.fetched_on.plus(METADATA_AGE) > self.clock.now()
        {
            return Ok(kept.metadata.clone());
        }
        match (self.provider.discover(authority, correlation_id).await, kept) {
            (Ok(metadata), _) => {
                let provider = StoredProvider { metadata: metadata.clone(), jwks: None };
                self.vault.save_provider(authority, provider).await?;
                Ok(metadata)
            }
            (Err(DeskError::AuthorityUnavailable { .. }), Some(kept)) => {
                tracing::info!("the provider's metadata could not be fetched again; the kept ones are used");
                Ok(kept.metadata)
            }
            // It was right when the application was registered, so there is nothing to type again.
            (Err(DeskError::WrongIssuer { what, .. }), _) => Err(DeskError::WrongIssuer { what, published: None }),
            (Err(error), _) => Err(error),
        }
    }

    /// Who the tokens are of, verified, if the response has an ID token and the authority publishes keys to check it with.
    pub(super) async fn verified(
        &self,
        issued: &Issued<'_>,
        response: &TokenResponse,
    ) -> Result<Option<(User, IdentityDocuments)>, DeskError> {
        let (Some(raw), Authority::OpenIdConnect { .. } | Authority::Microsoft(_)) =
            (&response.id_token, issued.authority)
        else {
            return Ok(None);
        };
        let now = self.clock.now();
        let check = |keys: &JwkSet| id_token::verify(raw, keys, &issued.expected, now);
        let token = match check(&self.keys(issued, Keys::Kept).await?) {
            // The provider may have changed its keys: look once more.
            Err(IdTokenError::UnknownKey { .. }) => check(&self.keys(issued, Keys::Anew).await?),
            checked => checked,
        };
        // `client_info` is unsigned, and a word of Microsoft alone.
        let is_entra = matches!(issued.authority, Authority::Microsoft(_));
        let client_info = response.client_info.as_deref().filter(|_| is_entra);
        let user = token.map_err(|error| from_id_token(&error))?.user(client_info);
        let documents = IdentityDocuments { id_token: raw.clone(), client_info: response.client_info.clone() };
        Ok(Some((user, documents)))
    }

    /// Sees that the keys to check an ID token with are here, before something is sent that can be sent only once.
    pub(super) async fn has_keys(&self, issued: &Issued<'_>) -> Result<(), DeskError> {
        match issued.authority {
            Authority::OpenIdConnect { .. } | Authority::Microsoft(_) => self.keys(issued, Keys::Kept).await.map(drop),
            Authority::Endpoints(_) | Authority::ManagedIdentity(_) => Ok(()),
        }
    }

    async fn keys(&self, issued: &Issued<'_>, which: Keys) -> Result<JwkSet, DeskError> {
        if let Keys::Kept = which {
            let kept = self.vault.find_provider(issued.authority)?.and_then(|kept| kept.jwks);
            if let Some(keys) = kept.and_then(|json| JwkSet::from_json(&json).ok()) {
                return Ok(keys);
            }
        }
        let keys = self.provider.keys(issued.metadata, issued.correlation_id).await?;
        let provider = StoredProvider { metadata: issued.metadata.clone(), jwks: Some(keys.to_json()) };
        self.vault.save_provider(issued.authority, provider).await?;
        Ok(keys)
    }
}

/// Who issued tokens, and what their ID token must say.
pub(super) struct Issued<'a> {
    pub authority: &'a Authority,
    pub metadata: &'a ProviderMetadata,
    pub expected: Expectation<'a>,
    pub correlation_id: CorrelationId,
}

/// Whether the kept signing keys will do.
enum Keys {
    Kept,
    Anew,
}
