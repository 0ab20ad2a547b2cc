//! An authorization request that waits for its answer (RFC 6749, sections 4.1.1 to 4.1.3).

use std::{fmt, time::Duration};

use token_broker_proto::{
    Secret,
    oauth::{Claims, CorrelationId, ScopeSet},
};
use url::Url;

use super::{
    AuthorizationRequest, Redirect, RedirectError, ResponseMode, State, pkce,
    redirect::{self, Expected},
};
use crate::{
    flow::{
        microsoft::telemetry,
        oauth::{
            ClientContext, MissingEndpoint,
            endpoint::Form,
            id_token::{self, Expectation},
        },
    },
    model::HttpRequest,
};

/// Waits for the browser to come back.
pub struct PendingAuthorization {
    url: Secret,
    redirect_uri: String,
    scopes: ScopeSet,
    claims: Option<Claims>,
    max_age: Option<Duration>,
    state: State,
    nonce: Option<Secret>,
    code_verifier: Secret,
    issuer: String,
    sends_issuer: bool,
}

impl PendingAuthorization {
    /// Begins a sign-in with 96 random bytes: state, nonce and code verifier come of them.
    pub fn begin(request: AuthorizationRequest<'_>, random: [u8; 96]) -> Result<Self, MissingEndpoint> {
        let metadata = request.client.metadata;
        let endpoint = metadata.authorization_endpoint.as_ref().ok_or(MissingEndpoint("authorization_endpoint"))?;
        let words = pkce::Words::from_random(random);
        // Without an ID token nobody echoes a nonce.
        let nonce = request.scopes.contains("openid").then_some(words.nonce);
        // Microsoft's own clients send the hash and are answered with it, so the word itself never leaves.
        let nonce = if request.client.is_microsoft() { nonce.map(|nonce| pkce::hashed(&nonce)) } else { nonce };
        let form = form(&request)
            .with("state", words.state.expose())
            .with("code_challenge", pkce::challenge(&words.code_verifier))
            .with("code_challenge_method", "S256")
            .with_some("nonce", nonce.as_ref().map(Secret::expose))
            .with_extra(&request.client.options.extra_query);
        Ok(Self {
            url: extended(endpoint, &form),
            state: State::new(words.state),
            nonce,
            code_verifier: words.code_verifier,
            issuer: metadata.issuer.clone(),
            sends_issuer: metadata.sends_issuer_parameter,
            redirect_uri: request.redirect_uri,
            scopes: request.scopes,
            claims: request.claims,
            max_age: request.max_age,
        })
    }

    /// Where the browser goes. Secret while the sign-in runs: it holds the state.
    #[must_use]
    pub fn url(&self) -> Secret {
        self.url.clone()
    }

    /// What binds the answer to this request.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The scopes that were asked for; `token_response::parse` wants them.
    #[must_use]
    pub fn scopes(&self) -> &ScopeSet {
        &self.scopes
    }

    /// Checks what came to the redirect URI: a raw query without `?`, or a form body. It may come from anybody on this
    /// machine: see [`RedirectError::is_foreign`].
    pub fn accept(&self, params: &str) -> Result<Redirect, RedirectError> {
        let expected = Expected { state: self.state.secret(), issuer: &self.issuer, sends_issuer: self.sends_issuer };
        redirect::accept(params, &expected)
    }

    /// Redeems the code (RFC 6749, section 4.1.3; RFC 7636, section 4.5). The answer is read by `token_response`.
    #[must_use]
    pub fn token_request(
        &self,
        client: ClientContext<'_>,
        redirect: Redirect,
        correlation_id: CorrelationId,
    ) -> HttpRequest {
        let home = redirect.client_info().filter(|_| client.is_microsoft()).and_then(id_token::home_account_id);
        let code = redirect.into_code();
        let form = Form::grant("authorization_code")
            .with("code", code.expose())
            .with("redirect_uri", &*self.redirect_uri)
            .with("code_verifier", self.code_verifier.expose());
        let form = if client.is_microsoft() {
            form.with("scope", self.scopes.to_string()).with_some("claims", self.claims.as_ref().map(Claims::as_str))
        } else {
            form
        };
        let mut request = client.post_to_token_endpoint(form, correlation_id);
        if let Some(home_account_id) = &home {
            telemetry::anchor(&mut request, home_account_id);
        }
        request
    }

    /// What the ID token of this sign-in must say, the nonce included.
    #[must_use]
    pub fn expectation<'a>(&'a self, client: ClientContext<'a>) -> Expectation<'a> {
        Expectation { nonce: self.nonce.as_ref(), max_age: self.max_age, ..Expectation::without_nonce(client) }
    }
}

/// The parameters that are not random.
fn form<'a>(request: &'a AuthorizationRequest<'_>) -> Form<'a> {
    let is_microsoft = request.client.is_microsoft();
    // Routes the browser to the datacenter of the account.
    let mailbox = request.login_hint.as_ref().filter(|_| is_microsoft).map(|hint| format!("UPN:{hint}"));
    Form::new()
        .with("response_type", "code")
        .with("client_id", request.client.client_id.as_str())
        .with("redirect_uri", &*request.redirect_uri)
        .with_some("scope", Some(request.scopes.to_string()).filter(|scopes| !scopes.is_empty()))
        .with_some("response_mode", request.response_mode.map(ResponseMode::as_str))
        .with_some("prompt", request.prompt.as_deref())
        .with_some("login_hint", request.login_hint.as_deref())
        .with_some("domain_hint", request.domain_hint.as_deref())
        .with_some("claims", request.claims.as_ref().map(Claims::as_str))
        .with_some("max_age", request.max_age.map(|span| span.as_secs().to_string()))
        .with_some("client_info", is_microsoft.then_some("1"))
        .with_some("X-AnchorMailbox", mailbox)
        .with("client-request-id", request.correlation_id.to_string())
}

