//! A token of a managed identity: where it comes from, what it is cached under, and the questions in their order. The rest (cache,
//! single flight, renewal ahead of time, pauses after a failure) is that of an application's own tokens, `client_credentials`.

use std::sync::Arc;

use token_broker_proto::{
    Invalid, Secret,
    calls::Subject,
    oauth::{Authority, ManagedIdentity, ManagedIdentitySource, ScopeSet, clouds},
};

use super::{Desk, client_credentials::AppOnly, found::is_valid, silent::Wanted};
use crate::{
    flow::{
        managed_identity::{Environment, Question, Retries, Source, answered, challenged_file, parse, request},
        oauth::TokenError,
    },
    metrics::Outcome,
    model::{CachedToken, DeskError, HttpResponse, RegisteredApplication, TokenPartition},
    provider::from_source,
};

/// Audiences of a token that is shown to Microsoft Entra ID as a client assertion, by the cloud of whoever shows it.
const EXCHANGES: [(&str, &str); 2] = [
    ("login.microsoftonline.us", "api://AzureADTokenExchangeUSGov"),
    ("login.partner.microsoftonline.cn", "api://AzureADTokenExchangeChina"),
];
const PUBLIC_EXCHANGE: &str = "api://AzureADTokenExchange";

impl Desk {
    fn in_environment<T>(&self, look: impl FnOnce(&Environment<'_>) -> T) -> T {
        let variable = |name: &str| self.machine.variable(name);
        let has_arc_agent = || self.machine.has_arc_agent();
        look(&Environment { variable: &variable, has_arc_agent: &has_arc_agent })
    }

    /// What an application's own tokens are kept apart by. Tokens of a managed identity have MSAL's words for it, and are kept apart
    /// by their source and by the kind of their id, too.
    pub(super) fn app_partition(&self, wanted: &Wanted) -> TokenPartition {
        let application = &wanted.stored.application;
        let partition = wanted.partition(None);
        match application.authority.managed_identity() {
            None => partition,
            Some(identity) => {
                let source = self.in_environment(|environment| environment.source_of(identity));
                TokenPartition { extra: format!("{source} {}", identity.id.kind()), ..partition }
            }
        }
    }

    /// Asks the source for a token; notes whether the request never went out.
    pub(super) async fn ask_machine(
        self: &Arc<Self>,
        app_only: &AppOnly,
        identity: &ManagedIdentity,
        unsent: &mut bool,
    ) -> Result<CachedToken, DeskError> {
        let source = self.in_environment(|environment| Source::find(identity, environment));
        let source = source.map_err(|error| Invalid::new("application", error.to_string()))?;
        let refused = self.refused_token(app_only)?;
        let question = Question {
            id: &identity.id,
            resource: &app_only.scopes,
            capabilities: &app_only.stored.application.client_capabilities,
            refused: refused.as_ref(),
            correlation_id: app_only.correlation_id,
        };
        let asked_on = self.clock.now();
        let retries = self.retries(app_only, source.kind())?;
        let response = self.unless_stopped(async { Ok(self.ask(&source, &question, retries).await) }).await?;
        let token = response.and_then(|response| parse(&response, source.kind(), &question, asked_on));
        token.map_err(|error| {
            self.metrics.calls.app_token_requested(Outcome::Failed);
            *unsent = matches!(error, TokenError::NotSent(_));
            from_source(source.without_secret(error), &source, identity)
        })
    }

    /// Azure Arc is asked twice: it wants to see the content of a file that it names first.
    async fn ask(
        &self,
        source: &Source,
        question: &Question<'_>,
        retries: Retries,
    ) -> Result<HttpResponse, TokenError> {
        let first = request(source, question);
        let response = self.provider.ask_source(first.clone(), retries.clone()).await?;
        let Source::AzureArc { .. } = source else { return Ok(response) };
        let name = challenged_file(&response, self.machine.arc_keys())?;
        let key = self.machine.arc_key(&name).await.map_err(|error| {
            let place = self.machine.arc_keys().join(&name);
            TokenError::Malformed(format!(
                "wants the content of {}, which cannot be used: {error} (its reader must be root or in the group himds)",
                place.display()
            ))
        })?;
        self.provider.ask_source(answered(first, &key), retries).await
    }

    /// The token that its resource has refused, if a claims challenge says so.
    fn refused_token(&self, app_only: &AppOnly) -> Result<Option<Secret>, DeskError> {
        if app_only.purpose.claims.is_none() {
            return Ok(None);
        }
        Ok(self.valid_token(app_only)?.map(|token| token.access_token))
    }

    /// Whoever has a token that is good for a while is not kept waiting: the next try comes by itself. Who insists waits.
    fn retries(&self, app_only: &AppOnly, source: ManagedIdentitySource) -> Result<Retries, DeskError> {
        let insists = !app_only.purpose.may_use_cache() && !app_only.is_ahead();
        let has_token = self.valid_token(app_only)?.is_some();
        Ok(if has_token && !insists { Retries::none() } else { Retries::of(source) })
    }

    fn valid_token(&self, app_only: &AppOnly) -> Result<Option<CachedToken>, DeskError> {
        let now = self.clock.now();
        Ok(self.vault.find_token(&app_only.partition, &app_only.scopes, &|token| is_valid(token, now))?)
    }
}

/// Whose token is meant: a managed identity has no users, so that its own is meant where nobody is named.
pub(super) fn subject(application: &RegisteredApplication, asked: &Subject) -> Result<Subject, DeskError> {
    if application.authority.managed_identity().is_none() {
        return Ok(asked.clone());
    }
    let (field, rule) = match asked {
        Subject::User(None) | Subject::Application => return Ok(Subject::Application),
        Subject::User(Some(_)) => ("account", "must not be given: a managed identity has no users"),
        Subject::OnBehalfOf(_) => ("on_behalf_of", "must not be given: a managed identity acts for nobody but itself"),
    };
    Err(Invalid::new(field, rule).into())
}

/// The scopes of the token of `source` that `ours` shows as a client assertion: those it is registered with; for a managed identity
/// without any, the audience that Microsoft Entra ID takes in the cloud of `ours`.
pub(super) fn assertion_scopes(ours: &RegisteredApplication, source: &RegisteredApplication) -> Option<ScopeSet> {
    if source.authority.managed_identity().is_none() || !source.scopes.is_empty() {
        return None;
    }
    let cloud = match &ours.authority {
        Authority::Microsoft(microsoft) => clouds::name(&microsoft.cloud),
        Authority::OpenIdConnect { .. } | Authority::Endpoints(_) | Authority::ManagedIdentity(_) => String::new(),
    };
    let found = EXCHANGES.iter().find(|(name, _)| *name == cloud);
    ScopeSet::parse([found.map_or(PUBLIC_EXCHANGE, |(_, audience)| *audience)]).ok()
}
