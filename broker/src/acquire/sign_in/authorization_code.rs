//! Browser sign-in: authorization code with PKCE and a loopback redirect (RFC 6749, section 4.1; RFC 7636; RFC 8252). The
//! daemon listens, the client opens the browser. The page that the browser ends on says what really happened: it is shown
//! after the tokens are stored.

use std::sync::Arc;

use token_broker_proto::{Account, calls::SignInEvent, oauth::Authority};
use url::Url;

use super::{Desk, SignIn};
use crate::{
    flow::oauth::authorization_code::{
        AuthorizationRequest, PendingAuthorization, Redirect, RedirectError, ResponseMode,
    },
    model::{DeskError, Interaction, Presented, RegisteredApplication},
    ports::{Loopback, Page, loopback::Arrival},
    provider::from_token,
};

/// Errors that ask for the user (OpenID Connect Core 1.0, section 3.1.2.6).
const NEEDS_USER: [&str; 4] =
    ["login_required", "interaction_required", "consent_required", "account_selection_required"];

impl Desk {
    pub(super) async fn sign_in_by_browser(self: &Arc<Self>, sign_in: &SignIn) -> Result<Account, DeskError> {
        let mut loopback = Loopback::bind(&redirect_uri(sign_in)?).await.map_err(|error| {
            DeskError::Unsupported(format!("the loopback redirect URI cannot be listened on: {error}"))
        })?;
        let pending = self.begin(sign_in, &loopback)?;
        sign_in.tell(SignInEvent::OpenUrl(pending.url())).await;
        loop {
            let Some(arrival) = sign_in.patience.wait(loopback.next()).await? else {
                return Err(DeskError::Internal("the loopback listener ended".into()));
            };
            match pending.accept(arrival.parameters.expose()) {
                // Somebody else's redirect, or a forged one: ours may still come.
                Err(error) if error.is_foreign() => arrival.show(Page::foreign()).await,
                outcome => return self.finish(sign_in, &pending, outcome, arrival).await,
            }
        }
    }

    fn begin(&self, sign_in: &SignIn, loopback: &Loopback) -> Result<PendingAuthorization, DeskError> {
        let mut random = [0; 96];
        self.entropy.fill(&mut random);
        let context = sign_in.context();
        let request = AuthorizationRequest {
            client: context.client(&Presented::Nothing),
            redirect_uri: as_written(sign_in, loopback.redirect_uri()),
            scopes: sign_in.scopes.clone(),
            prompt: sign_in.prompt.clone(),
            login_hint: sign_in.request.login_hint.clone(),
            domain_hint: sign_in.request.domain_hint.clone(),
            claims: sign_in.request.claims.clone(),
            max_age: sign_in.request.max_age,
            response_mode: response_mode(&sign_in.stored.application.authority),
            correlation_id: sign_in.correlation_id,
        };
        PendingAuthorization::begin(request, random).map_err(|error| DeskError::Unsupported(error.to_string()))
    }

    async fn finish(
        self: &Arc<Self>,
        sign_in: &SignIn,
        pending: &PendingAuthorization,
        outcome: Result<Redirect, RedirectError>,
        arrival: Arrival,
    ) -> Result<Account, DeskError> {
        let account = match outcome {
            Ok(redirect) => self.redeem(sign_in, pending, redirect).await,
            Err(error) => Err(from_redirect(&sign_in.stored.application, error)),
        };
        let page = match &account {
            Ok(account) => Page::signed_in(&account.username),
            Err(DeskError::Declined(_)) => Page::failed("The sign-in was declined."),
            Err(error) => Page::failed(&in_words(error)),
        };
        arrival.show(page).await;
        account
    }

    async fn redeem(
        self: &Arc<Self>,
        sign_in: &SignIn,
        pending: &PendingAuthorization,
        redirect: Redirect,
    ) -> Result<Account, DeskError> {
        let context = sign_in.context();
        let credential = self.shown(&context).await?;
        let client = context.client(&credential);
        let request = pending.token_request(client, redirect, sign_in.correlation_id);
        let response = self.provider.tokens(request, &sign_in.scopes).await.map_err(from_token)?;
        self.save_sign_in(&context, response, pending.expectation(client)).await
    }
}

/// A failure as a sentence for the page, with the provider's own words.
fn in_words(error: &DeskError) -> String {
    match error {
        DeskError::AuthorityRefused(provider) => match &provider.description {
            Some(words) => format!("The provider refused ({}): {words}", provider.error),
            None => format!("The provider refused: {}.", provider.error),
        },
        other => format!("The sign-in failed: {other}."),
    }
}

/// Microsoft posts the answer as a form, which leaves no code in the browser's history; the listener takes either.
fn response_mode(authority: &Authority) -> Option<ResponseMode> {
    match authority {
        Authority::Microsoft(_) => Some(ResponseMode::FormPost),
        Authority::OpenIdConnect { .. } | Authority::Endpoints(_) | Authority::ManagedIdentity(_) => None,
    }
}

/// The application's own redirect URI, else the default one of its kind of authority.
fn registered_redirect_uri(application: &RegisteredApplication) -> &str {
    let default = match application.authority {
        Authority::Microsoft(_) => "http://localhost",
        Authority::OpenIdConnect { .. } | Authority::Endpoints(_) | Authority::ManagedIdentity(_) => {
            "http://127.0.0.1/"
        }
    };
    application.redirect_uri.as_deref().unwrap_or(default)
}

/// The redirect URI to send, with its port: without a path where it is registered without one.
fn as_written(sign_in: &SignIn, with_port: &Url) -> String {
    let registered = registered_redirect_uri(&sign_in.stored.application);
    let has_path = registered.trim_start_matches("http://").contains('/');
    let text = with_port.as_str();
    if has_path { text.to_owned() } else { text.trim_end_matches('/').to_owned() }
}

fn redirect_uri(sign_in: &SignIn) -> Result<Url, DeskError> {
    let application = &sign_in.stored.application;
    let text = registered_redirect_uri(application);
    let url = Url::parse(text);
    let url = url.map_err(|error| DeskError::Internal(format!("a stored redirect URI is no URL: {error}")))?;
    if url.scheme() == "http" {
        return Ok(url);
    }
    let what = format!("users of {} sign in at its web application, {text}, or by device code", application.name);
    Err(DeskError::Unsupported(what))
}

pub(super) fn from_redirect(application: &RegisteredApplication, error: RedirectError) -> DeskError {
    match error {
        // What `prompt=none` is answered with when the user is needed after all.
        RedirectError::Refused(provider) if NEEDS_USER.contains(&provider.error.as_str()) => {
            let application = application.name.to_string();
            DeskError::InteractionRequired { application, why: Interaction::Provider(provider) }
        }
        RedirectError::Refused(provider) if provider.error == "access_denied" => DeskError::Declined(Some(provider)),
        RedirectError::Refused(provider) => DeskError::AuthorityRefused(provider),
        other => DeskError::AuthorityUnusable(format!("the redirect cannot be used: {other}")),
    }
}
