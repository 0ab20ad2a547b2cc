//! `GetToken`: a valid access token from the cache, else by refresh or client credentials; never a user interface.

use std::{sync::Arc, time::Duration};

use token_broker_proto::{
    calls::{Extras, Subject, TokenAnswer, TokenRequest, TokenScheme, TokenSource},
    oauth::{Authority, CorrelationId, ScopeSet},
};
use tracing::Instrument;

use super::{
    Desk, FlightKey, Purpose, extras,
    flight::{Boarding, Early, Report},
    found::{is_fresh, is_valid, partition},
    managed_identity,
    microsoft::in_tenant,
    refresh_token::Refresh,
    renewal::Renewal,
};
use crate::{
    access::Caller,
    flow::{cache_key, managed_identity::resource, oauth::proof_of_possession},
    model::{CachedToken, DeskError, Interaction, TokenBinding, TokenPartition, TokenSubject, User},
    store::StoredApplication,
};

/// How often a request begins: its registration was replaced meanwhile.
const STARTS: u32 = 3;

/// What a flight brings home.
pub(super) type Refreshed = Result<(CachedToken, TokenSource), DeskError>;

/// A token request with everything looked up that it names.
#[derive(Clone)]
pub(super) struct Wanted {
    pub stored: Arc<StoredApplication>,
    pub scopes: ScopeSet,
    pub purpose: Purpose,
    pub extras: Extras,
    pub min_validity: Option<Duration>,
    pub include_id_token: bool,
    pub correlation_id: CorrelationId,
}

impl Wanted {
    /// The partition that its tokens are in.
    pub(super) fn partition(&self, user: Option<&User>) -> TokenPartition {
        let extra = self.purpose.extra.clone();
        TokenPartition {
            extra,
            ..partition(&self.stored.application, user, &self.purpose.realm, &self.purpose.binding)
        }
    }

    /// Whether a cached token that is merely valid may answer when the provider fails.
    fn may_fall_back(&self) -> bool {
        self.purpose.may_use_cache() && self.min_validity.is_none()
    }
}

impl Desk {
    /// A valid access token.
    pub async fn acquire_token(
        self: &Arc<Self>,
        caller: &Caller,
        request: &TokenRequest,
    ) -> Result<TokenAnswer, DeskError> {
        tracing::debug!(%caller, "acquire token");
        self.acquire_bound(request, binding(&request.scheme)?).await
    }

    /// A valid access token that is bound so, whatever the scheme of the request. What came for a registration that was replaced
    /// meanwhile is thrown away; then it begins anew with the one that is there.
    pub(super) async fn acquire_bound(
        self: &Arc<Self>,
        request: &TokenRequest,
        binding: TokenBinding,
    ) -> Result<TokenAnswer, DeskError> {
        for _ in 1..STARTS {
            match self.acquire_once(request, binding.clone()).await {
                Err(DeskError::ApplicationNotFound(_)) if self.find_application(&request.application).is_ok() => {
                    tracing::info!("the registration was replaced during the request");
                }
                outcome => return outcome,
            }
        }
        self.acquire_once(request, binding).await
    }

    async fn acquire_once(
        self: &Arc<Self>,
        request: &TokenRequest,
        binding: TokenBinding,
    ) -> Result<TokenAnswer, DeskError> {
        let wanted = self.wanted_bound(request, binding).await?;
        match &managed_identity::subject(&wanted.stored.application, &request.subject)? {
            Subject::User(selector) => match self.signed_in_user(&wanted.stored.application, selector.as_deref()) {
                Ok(user) => self.for_user(&wanted, &user).await,
                Err(nobody) => self.by_family(&wanted, selector.as_deref(), nobody).await,
            },
            Subject::Application => self.for_application(&wanted).await,
            Subject::OnBehalfOf(user) => self.for_user_of(wanted, user).await,
        }
    }

    pub(super) async fn wanted(&self, request: &TokenRequest) -> Result<Wanted, DeskError> {
        self.wanted_bound(request, binding(&request.scheme)?).await
    }

