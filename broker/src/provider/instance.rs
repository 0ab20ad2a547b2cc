//! Discovery at Microsoft: whether the host is known, the metadata of the tenant, and the other names of its cloud, which are
//! asked for at the same time and may be missing.

use token_broker_proto::oauth::{Authority, CorrelationId, MicrosoftAuthority};
use url::Url;

use super::{Provider, error, from_http};
use crate::{
    flow::{
        microsoft::{self, instance},
        oauth::discovery::{self, DiscoveryError},
    },
    model::{DeskError, ProviderMetadata},
};

impl Provider {
    pub(super) async fn discover_microsoft(
        &self,
        microsoft: &MicrosoftAuthority,
        authority: &Authority,
        correlation_id: CorrelationId,
    ) -> Result<ProviderMetadata, DeskError> {
        let url = self.metadata_url(microsoft, authority, correlation_id).await?;
        let document = self.send(discovery::request(&url, correlation_id));
        let (document, aliases) = tokio::join!(document, self.aliases(microsoft, correlation_id));
        let document = document.map_err(|error| from_http(&error))?;
        let metadata = discovery::parse(authority, &document, self.clock.now())
            .map_err(|error| error::from_discovery(error, authority))?;
        Ok(ProviderMetadata { aliases, ..metadata })
    }

    async fn metadata_url(
        &self,
        microsoft: &MicrosoftAuthority,
        authority: &Authority,
        correlation_id: CorrelationId,
    ) -> Result<Url, DeskError> {
        match instance::check_request(microsoft, correlation_id) {
            Some(check) => {
                let answer = self.send(check).await.map_err(|error| from_http(&error))?;
                instance::parse_check(microsoft, &answer)
                    .map_err(|error| error::from_discovery(DiscoveryError::Instance(error), authority))
            }
            None => microsoft::metadata_url(microsoft)
                .ok_or_else(|| DeskError::Internal("an authority without metadata URL".into())),
        }
    }

    async fn aliases(&self, microsoft: &MicrosoftAuthority, correlation_id: CorrelationId) -> Vec<String> {
        let Some(request) = instance::aliases_request(microsoft, correlation_id) else { return Vec::new() };
        match self.send(request).await {
            Ok(answer) => instance::parse_aliases(microsoft, &answer),
            Err(error) => {
                tracing::info!(%error, "the other names of the cloud are not known; what is well known holds");
                Vec::new()
            }
        }
    }
}
