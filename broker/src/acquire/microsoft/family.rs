//! Families of clients at Microsoft Entra ID: a refresh token that came with `foci` serves each of them. A client that was never
//! seen tries the family's grant; when the provider answers that it is not of the family, that is remembered, the grant stays,
//! and the user sees no error but the sign-in that is needed anyway.

use std::{cmp::Reverse, sync::Arc};

use token_broker_proto::{calls::TokenAnswer, oauth::Authority};

use crate::{
    acquire::{Desk, refresh_token::Refresh, silent::Wanted},
    model::{AppMetadata, Client, Credential, DeskError, FAMILY, GrantKey, User},
    store::StoreError,
};

impl Desk {
    /// The grants that may serve a user of a client, the newest first; the client's own where there is none at all.
    pub(in crate::acquire) fn grant_keys(&self, client: &Client, user: &User) -> Result<Vec<GrantKey>, DeskError> {
        let own = client.grant_key(&user.home_account_id);
        let Some(AppMetadata { family: Some(family) }) = self.vault.find_app_metadata(client)? else {
            return Ok(vec![own]);
        };
        let mut found = Vec::new();
        for key in [client.family_grant_key(&family, &user.home_account_id), own.clone()] {
            match self.vault.find_grant(&key) {
                // The other one may serve; if there is none, a sign-in takes its place.
                Err(StoreError::Corrupt(row)) => tracing::warn!(row, "a damaged grant is passed over"),
                grant => found.extend(grant?.map(|(_, grant)| (grant.obtained_on, key))),
            }
        }
        found.sort_by_key(|(obtained_on, _)| Reverse(*obtained_on));
        let keys: Vec<GrantKey> = found.into_iter().map(|(_, key)| key).collect();
        Ok(if keys.is_empty() { vec![own] } else { keys })
    }

    /// A token for a user of the family, for a client that was never seen; else what was to be said: nobody is signed in.
    pub(in crate::acquire) async fn by_family(
        self: &Arc<Self>,
        wanted: &Wanted,
        selector: Option<&str>,
        nobody: DeskError,
    ) -> Result<TokenAnswer, DeskError> {
        let application = &wanted.stored.application;
        let client = application.client();
        let may_join = matches!(nobody, DeskError::InteractionRequired { .. })
            && matches!(application.authority, Authority::Microsoft(_))
            // A family is of public clients.
            && matches!(application.credential, Credential::Public)
            && self.vault.find_app_metadata(&client)?.is_none();
        if !may_join {
            return Err(nobody);
        }
        let is_meant = |user: &User| {
            selector.is_none_or(|named| user.home_account_id == named || user.username.eq_ignore_ascii_case(named))
        };
        let users: Vec<User> =
            self.vault.family_users(&client.environment, FAMILY)?.into_iter().filter(is_meant).collect();
        let [user] = users.as_slice() else {
            let candidates = users.iter().map(|user| user.account(&client, &application.name)).collect();
            return Err(if users.is_empty() { nobody } else { DeskError::AccountAmbiguous { candidates } });
        };
        let partition = wanted.partition(Some(user));
        let key = client.family_grant_key(FAMILY, &user.home_account_id);
        let refresh = Refresh::new(wanted, user, partition.clone()).with(key).joining();
        let (token, source) = self.refreshed_by(wanted, refresh, &partition).await?;
        self.answer(wanted, Some(user), token, source)
    }
}