    async fn wanted_bound(&self, request: &TokenRequest, binding: TokenBinding) -> Result<Wanted, DeskError> {
        let correlation_id = self.correlation_id(request.correlation_id);
        let stored = in_tenant(self.find_application(&request.application)?, request.tenant.as_deref())?;
        let is_bound = binding != TokenBinding::Bearer;
        if is_bound && !matches!(stored.application.authority, Authority::Microsoft(_)) {
            return Err(DeskError::Unsupported(format!(
                "{} tokens are issued by Microsoft Entra ID, and {} is another provider",
                binding.token_type(),
                stored.application.authority
            )));
        }
        extras::check(&request.extras, &stored.application.authority)?;
        let realm = self.realm(&stored.application.authority, correlation_id).await?;
        let scopes = request.scopes.clone().unwrap_or_else(|| stored.application.default_scopes());
        let scopes = match stored.application.authority.managed_identity() {
            Some(_) => resource(&scopes)?,
            None => scopes,
        };
        let purpose = Purpose {
            application: stored.application.name.clone(),
            scopes: scopes_to_send(&stored.application.authority, &scopes)
                .map(|scopes| stored.application.options.without_excluded(scopes)),
            claims: request.claims.clone(),
            forced: request.force_refresh,
            client_claims: extras::claims(&request.extras),
            extra: stored.application.options.added() + &cache_key(&extras::parts(&request.extras)),
            realm,
            binding,
        };
        Ok(Wanted {
            stored,
            scopes,
            purpose,
            extras: request.extras.clone(),
            min_validity: request.min_validity,
            include_id_token: request.include_id_token,
            correlation_id,
        })
    }

    async fn for_user(self: &Arc<Self>, wanted: &Wanted, user: &User) -> Result<TokenAnswer, DeskError> {
        let partition = wanted.partition(Some(user));
        let (token, source) = match self.fresh(wanted, &partition)? {
            Some(token) => (token, TokenSource::Cache),
            None => self.refreshed(wanted, user, &partition).await?,
        };
        let renewal = || {
            let refresh = Refresh::new(wanted, user, partition.clone());
            let newest = self
                .grant_keys(&wanted.stored.application.client(), user)
                .ok()
                .and_then(|keys| keys.into_iter().next());
            Renewal::User(Arc::new(match newest {
                Some(grant_key) => refresh.with(grant_key),
                None => refresh,
            }))
        };
        self.note_use(wanted, &partition, &token, renewal);
        self.answer(wanted, Some(user), token, source)
    }

    /// A cached token that is valid for long enough, if the request lets a cached one answer.
    pub(super) fn fresh(&self, wanted: &Wanted, partition: &TokenPartition) -> Result<Option<CachedToken>, DeskError> {
        if !wanted.purpose.may_use_cache() {
            return Ok(None);
        }
        let now = self.clock.now();
        let found =
            self.vault.find_token(partition, &wanted.scopes, &|token| is_fresh(token, wanted.min_validity, now))?;
        if found.is_some() {
            let application = &wanted.stored.application;
            self.provider.note_hit(&application.authority, &application.client_id);
        }
        Ok(found)
    }

    async fn refreshed(self: &Arc<Self>, wanted: &Wanted, user: &User, partition: &TokenPartition) -> Refreshed {
        let mut outcome: Option<DeskError> = None;
        for grant_key in self.grant_keys(&wanted.stored.application.client(), user)? {
            let refresh = Refresh::new(wanted, user, partition.clone()).with(grant_key);
            match self.refreshed_by(wanted, refresh, partition).await {
                // Another grant may still serve: the newest is tried first.
                Err(error @ DeskError::InteractionRequired { .. }) => {
                    outcome = outcome.filter(says_why).or(Some(error));
                }
                other => return other,
            }
        }
        Err(outcome.unwrap_or_else(|| DeskError::Internal("no grant to look for".into())))
    }

    pub(super) async fn refreshed_by(
        self: &Arc<Self>,
        wanted: &Wanted,
        refresh: Refresh,
        partition: &TokenPartition,
    ) -> Refreshed {
        // What this caller lacks must not become the outcome of a flight that others share.
        if let Err(error) = self.usable_grant(&refresh) {
            return self.valid_or(wanted, partition, error);
        }
        let key = FlightKey::Grant(refresh.grant_key.clone());
        let outcome = self.fly(wanted, partition, &key, |early| self.refresh_flight(refresh.clone(), early)).await;
        match outcome {
            Ok((token, source)) if serves(wanted, &token, source) => Ok((token, source)),
            Ok((token, _)) => Err(refresh.no_grant(Some(&token.scopes))),
            Err(error) => self.valid_or(wanted, partition, error),
        }
    }

