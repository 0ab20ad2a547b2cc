//! A desk for tokens that is not ours: the same bargain (cache, one refresh at a time, save, answer) in a page, without a flaw or
//! with one of the two that the simulation is there to catch.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
};

use token_broker::{
    access::Caller,
    acquire,
    flow::oauth::{ClientContext, TokenParameters, refresh_token},
    model::{
        CachedToken, DeskError, Grant, GrantKey, GrantStamp, GrantState, Interaction, Presented, TokenBinding,
        TokenPartition,
    },
    provider::{Provider, from_token},
    store::{RefreshRecord, StoredApplication, Vault},
};
use token_broker_proto::{
    calls::{ApplicationOptions, Subject, TokenAnswer, TokenRequest, TokenSource},
    oauth::{CorrelationId, ScopeSet},
};
use tokio_util::task::TaskTracker;

use super::stage::Stage;

/// An answer that is still to come.
pub(super) type Answer<'a> = Pin<Box<dyn Future<Output = Result<TokenAnswer, DeskError>> + Send + 'a>>;

/// Where callers ask for tokens.
pub(super) trait TokenDesk: Send + Sync {
    fn acquire<'a>(&'a self, request: &'a TokenRequest) -> Answer<'a>;
}

/// The real one.
pub(super) struct Real(pub(super) Arc<acquire::Desk>, pub(super) Caller);

impl TokenDesk for Real {
    fn acquire<'a>(&'a self, request: &'a TokenRequest) -> Answer<'a> {
        Box::pin(self.0.acquire_token(&self.1, request))
    }
}

/// What is wrong with the double.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    None,
    AnswersBeforeCommit,
    LetsTwoFly,
}

/// The double.
pub(super) struct Double {
    pub(super) vault: Vault,
    pub(super) provider: Provider,
    pub(super) stage: Arc<Stage>,
    pub(super) tasks: TaskTracker,
    pub(super) flaw: Flaw,
    pub(super) aloft: Mutex<HashMap<GrantKey, Arc<tokio::sync::Mutex<()>>>>,
}

/// Whose token is asked for.
struct Wanted {
    stored: Arc<StoredApplication>,
    user: String,
    partition: TokenPartition,
    key: GrantKey,
    forced: bool,
}

impl TokenDesk for Double {
    fn acquire<'a>(&'a self, request: &'a TokenRequest) -> Answer<'a> {
        Box::pin(self.answered(request))
    }
}

impl Double {
    async fn answered(&self, request: &TokenRequest) -> Result<TokenAnswer, DeskError> {
        let wanted = self.wanted(request)?;
        let (token, source) = match self.cached(&wanted)? {
            Some(token) => (token, TokenSource::Cache),
            None => (self.refreshed(&wanted).await?, TokenSource::IdentityProvider),
        };
        Ok(TokenAnswer {
            access_token: token.access_token,
            token_type: token.token_type,
            expires_on: token.expires_on,
            refresh_on: token.refresh_on,
            scopes: token.scopes,
            account: None,
            source,
            id_token: None,
            correlation_id: CorrelationId::from_random([0; 16]),
            key_id: None,
            session_key: None,
        })
    }

    fn wanted(&self, request: &TokenRequest) -> Result<Wanted, DeskError> {
        let stored = self.vault.find_application(&request.application)?;
        let stored = stored.ok_or_else(|| DeskError::ApplicationNotFound(String::new()))?;
        let Subject::User(Some(user)) = &request.subject else { unreachable!("callers name a user") };
        let client = stored.application.client();
        if self.vault.find_users(&client, Some(user))?.is_empty() {
            return Err(signed_out());
        }
        let partition = TokenPartition {
            environment: client.environment.clone(),
            client_id: client.client_id.clone(),
            home_account_id: Some(user.clone()),
            tenant: String::new(),
            token_type: "bearer".to_owned(),
            key_id: String::new(),
            extra: String::new(),
        };
        let key = client.grant_key(user);
        Ok(Wanted { stored, user: user.clone(), partition, key, forced: request.force_refresh })
    }

    fn cached(&self, wanted: &Wanted) -> Result<Option<CachedToken>, DeskError> {
        let now = self.stage.now();
        let fresh = |token: &CachedToken| !wanted.forced && token.expires_on > now;
        Ok(self.vault.find_token(&wanted.partition, &ScopeSet::openid(), &fresh)?)
    }

    async fn refreshed(&self, wanted: &Wanted) -> Result<CachedToken, DeskError> {
        let own = Arc::clone(self.aloft.lock().unwrap().entry(wanted.key.clone()).or_default());
        let _only = match self.flaw {
            Flaw::LetsTwoFly => None,
            Flaw::None | Flaw::AnswersBeforeCommit => Some(own.lock().await),
        };
        let application = &wanted.stored.application;
        let (stamp, grant) = self.vault.find_grant(&wanted.key)?.ok_or_else(signed_out)?;
        if let GrantState::Refused { .. } = grant.state {
            return Err(signed_out());
        }
        let id = CorrelationId::from_random([1; 16]);
        let metadata = self.provider.discover(&application.authority, id).await?;
        let client_id = &application.client_id;
        let options = ApplicationOptions::default();
        let client =
            ClientContext { metadata: &metadata, client_id, credential: &Presented::Nothing, options: &options };
        let parameters = TokenParameters { scopes: None, claims: None, binding: &TokenBinding::Bearer };
        let request = refresh_token::request(client, &grant.refresh_token, parameters, id);
        let response = match self.provider.tokens(request, &grant.scopes).await {
            Ok(response) => response,
            Err(error) if error.needs_interaction() => return self.refused(wanted, stamp).await,
            Err(error) => return Err(from_token(error)),
        };
        let token = response.cached();
        let now = self.stage.now();
        let scopes = response.scopes;
        let new_grant = response.refresh_token.map(|token| Grant::issued(token, scopes, now));
        let record = RefreshRecord {
            stamp,
            grant_key: wanted.key.clone(),
            client: application.client(),
            home_account_id: wanted.user.clone(),
            token: (wanted.partition.clone(), token.clone()),
            new_grant,
        };
        self.save(record).await?;
        Ok(token)
    }

    async fn refused(&self, wanted: &Wanted, stamp: GrantStamp) -> Result<CachedToken, DeskError> {
        let (since, error) = (self.stage.now(), "invalid_grant".to_owned());
        let state = GrantState::Refused { since, error, answer_lost: false };
        self.vault.set_grant_state(&wanted.key, stamp, state).await?;
        Err(signed_out())
    }

    async fn save(&self, record: RefreshRecord) -> Result<(), DeskError> {
        if self.flaw == Flaw::AnswersBeforeCommit {
            let (vault, turn) = (self.vault.clone(), self.stage.turn("the double commits".to_owned(), None));
            self.tasks.spawn(async move {
                turn.await;
                let _ = vault.save_refresh(record).await;
            });
            return Ok(());
        }
        match self.vault.save_refresh(record).await? {
            token_broker::store::Saved::Done => Ok(()),
            token_broker::store::Saved::Discarded => Err(signed_out()),
        }
    }
}

fn signed_out() -> DeskError {
    DeskError::InteractionRequired { application: String::new(), why: Interaction::NotSignedIn }
}
