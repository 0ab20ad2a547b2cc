//! What an application is set to beyond who it is: parameters that a provider wants, scopes that are not asked for, and what is
//! refused since it means nothing or would change the protocol.

use token_broker_client::{
    ClientError, Reason,
    calls::{ApplicationOptions, NewApplication, OptionTexts, TokenSource},
};
use token_broker_tests::{
    authorization_server::{AuthorizationServer, Options as Server},
    daemon::{Options, TestDaemon, application, name, refresh, sign_in_by_browser},
    user::User,
    within,
};

const CLIENT: (&str, Option<&str>) = ("native-app", None);

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn with(new: NewApplication, texts: OptionTexts) -> NewApplication {
    NewApplication { options: ApplicationOptions::try_from(texts).expect("options"), ..new }
}

#[tokio::test]
async fn parameters_of_an_application_go_out_with_its_requests() {
    let server = AuthorizationServer::start(Server::default());
    let daemon = TestDaemon::start(Options::default()).await;
    let client = daemon.client();
    let texts = OptionTexts {
        extra_query: vec![pair("audience", "https://api.example/?a=b")],
        extra_body: vec![pair("tag", "x y")],
        ..OptionTexts::default()
    };
    let new = with(application("mail", server.issuer(), CLIENT, "openid api:read"), texts.clone());
    let (added, _) = client.add_application(&new).await.expect("registered");
    assert_eq!(added.options, texts);
    let (_, changed) = client
        .add_application(&NewApplication {
            existing: token_broker_client::calls::ExistingApplication::Update,
            ..new.clone()
        })
        .await
        .expect("registered");
    assert!(!changed, "the same again");
    within(sign_in_by_browser(&client, "mail", &User::named("ada"))).await.expect("signed in");
    refresh(&client, "mail").await.expect("refreshed");
    for place in ["authorization", "token:authorization_code", "token:refresh_token"] {
        let seen = server.last_request(place).expect("it was asked");
        let parameter = |name: &str| seen.parameters.get(name).map(String::as_str);
        assert_eq!(parameter("audience"), Some("https://api.example/?a=b"), "{place}");
        assert_eq!(parameter("tag"), (place != "authorization").then_some("x y"), "{place}");
    }

    // Another name of the same client that asks for something else is given none of these tokens.
    let other = OptionTexts { extra_query: vec![pair("audience", "https://other.example")], ..OptionTexts::default() };
    let other = with(application("notes", server.issuer(), CLIENT, "openid api:read"), other);
    client.add_application(&other).await.expect("registered");
    let token = |text: &str| token_broker_client::calls::TokenRequest::new(name(text));
    let hit = client.token(&token("mail")).await.expect("a token");
    assert_eq!(hit.source, TokenSource::Cache);
    let fetched = client.token(&token("notes")).await.expect("a token");
    assert_eq!(fetched.source, TokenSource::IdentityProvider);
    assert_ne!(fetched.access_token.expose(), hit.access_token.expose());
}

#[tokio::test]
async fn a_scope_that_is_left_out_is_not_asked_for() {
    let server = AuthorizationServer::start(Server::default());
    let daemon = TestDaemon::start(Options::default()).await;
    let client = daemon.client();
    let texts = OptionTexts { exclude_scopes: vec!["offline_access".into()], ..OptionTexts::default() };
    let new = with(application("mail", server.issuer(), CLIENT, "openid api:read"), texts);
    client.add_application(&new).await.expect("registered");
    within(sign_in_by_browser(&client, "mail", &User::named("ada"))).await.expect("signed in");
    let seen = server.last_request("authorization").expect("it was asked");
    assert_eq!(seen.parameters.get("scope").map(String::as_str), Some("api:read openid"));
    assert_eq!(seen.parameters.get("prompt"), None, "consent belongs to offline_access");
    assert_eq!(client.status().await.expect("a status").counts.refresh_tokens, 0);
}

#[tokio::test]
async fn an_option_that_means_nothing_is_refused() {
    let server = AuthorizationServer::start(Server::default());
    let daemon = TestDaemon::start(Options::default()).await;
    let secret = ("service-app", Some("service secret: +/%&=?~"));
    let cases = [
        ("region", OptionTexts { region: "westus2".into(), ..OptionTexts::default() }),
        ("assertion_claims", OptionTexts { assertion_claims: r#"{"a":1}"#.into(), ..OptionTexts::default() }),
        ("app_name", OptionTexts { app_name: "Report maker".into(), ..OptionTexts::default() }),
    ];
    for (field, texts) in cases {
        let new = with(application("job", server.issuer(), secret, "api:read"), texts);
        let Err(ClientError::Broker(failure)) = daemon.client().add_application(&new).await else {
            panic!("{field} is taken")
        };
        assert_eq!((failure.reason, failure.field.as_deref()), (Reason::InvalidRequest, Some(field)));
    }
}