    /// A refresh with a span of its own: it outlives the call that started it.
    pub(super) fn refresh_flight(
        self: &Arc<Self>,
        refresh: Refresh,
        early: Early<Refreshed>,
    ) -> impl Future<Output = Refreshed> + Send + 'static {
        let span = tracing::info_span!("refresh", correlation_id = %refresh.correlation_id);
        Arc::clone(self).refresh(refresh, early).instrument(span)
    }

    /// The outcome of the one flight of this key. While another caller's flight for another purpose is in the air, waits for
    /// it and looks again; one that cannot land yet answers for all.
    pub(super) async fn fly<F: Future<Output = Refreshed> + Send + 'static>(
        &self,
        wanted: &Wanted,
        partition: &TokenPartition,
        key: &FlightKey,
        flight: impl Fn(Early<Refreshed>) -> F,
    ) -> Refreshed {
        let _waits = self.wait_for(key)?;
        loop {
            match self.flights.board(&self.tasks.tracker, key.clone(), wanted.purpose.clone(), &flight) {
                Boarding::Aboard(landing) => {
                    // The ID token is checked and kept last, perhaps with keys that have to be fetched.
                    let report = if wanted.include_id_token { landing.end().await } else { landing.report().await };
                    return match report {
                        Some(Report::Early(outcome) | Report::Saved(outcome) | Report::Landed(outcome)) => outcome,
                        None => Err(DeskError::Internal("a request to the provider died".into())),
                    };
                }
                Boarding::Occupied(landing) => {
                    if let Some(Report::Early(outcome)) = landing.end().await {
                        return outcome;
                    }
                    if let Some(token) = self.fresh(wanted, partition)? {
                        return Ok((token, TokenSource::Cache));
                    }
                }
            }
        }
    }

    /// A cached token that is still valid, where one may stand in for a failed refresh; else the failure.
    pub(super) fn valid_or(&self, wanted: &Wanted, partition: &TokenPartition, error: DeskError) -> Refreshed {
        if !wanted.may_fall_back() {
            return Err(error);
        }
        let now = self.clock.now();
        match self.vault.find_token(partition, &wanted.scopes, &|token| is_valid(token, now))? {
            Some(token) => {
                tracing::info!("the provider failed; the cached token is still valid");
                Ok((token, TokenSource::Cache))
            }
            None => Err(error),
        }
    }

    /// The answer to the caller, with the ID token if it was asked for. A token that is kept apart brings its own.
    pub(super) fn answer(
        &self,
        wanted: &Wanted,
        user: Option<&User>,
        token: CachedToken,
        source: TokenSource,
    ) -> Result<TokenAnswer, DeskError> {
        let application = &wanted.stored.application;
        let client = application.client();
        let (subject, own) = match token.subject.map(|subject| *subject) {
            Some(TokenSubject { user, id_token }) => (Some(user), id_token),
            None => (None, None),
        };
        let id_token = match (user.filter(|_| wanted.include_id_token), own) {
            (_, Some(own)) => Some(own).filter(|_| wanted.include_id_token),
            (Some(user), None) => {
                let kept = self.vault.find_identity(&client, &wanted.purpose.realm, &user.home_account_id)?;
                kept.map(|documents| documents.id_token)
            }
            (None, None) => None,
        };
        Ok(TokenAnswer {
            access_token: token.access_token,
            token_type: token.token_type,
            expires_on: token.expires_on,
            refresh_on: token.refresh_on,
            scopes: token.scopes,
            account: user.or(subject.as_ref()).map(|user| user.account(&client, &application.name)),
            source,
            id_token,
            correlation_id: wanted.correlation_id,
            key_id: wanted.purpose.binding.key_id().map(str::to_owned),
            session_key: None,
        })
    }
}

/// What the token of a request is bound to.
fn binding(scheme: &TokenScheme) -> Result<TokenBinding, DeskError> {
    match scheme {
        TokenScheme::Bearer => Ok(TokenBinding::Bearer),
        TokenScheme::Pop(key) => Ok(proof_of_possession::pop(key)),
        TokenScheme::SshCert(key) => Ok(proof_of_possession::ssh_cert(key)),
        TokenScheme::Dpop => Err(unsupported("DPoP (RFC 9449)")),
    }
}

/// Whether a token may answer. What Microsoft has just issued for a request may name its scopes otherwise (`User.Read` for
/// `user.read`, the single permissions for `.default`) and is what was asked for all the same.
fn serves(wanted: &Wanted, token: &CachedToken, source: TokenSource) -> bool {
    let is_microsoft = matches!(wanted.stored.application.authority, Authority::Microsoft(_));
    let is_answer = is_microsoft && source == TokenSource::IdentityProvider;
    is_answer || wanted.scopes.is_covered_by(&token.scopes)
}

/// Whether it is more than that a grant is missing.
fn says_why(error: &DeskError) -> bool {
    !matches!(error, DeskError::InteractionRequired { why: Interaction::NoGrant { .. }, .. })
}

/// Scopes that a refresh sends: none at a standard provider, where that means all that were granted (RFC 6749, section 6); at
/// Microsoft Entra ID a grant serves any consented scopes, so they are named, with the ones that bring the other tokens.
pub(super) fn scopes_to_send(authority: &Authority, scopes: &ScopeSet) -> Option<ScopeSet> {
    match authority {
        Authority::Microsoft(_) => Some(scopes.with("openid").with("profile").with("offline_access")),
        Authority::OpenIdConnect { .. } | Authority::Endpoints(_) | Authority::ManagedIdentity(_) => None,
    }
}

fn unsupported(what: &str) -> DeskError {
    DeskError::Unsupported(format!("{what} is not in this version"))
}
