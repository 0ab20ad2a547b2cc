//! Token exchange (RFC 8693) at npm's certified `oidc-provider`, where the grant is registered as the package lets one do it, and
//! at the embedded provider for answers that a good server does not give.

use serde_json::json;
use token_broker_client::{
    Client, Reason, Secret,
    calls::{Extras, OnBehalfOf, Subject, TokenRequest},
};
use token_broker_tests::{
    authorization_server::{AuthorizationServer, Endpoint, Fault, Options as Server},
    daemon::{Options, TestDaemon, application, name, scopes, sign_in_by_browser},
    peers::{
        OidcProvider,
        oidc_provider::{self, EXCHANGE_APP, NATIVE_APP},
    },
    requirements::require,
    user::User,
};

use super::{failure, is_cached, key, text};

const EXCHANGE: &str = "token:urn:ietf:params:oauth:grant-type:token-exchange";

/// Registers `mail`, signs a user in, and registers the service `files`; returns what the user's client sends to the service.
async fn sent_by(client: &Client, issuer: &str, service: (&str, &str)) -> String {
    let mail = application("mail", issuer, (NATIVE_APP, None), "openid profile api:read mail:read");
    client.add_application(&mail).await.expect("registered");
    sign_in_by_browser(client, "mail", &User::named("ada")).await.expect("signed in");
    let files = application("files", issuer, (service.0, Some(service.1)), "api:read");
    client.add_application(&files).await.expect("registered");
    client.token(&TokenRequest::new(name("mail"))).await.expect("a token").access_token.expose().to_owned()
}

fn exchange(subject_token: &str, audience: Option<&str>) -> TokenRequest {
    let user = OnBehalfOf::Assertion(Secret::new(subject_token));
    let extras = Extras { audience: audience.map(str::to_owned), ..Extras::default() };
    TokenRequest { subject: Subject::OnBehalfOf(user), extras, ..TokenRequest::new(name("files")) }
}

#[tokio::test]
async fn a_users_token_is_exchanged_at_a_real_provider() {
    let Some(()) = require(oidc_provider::present()) else { return };
    let provider = OidcProvider::start(oidc_provider::Options::default()).await;
    let daemon = TestDaemon::start(Options::default()).await;
    let client = daemon.client();
    let subject_token = sent_by(&client, provider.issuer(), EXCHANGE_APP).await;

    let first = client.token(&exchange(&subject_token, None)).await.expect("exchanged");
    assert!(provider.introspect(text(&first)).await && text(&first) != subject_token);
    assert!(!is_cached(&first) && first.account.is_none());
    let again = client.token(&exchange(&subject_token, None)).await.expect("a hit");
    assert_eq!((is_cached(&again), text(&again)), (true, text(&first)));
    let extras = Extras { resource: Some("https://files.example/".to_owned()), ..Extras::default() };
    let by_resource =
        client.token(&TokenRequest { extras, ..exchange(&subject_token, None) }).await.expect("exchanged");
    let by_name = client.token(&exchange(&subject_token, Some("files"))).await.expect("exchanged");
    assert!(text(&by_resource) != text(&first) && text(&by_name) != text(&by_resource));
    assert_eq!(provider.requests(&format!("{EXCHANGE}:200")).await, 3);

    let nowhere = failure(client.token(&exchange(&subject_token, Some("unknown"))).await);
    assert_eq!(nowhere.reason, Reason::AuthorityRefused);
    assert_eq!(nowhere.provider.map(|provider| provider.error).as_deref(), Some("invalid_target"));
    let stale = failure(client.token(&exchange("not-a-token", None)).await);
    assert_eq!(stale.reason, Reason::AuthorityRefused);
    assert!(!format!("{stale:?}").contains("not-a-token"));
    let more = TokenRequest { scopes: Some(scopes("api:read api:write")), ..exchange(&subject_token, None) };
    let more = failure(client.token(&more).await);
    assert_eq!(more.reason, Reason::AuthorityRefused);
    assert!(more.message.contains("fewer scopes"), "{}", more.message);
    assert_eq!(client.accounts(Some(&name("files"))).await.expect("a list"), []);
}

#[tokio::test]
async fn an_answer_must_say_that_it_is_an_access_token() {
    let server = AuthorizationServer::start(Server::default());
    let daemon = TestDaemon::start(Options::default()).await;
    let client = daemon.client();
    let subject_token = sent_by(&client, server.issuer(), ("service-app", "service secret: +/%&=?~")).await;
    let token = json!({ "access_token": "at", "token_type": "Bearer", "expires_in": 60 });
    for (issued, words) in [
        (json!(null), "without an issued_token_type"),
        (json!("urn:ietf:params:oauth:token-type:refresh_token"), "issued_token_type"),
        (json!(7), "without an issued_token_type"),
    ] {
        let mut body = token.clone();
        body["issued_token_type"] = issued;
        server.fail_next(Endpoint::Token, Fault::answer(200, "application/json", body.to_string()));
        let failure = failure(client.token(&exchange(&subject_token, None)).await);
        assert_eq!(failure.reason, Reason::AuthorityRefused);
        assert!(failure.message.contains(words), "{}", failure.message);
    }
    let entries = client.cache_entries(Some(&name("files"))).await.expect("a list");
    assert!(entries.is_empty(), "nothing is stored");
    client.token(&exchange(&subject_token, None)).await.expect("exchanged");
    let sent = server.last_request("token").expect("it was asked").parameters;
    for (name, value) in [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", "[redacted]"),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("scope", "api:read"),
    ] {
        assert_eq!(sent.get(name).map(String::as_str), Some(value), "{name}");
    }
}

#[tokio::test]
async fn what_only_microsoft_has_is_refused_elsewhere() {
    let server = AuthorizationServer::start(Server::default());
    let daemon = TestDaemon::start(Options::default()).await;
    let client = daemon.client();
    let subject_token = sent_by(&client, server.issuer(), ("service-app", "service secret: +/%&=?~")).await;
    let sessions = [OnBehalfOf::Begin(Secret::new(&*subject_token), Some(key("k"))), OnBehalfOf::Session(key("k"))];
    for session in sessions {
        let request = TokenRequest { subject: Subject::OnBehalfOf(session), ..TokenRequest::new(name("files")) };
        let failure = failure(client.token(&request).await);
        assert_eq!((failure.reason, failure.field.as_deref()), (Reason::InvalidRequest, Some("session_key")));
    }
    let fmi = Extras { fmi_path: Some("a/b".into()), ..Extras::default() };
    let own = TokenRequest { subject: Subject::Application, extras: fmi, ..TokenRequest::new(name("files")) };
    let failure = failure(client.token(&own).await);
    assert_eq!((failure.reason, failure.field.as_deref()), (Reason::InvalidRequest, Some("fmi_path")));
    assert_eq!(server.requests("token:urn:ietf:params:oauth:grant-type:token-exchange"), 0);
}
