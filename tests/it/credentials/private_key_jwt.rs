//! Client assertions that are signed with a certificate's key, at npm's certified `oidc-provider`: it verifies each signature
//! with the public key alone, and takes no `jti` twice (RFC 7523, section 3).

use token_broker::{
    certificate::read,
    flow::oauth::client_assertion::{Algorithm, Statement, sign},
    ports::{Clock as _, clock::SystemClock, entropy},
};
use token_broker_client::{
    Reason,
    calls::{CredentialKind, NewApplication, Revocation, SignOutRequest, TokenRequest, TokenSource},
    oauth::{ClientId, CorrelationId},
};
use token_broker_tests::{
    daemon::{Options, TestDaemon, name, refresh, scopes, sign_in_by_browser},
    http,
    peers::{OidcProvider, oidc_provider},
    requirements::require,
    user::User,
    within,
};

use super::{Makings, P256, P384, RSA, certificate, own_token, refused, with};

/// A provider that knows these clients by their certificates and takes these algorithms.
async fn provider(made: &Makings, clients: &[&str], algorithms: &'static str) -> OidcProvider {
    let certificate_clients = clients
        .iter()
        .map(|name| ((*name).to_owned(), String::from_utf8(made.file(&format!("{name}.crt"))).expect("PEM")));
    let options = oidc_provider::Options {
        certificate_clients: certificate_clients.collect(),
        assertion_algorithms: Some(algorithms),
        ..oidc_provider::Options::default()
    };
    OidcProvider::start(options).await
}

async fn register(made: &Makings, daemon: &TestDaemon, provider: &OidcProvider, text: &str) {
    let bytes = made.joined(&[&format!("{text}.key"), &format!("{text}.crt")]);
    let new = with(certificate(bytes, None), text, provider.issuer());
    let (added, _) = daemon.client().add_application(&new).await.expect("registered");
    assert_eq!(added.credential, CredentialKind::Certificate);
}

#[tokio::test]
async fn each_kind_of_key_signs_what_the_provider_takes() {
    let Some(()) = require(oidc_provider::present()) else { return };
    let Some(made) = require(Makings::found()) else { return };
    for (name, kind) in [("rsa", RSA), ("p256", P256), ("p384", P384)] {
        made.make(name, kind);
    }
    for (algorithms, clients) in
        [("RS256,PS256,ES256,ES384", &["rsa", "p256", "p384"] as &[_]), ("RS256", &["rsa"]), ("PS256", &["rsa"])]
    {
        let provider = provider(&made, clients, algorithms).await;
        let mut daemon = TestDaemon::start(Options::default()).await;
        for client in clients {
            register(&made, &daemon, &provider, client).await;
            within(daemon.client().token(&own_token(client))).await.unwrap_or_else(|error| panic!("{client}: {error}"));
        }
        daemon.restart().await;
        for client in clients {
            let forced = TokenRequest { force_refresh: true, ..own_token(client) };
            let token = within(daemon.client().token(&forced)).await.expect("the key outlives the daemon");
            assert_eq!(token.source, TokenSource::IdentityProvider);
            assert!(provider.introspect(token.access_token.expose()).await);
        }
        let twice = 2 * u64::try_from(clients.len()).expect("few");
        assert_eq!(provider.requests("token:client_credentials:200").await, twice, "{algorithms}");
    }
}

#[tokio::test]
async fn a_user_signs_in_to_a_client_with_a_certificate() {
    let Some(()) = require(oidc_provider::present()) else { return };
    let Some(made) = require(Makings::found()) else { return };
    made.make("p256", P256);
    let provider = provider(&made, &["p256"], "ES256").await;
    let daemon = TestDaemon::start(Options::default()).await;
    let client = daemon.client();
    let bytes = made.joined(&["p256.key", "p256.crt"]);
    let new = with(certificate(bytes, None), "p256", provider.issuer());
    let new = NewApplication { scopes: scopes("openid profile api:read"), ..new };
    client.add_application(&new).await.expect("registered");
    sign_in_by_browser(&client, "p256", &User::named("ada")).await.expect("signed in");
    for _ in 0..2 {
        refresh(&client, "p256").await.expect("refreshed with an assertion of its own");
    }
    let request = SignOutRequest { application: name("p256"), account: None, revoke: true, correlation_id: None };
    assert_eq!(client.sign_out(&request).await.expect("signed out").revocation, Revocation::Accepted);
}

#[tokio::test]
async fn a_provider_that_takes_no_such_signature_is_named() {
    let Some(()) = require(oidc_provider::present()) else { return };
    let Some(made) = require(Makings::found()) else { return };
    made.make("p384", P384);
    let provider = provider(&made, &["p384"], "ES256,PS256").await;
    let daemon = TestDaemon::start(Options::default()).await;
    register(&made, &daemon, &provider, "p384").await;
    let failure = refused(within(daemon.client().token(&own_token("p384"))).await);
    assert_eq!(failure.reason, Reason::Unsupported);
    assert!(failure.message.contains("ES384") && failure.message.contains("ES256"), "{}", failure.message);
}

#[tokio::test]
async fn a_jti_is_good_for_one_request() {
    let Some(()) = require(oidc_provider::present()) else { return };
    let Some(made) = require(Makings::found()) else { return };
    made.make("rsa", RSA);
    let provider = provider(&made, &["rsa"], "PS256").await;
    let random = entropy::for_signing();
    let own = read(&made.joined(&["rsa.key", "rsa.crt"]), None, &random).expect("a certificate");
    let client_id = ClientId::parse("rsa").expect("a client id");
    let statement = Statement {
        client_id: &client_id,
        audience: provider.issuer(),
        now: SystemClock.now(),
        id: CorrelationId::from_random([7; 16]),
        claims: None,
    };
    let assertion = sign(&own, Algorithm::Ps256, &statement, &random).expect("signed");
    let fields = [
        ("grant_type", "client_credentials"),
        ("scope", "api:read"),
        ("client_id", "rsa"),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", assertion.expose()),
    ];
    let url = format!("{}/token", provider.issuer());
    assert_eq!(http::post(&url, &fields).await.status, 200);
    let again = http::post(&url, &fields).await;
    assert_eq!((again.status, again.text("error").as_str()), (401, "invalid_client"), "{}", again.body);
}
