//! Provider metadata that survives a restart, so that the first token after it needs no discovery.

use token_broker_proto::oauth::Authority;

use super::Vault;
use crate::store::{error::StoreError, rows::provider::StoredProvider};

impl Vault {
    /// What is known of an authority, however old it is.
    pub fn find_provider(&self, authority: &Authority) -> Result<Option<StoredProvider>, StoreError> {
        match self.read(|tables| tables.provider(authority)) {
            Err(StoreError::Corrupt(row)) => {
                tracing::warn!(row, "damaged metadata of a provider are fetched anew");
                Ok(None)
            }
            found => found,
        }
    }

    /// The tenant that the tokens of an authority are partitioned by, if that is known; recalled until the next write.
    pub fn find_realm(&self, authority: &Authority) -> Result<Option<String>, StoreError> {
        let find = || Ok(self.find_provider(authority)?.map(|kept| kept.metadata.realm()));
        self.0.open()?.realms.or_find(authority.to_string(), find)
    }

    /// Keeps what an authority published, in place of what it published before.
    pub async fn save_provider(&self, authority: &Authority, provider: StoredProvider) -> Result<(), StoreError> {
        let authority = authority.clone();
        self.write(move |tables| tables.put_provider(&authority, &provider)).await
    }
}