/// The endpoint may have a query of its own, which stays (RFC 6749, section 3.1).
fn extended(endpoint: &Url, form: &Form<'_>) -> Secret {
    let mark = match endpoint.query() {
        None => "?",
        Some("") => "",
        Some(_) => "&",
    };
    Secret::new(format!("{endpoint}{mark}{}", form.encode().expose()))
}

/// Shows no state, nonce or verifier.
impl fmt::Debug for PendingAuthorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingAuthorization").field("redirect_uri", &self.redirect_uri).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use token_broker_proto::{
        Secret,
        calls::ApplicationOptions,
        oauth::{Claims, ScopeSet},
    };
    use url::{Url, form_urlencoded};

    use super::PendingAuthorization;
    use crate::{
        flow::oauth::{
            ClientContext, MissingEndpoint,
            authorization_code::{AuthorizationRequest, ResponseMode},
            vectors,
        },
        model::{Presented, ProviderMetadata},
    };

    fn begin(metadata: &ProviderMetadata, scopes: &str) -> Result<PendingAuthorization, MissingEndpoint> {
        let client = ClientContext {
            metadata,
            client_id: &vectors::client_id("my app"),
            credential: &Presented::Nothing,
            options: &ApplicationOptions::default(),
        };
        let request = AuthorizationRequest {
            client,
            redirect_uri: "http://127.0.0.1:4711/".into(),
            scopes: ScopeSet::parse([scopes]).unwrap(),
            prompt: Some("consent".into()),
            login_hint: Some("ann+x@example.org".into()),
            domain_hint: None,
            claims: Claims::parse("{}").unwrap(),
            max_age: None,
            response_mode: Some(ResponseMode::FormPost),
            correlation_id: vectors::correlation_id(),
        };
        PendingAuthorization::begin(request, std::array::from_fn(|place| u8::try_from(place).unwrap()))
    }

    fn query(pending: &PendingAuthorization) -> BTreeMap<String, String> {
        Url::parse(pending.url().expose()).unwrap().query_pairs().into_owned().collect()
    }

    #[test]
    fn the_url_asks_for_everything() {
        let mut metadata = vectors::metadata();
        metadata.authorization_endpoint = Some("https://id.example/auth?p=flow".parse().unwrap());
        let pending = begin(&metadata, "openid b a").unwrap();
        assert!(pending.url().expose().starts_with("https://id.example/auth?p=flow&response_type=code&"));
        let query = query(&pending);
        let is = |name: &str, value: &str| assert_eq!(query.get(name).map(String::as_str), Some(value), "{name}");
        is("client_id", "my app");
        is("redirect_uri", "http://127.0.0.1:4711/");
        is("scope", "a b openid");
        is("prompt", "consent");
        is("login_hint", "ann+x@example.org");
        is("claims", "{}");
        is("response_mode", "form_post");
        is("code_challenge_method", "S256");
        is("client-request-id", "00000000-0000-4000-8000-000000000000");
        assert!(["state", "nonce", "code_challenge"].iter().all(|name| query[*name].len() == 43));
        assert!(!query.contains_key("domain_hint"));
    }

    #[test]
    fn a_redirect_becomes_a_token_request_with_the_verifier_of_the_challenge() {
        let metadata = vectors::metadata();
        let (client_id, credential) = (vectors::client_id("my app"), Presented::Nothing);
        let client = ClientContext {
            metadata: &metadata,
            client_id: &client_id,
            credential: &credential,
            options: &ApplicationOptions::default(),
        };
        let pending = begin(&metadata, "openid").unwrap();
        let redirect = pending.accept(&format!("code=c+d&state={}", query(&pending)["state"])).unwrap();
        let request = pending.token_request(client, redirect, vectors::correlation_id());
        let form: BTreeMap<_, _> = form_urlencoded::parse(request.body().expose().as_bytes()).into_owned().collect();
        assert_eq!(form["grant_type"], "authorization_code");
        assert_eq!((form["code"].as_str(), form["redirect_uri"].as_str()), ("c d", "http://127.0.0.1:4711/"));
        let challenge = super::pkce::challenge(&Secret::new(form["code_verifier"].as_str()));
        assert_eq!(query(&pending)["code_challenge"], challenge);
        let expected = pending.expectation(client);
        assert_eq!(expected.nonce.unwrap().expose(), query(&pending)["nonce"]);
    }

    #[test]
    fn two_sign_ins_do_not_mix() {
        let metadata = vectors::metadata();
        let pending = begin(&metadata, "openid").unwrap();
        assert!(pending.accept("code=c&state=0123456789012345678901234567890123456789012").unwrap_err().is_foreign());
        assert!(!format!("{pending:?}").contains(&query(&pending)["state"]));
    }

    #[test]
    fn without_openid_there_is_no_nonce_and_without_an_endpoint_no_sign_in() {
        let mut metadata = vectors::metadata();
        let pending = begin(&metadata, "a").unwrap();
        assert!(!query(&pending).contains_key("nonce"));
        metadata.authorization_endpoint = None;
        assert_eq!(begin(&metadata, "a").unwrap_err(), MissingEndpoint("authorization_endpoint"));
    }
}
