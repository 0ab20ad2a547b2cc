//! What is wrong with a key or a request is said by field, and nobody is asked; what is wrong with an answer is said, and nothing of it
//! is kept.

use serde_json::{Value, json};
use token_broker_client::{
    Reason,
    calls::{TokenRequest, TokenScheme},
};
use token_broker_proto::wire::v1;
use token_broker_tests::{
    daemon::{application, name},
    entra::Place,
    machine::raw_client::{RawClient, failure as raw_failure},
    within,
};

use super::{Stage, failure, is_cached, key, work};

/// A private key that somebody gives by mistake; the marker must not come back.
const PRIVATE: &str = "-----BEGIN OPENSSH PRIVATE KEY-----\nM4rker\n-----END OPENSSH PRIVATE KEY-----\n";

fn token(scheme: v1::TokenScheme, public_key: &str) -> v1::GetTokenRequest {
    v1::GetTokenRequest {
        application: "work".into(),
        scheme: scheme.into(),
        public_key: public_key.into(),
        ..v1::GetTokenRequest::default()
    }
}

#[tokio::test]
async fn a_bad_key_is_refused_before_anybody_is_asked() {
    use v1::TokenScheme::{Bearer, Dpop, Pop, SshCert};
    let stage = Stage::set().await;
    let good = key(1).canonical_jwk();
    let raw = RawClient::connect(&stage.daemon.socket()).await;
    for (scheme, public_key, word) in [
        (SshCert, "", "is empty"),
        (SshCert, PRIVATE, "is a private key"),
        (SshCert, "M4rker", "is no public key"),
        (SshCert, r#"{"kty":"oct","k":"M4rker"}"#, "is a private key"),
        (SshCert, r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#, "fewer than 2048"),
        (Pop, "", "call SignHttpRequest"),
        (Pop, PRIVATE, "is a private key"),
        (Bearer, good.as_str(), "is for the schemes ssh-cert and pop"),
        (Dpop, good.as_str(), "is for the schemes ssh-cert and pop"),
    ] {
        let error = within(raw.broker().get_token(token(scheme, public_key))).await.expect_err("it is refused");
        let failure = raw_failure(&error);
        assert_eq!((failure.reason, failure.field.as_deref()), (Reason::InvalidRequest, Some("public_key")), "{word}");
        assert!(failure.message.contains(word) && !failure.message.contains("M4rker"), "{}", failure.message);
    }
    assert!(stage.refreshes().is_empty());
    let dpop = failure(stage.ask(TokenRequest { scheme: TokenScheme::Dpop, ..work() }).await);
    assert_eq!(dpop.reason, Reason::Unsupported);
    assert!(dpop.message.contains("RFC 9449"), "{}", dpop.message);
}

#[tokio::test]
async fn a_request_that_cannot_be_signed_is_refused_by_field() {
    let stage = Stage::set().await;
    let raw = RawClient::connect(&stage.daemon.socket()).await;
    let good = || v1::SignHttpRequestRequest {
        token: Some(token(v1::TokenScheme::Pop, "")),
        method: "GET".into(),
        url: "https://api.example/".into(),
        ..v1::SignHttpRequestRequest::default()
    };
    let with = |token: v1::GetTokenRequest| v1::SignHttpRequestRequest { token: Some(token), ..good() };
    for (request, field) in [
        (v1::SignHttpRequestRequest { token: None, ..good() }, "token"),
        (v1::SignHttpRequestRequest { method: "GET /".into(), ..good() }, "method"),
        (v1::SignHttpRequestRequest { method: String::new(), ..good() }, "method"),
        (v1::SignHttpRequestRequest { url: "https:///v1".into(), ..good() }, "url"),
        (v1::SignHttpRequestRequest { url: "/v1/me".into(), ..good() }, "url"),
        (v1::SignHttpRequestRequest { url: "https://ada:pw@api.example/".into(), ..good() }, "url"),
        (v1::SignHttpRequestRequest { nonce: "a\nb".into(), ..good() }, "nonce"),
        (v1::SignHttpRequestRequest { client_claims: "text".into(), ..good() }, "client_claims"),
        (with(token(v1::TokenScheme::Bearer, "")), "scheme"),
        (with(token(v1::TokenScheme::SshCert, &key(1).canonical_jwk())), "scheme"),
        (with(token(v1::TokenScheme::Pop, &key(1).canonical_jwk())), "public_key"),
    ] {
        let error = within(raw.broker().sign_http_request(request)).await.expect_err("it is refused");
        let failure = raw_failure(&error);
        assert_eq!((failure.reason, failure.field.as_deref()), (Reason::InvalidRequest, Some(field)));
    }
    assert!(stage.refreshes().is_empty());
    within(raw.broker().sign_http_request(good())).await.expect("the good one is signed");
}

/// A provider that does not know the parameter answers with a bearer token, which would be believed to be bound.
#[tokio::test]
async fn an_answer_of_another_type_is_refused_and_not_kept() {
    let stage = Stage::set().await;
    for (with, word) in [
        (json!({ "token_type": "Bearer" }), "answered with token_type \"Bearer\", but ssh-cert was asked for"),
        (json!({ "token_type": "pop" }), "answered with token_type \"pop\", but ssh-cert was asked for"),
        (json!({ "token_type": Value::Null }), "answered without token_type, but ssh-cert was asked for"),
    ] {
        stage.entra.plan(Place::Token, json!({ "with": with }));
        let failure = failure(stage.ask(TokenRequest { scheme: TokenScheme::SshCert(key(1)), ..work() }).await);
        assert!(failure.message.contains(word), "{}", failure.message);
    }
    let certificate = stage.token(TokenScheme::SshCert(key(1))).await;
    assert!(!is_cached(&certificate), "nothing was kept, and the grant is well");
}

#[tokio::test]
async fn other_providers_have_no_such_tokens() {
    let stage = Stage::set().await;
    let mut other = application("other", "https://id.example", ("client", None), "openid");
    other.offline = true;
    stage.client().add_application(&other).await.expect("registered");
    for scheme in [TokenScheme::SshCert(key(1)), TokenScheme::Pop(key(1))] {
        let failure = failure(stage.ask(TokenRequest { scheme, ..TokenRequest::new(name("other")) }).await);
        assert_eq!(failure.reason, Reason::Unsupported);
        assert!(failure.message.contains("https://id.example is another provider"), "{}", failure.message);
    }
}
