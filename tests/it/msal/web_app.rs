//! The broker's part for a web application, which has no command line: BeginAuthorization and CompleteAuthorization by the client
//! crate.

use serde_json::Value;
use token_broker_client::{
    Account, ClientError,
    calls::{BeginAuthorizationRequest, CompleteAuthorizationRequest, ResponseMode},
    oauth::Claims,
};
use token_broker_tests::daemon::{name, scopes};
use url::form_urlencoded::Serializer;

use super::{
    broker::{Broker, Provider, in_words},
    scenario::{Stage, scopes_of, text_of},
};

impl Broker {
    /// Begins a sign-in and lets the user go through it, up to the web application's own address.
    pub(super) async fn begin(&self, stage: &Stage, application: &str, step: &Value) -> String {
        let given = |fact: &str| step.get(fact).and_then(Value::as_str).map(str::to_owned);
        let plain = BeginAuthorizationRequest::new(name(application), text_of(step, "redirect_uri"));
        let request = BeginAuthorizationRequest {
            scopes: Some(scopes(&scopes_of(step).join(" "))),
            login_hint: given("login_hint"),
            prompt: given("prompt"),
            domain_hint: given("domain_hint"),
            claims: Claims::parse(text_of(step, "claims")).expect("claims"),
            response_mode: response_mode(text_of(step, "response_mode")),
            ..plain.expect("a redirect URI")
        };
        match self.daemon.client().begin_authorization(&request).await {
            Err(error) => failure(&error),
            Ok(begun) => {
                stage.browse(begun.url.expose(), step).await;
                "begun".to_owned()
            }
        }
    }

    /// Completes it with what the browser brought.
    pub(super) async fn complete(&self, stage: &Stage, application: &str, step: &Value) -> String {
        let brought = Serializer::new(String::new()).extend_pairs(stage.brought(step)).finish();
        let request = CompleteAuthorizationRequest::new(name(application), brought);
        let completed: Result<Account, ClientError> = self.daemon.client().complete_authorization(&request).await;
        completed.map_or_else(|error| failure(&error), |account| format!("signed in {}", account.username))
    }
}

fn response_mode(text: &str) -> Option<ResponseMode> {
    match text {
        "" => None,
        "query" => Some(ResponseMode::Query),
        "form_post" => Some(ResponseMode::FormPost),
        other => panic!("the broker has no response mode {other:?}"),
    }
}

fn failure(error: &ClientError) -> String {
    let ClientError::Broker(failure) = error else { return error.to_string() };
    let provider = failure.provider.as_ref().map(|provider| Provider {
        error: &provider.error,
        suberror: provider.suberror.as_deref().unwrap_or_default(),
        has_claims: provider.claims.is_some(),
    });
    in_words(failure.reason.as_str(), &failure.message, provider)
}
