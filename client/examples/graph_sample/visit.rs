//! The sign-in of a browser's user: `BeginAuthorization` sends her to the provider, `CompleteAuthorization` takes what she comes back
//! with. A `state` serves once, a new sign-in makes a new session, and a page asks for more once: a second time would not help.

use token_broker_client::{
    ClientError, Reason,
    calls::{BeginAuthorizationRequest, CompleteAuthorizationRequest, SignOutRequest},
    oauth::{Claims, ScopeSet},
};
use url::form_urlencoded;

use crate::{
    Settings,
    graph::{GraphError, Reader},
    routes::Site,
    session::{Flow, Kept, Session},
};

/// What every user is asked to consent to.
const SCOPES: &str = "User.Read";

/// Why a page is not shown.
pub(crate) enum Trouble {
    /// The browser has to go to the provider first.
    Away(String),
    /// This session did not begin the sign-in that came back, or completed it already.
    StateMismatch,
    /// The daemon refused, or is not there.
    Broker(ClientError),
    /// Microsoft Graph refused, or is not there.
    Graph(GraphError),
}

impl From<ClientError> for Trouble {
    fn from(error: ClientError) -> Self {
        Self::Broker(error)
    }
}

/// Begins a sign-in that ends on `page`; returns where to send the browser.
pub(crate) async fn begin(site: &Site, session: &mut Session, page: &str) -> Result<String, Trouble> {
    ask(site, session, SCOPES, None, Flow { state: String::new(), page: page.to_owned(), again: false }).await
}

/// Finishes it with the raw query that came to the redirect URI; returns the page that was wanted.
pub(crate) async fn complete(site: &Site, session: &mut Session, query: &str) -> Result<String, Trouble> {
    let flow = session.flow.take().ok_or(Trouble::StateMismatch)?;
    let came: Vec<_> = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "state").collect();
    let [(_, state)] = came.as_slice() else { return Err(Trouble::StateMismatch) };
    // The daemon cannot check this: it does not see browsers.
    if !site.cookies.same(state, &flow.state) {
        return Err(Trouble::StateMismatch);
    }
    let request = CompleteAuthorizationRequest::new(site.settings.application.clone(), query);
    let account = site.broker.complete_authorization(&request).await?;
    let kept = Kept { username: account.label().to_owned(), id: account.home_account_id };
    *session = Session { account: Some(kept), again: flow.again.then(|| flow.page.clone()), flow: None };
    Ok(flow.page)
}

/// Reads from Microsoft Graph for the user of this session, as `page` needs it. `Trouble::Away` where she has to sign in, to consent
/// to more or to answer a claims challenge.
pub(crate) async fn read(
    site: &Site,
    session: &mut Session,
    (page, scope): (&str, &'static str),
    path: &str,
) -> Result<serde_json::Value, Trouble> {
    let Some(account) = &session.account else {
        return Err(Trouble::Away(begin(site, session, page).await?));
    };
    let again = session.again.take().is_some_and(|done| done == page);
    let reader = Reader { site, account: &account.id, scope };
    match reader.read(path).await {
        Err(Trouble::Broker(ClientError::Broker(failure)))
            if failure.reason == Reason::InteractionRequired && !again =>
        {
            let scopes = if scope == SCOPES { SCOPES.to_owned() } else { format!("{SCOPES} {scope}") };
            let claims = failure.provider.and_then(|provider| provider.claims);
            let flow = Flow { state: String::new(), page: page.to_owned(), again: true };
            Err(Trouble::Away(ask(site, session, &scopes, claims.as_deref(), flow).await?))
        }
        // Signed out elsewhere.
        Err(Trouble::Broker(ClientError::Broker(failure))) if failure.reason == Reason::AccountNotFound => {
            *session = Session::default();
            Err(Trouble::Away(begin(site, session, page).await?))
        }
        outcome => outcome,
    }
}

/// Forgets the user, here and at the daemon, which asks the provider to revoke the grant.
pub(crate) async fn end(site: &Site, session: &mut Session) -> Result<(), Trouble> {
    let Some(account) = std::mem::take(session).account else { return Ok(()) };
    let request = SignOutRequest {
        application: site.settings.application.clone(),
        account: Some(account.id),
        revoke: true,
        correlation_id: None,
    };
    match site.broker.sign_out(&request).await {
        Err(ClientError::Broker(failure)) if failure.reason == Reason::AccountNotFound => Ok(()),
        outcome => Ok(outcome.map(|_| ())?),
    }
}

async fn ask(
    site: &Site,
    session: &mut Session,
    scopes: &str,
    claims: Option<&str>,
    flow: Flow,
) -> Result<String, Trouble> {
    let Settings { application, redirect_uri, prompt, .. } = &site.settings;
    let known = session.account.as_ref().map(|account| account.username.clone());
    let invalid = |invalid: token_broker_client::Invalid| Trouble::Broker(ClientError::Protocol(invalid.to_string()));
    let request = BeginAuthorizationRequest {
        scopes: Some(ScopeSet::parse([scopes]).map_err(invalid)?),
        claims: Claims::parse(claims.unwrap_or_default()).map_err(invalid)?,
        // Who is known already is not asked who she is.
        prompt: prompt.clone().filter(|_| known.is_none()),
        login_hint: known,
        ..BeginAuthorizationRequest::new(application.clone(), redirect_uri).map_err(invalid)?
    };
    let begun = site.broker.begin_authorization(&request).await?;
    session.flow = Some(Flow { state: begun.state.expose().to_owned(), ..flow });
    Ok(begun.url.expose().to_owned())
}
