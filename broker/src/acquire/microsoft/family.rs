//! Families of clients at Microsoft Entra ID: a refresh token that came with `foci` serves each of them. A client that was never
//! seen tries the family's grant; when the provider answers that it is not of the family, that is remembered, the grant stays,
//! and the user sees no error but the sign-in that is needed anyway.

use std::{cmp::Reverse, sync::Arc};

use token_broker_proto::{
    calls::{TokenAnswer, TokenSource},
    oauth::Authority,
};
use tracing::Instrument;

use crate::{
    acquire::{
        Desk, FlightKey,
        metadata::Issued,
        silent::{Refreshed, Wanted},
    },
    flow::{
        microsoft::telemetry::{self, Cause},
        oauth::{
            ClientContext, TokenError, TokenParameters,
            id_token::Expectation,
            refresh_token,
            token_response::{Requested, TokenResponse},
        },
    },
    model::{
        AppMetadata, Client, Credential, DeskError, FAMILY, Grant, GrantKey, GrantStamp, GrantState, TokenPartition,
        User,
    },
    provider::from_token,
    store::{Saved, SignInRecord},
};

/// A client that joins its family by a grant of it.
struct Joining {
    wanted: Wanted,
    user: User,
    partition: TokenPartition,
    key: GrantKey,
    nobody: DeskError,
}

impl Desk {
    /// The grants that may serve a user of a client, the newest first; the client's own where there is none at all.
    pub(in crate::acquire) fn grant_keys(&self, client: &Client, user: &User) -> Result<Vec<GrantKey>, DeskError> {
        let own = client.grant_key(&user.home_account_id);
        let Some(AppMetadata { family: Some(family) }) = self.vault.find_app_metadata(client)? else {
            return Ok(vec![own]);
        };
        let mut found = Vec::new();
        for key in [client.family_grant_key(&family, &user.home_account_id), own.clone()] {
            if let Some((_, grant)) = self.vault.find_grant(&key)? {
                found.push((grant.obtained_on, key));
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
        let flight = |_| {
            let joining = Joining {
                wanted: wanted.clone(),
                user: user.clone(),
                partition: partition.clone(),
                key: key.clone(),
                nobody: nobody.clone(),
            };
            let span = tracing::info_span!("join_family", correlation_id = %wanted.correlation_id);
            Arc::clone(self).join(joining).instrument(span)
        };
        let (token, source) = self.fly(wanted, &partition, &FlightKey::Grant(key.clone()), flight).await?;
        self.answer(wanted, Some(user), token, source)
    }

    async fn join(self: Arc<Self>, joining: Joining) -> Refreshed {
        let Joining { wanted, user, key, nobody, .. } = &joining;
        let application = &wanted.stored.application;
        let (stamp, grant) = match self.vault.find_grant(key)? {
            Some((stamp, grant)) if !matches!(grant.state, GrantState::Refused { .. }) => (stamp, grant),
            _ => return Err(nobody.clone()),
        };
        let now = self.clock.now();
        if let Some(left) = grant.state.backoff(now).and_then(|backoff| backoff.left(now)) {
            let what = format!("the provider is left alone for {} s", left.as_secs());
            return Err(DeskError::AuthorityUnavailable { what, retry_after: Some(left), provider: None });
        }
        let metadata = self.metadata(&application.authority, wanted.correlation_id);
        let metadata = self.unless_stopped(metadata).await?;
        let credential = self.presented(application, &metadata, wanted.correlation_id).await?;
        let client = ClientContext::of(application, &metadata, &credential);
        let claims = wanted.purpose.claims_to_send(application);
        let (scopes, binding) = (wanted.purpose.scopes.as_ref(), &wanted.purpose.binding);
        let parameters = TokenParameters { scopes, claims: claims.as_ref(), binding };
        let mut request = refresh_token::request(client, &grant.refresh_token, parameters, wanted.correlation_id);
        telemetry::explain(&mut request, Cause::Absent, Some(&user.home_account_id));
        match self.provider.tokens(request, Requested { scopes: &wanted.scopes, binding }).await {
            Ok(response) => self.welcome(&joining, client, (stamp, &grant), response).await,
            Err(TokenError::Refused(words)) => {
                tracing::info!(error = words.error, "the family's grant does not serve this client");
                if words.suberror.as_deref() == Some("client_mismatch") {
                    self.vault.save_app_metadata(&application.client(), AppMetadata { family: None }).await?;
                }
                Err(nobody.clone())
            }
            Err(other) => Err(from_token(other)),
        }
    }

    /// Saves the client's own account, its token, and the family's next refresh token.
    async fn welcome(
        &self,
        joining: &Joining,
        client: ClientContext<'_>,
        (stamp, old): (GrantStamp, &Grant),
        response: TokenResponse,
    ) -> Refreshed {
        let Joining { wanted, user, partition, key, nobody } = joining;
        let application = &wanted.stored.application;
        let now = self.clock.now();
        let refresh_token = response.refresh_token.clone().unwrap_or_else(|| old.refresh_token.clone());
        let grant =
            Grant { refresh_token, obtained_on: now, last_used_on: now, state: GrantState::Live, ..old.clone() };
        let issued = Issued {
            authority: &application.authority,
            metadata: client.metadata,
            expected: Expectation::without_nonce(client),
            correlation_id: wanted.correlation_id,
        };
        let documents = match self.verified(&issued, &response).await {
            Ok(Some((owner, documents))) if owner.home_account_id == user.home_account_id => Some(documents),
            // The old one of the other client is not this one's.
            _ => None,
        };
        let token = response.cached();
        let record = SignInRecord {
            client: application.client(),
            user: user.clone(),
            token: Some((partition.clone(), token.clone())),
            grant: Some((key.clone(), grant)),
            identity: documents.map(|documents| (partition.tenant.clone(), documents)),
        };
        match self.vault.save_joined(key.clone(), stamp, record).await? {
            Saved::Done => Ok((token, TokenSource::IdentityProvider)),
            Saved::Discarded => Err(nobody.clone()),
        }
    }
}
