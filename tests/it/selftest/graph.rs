//! The stand-in for Microsoft Graph believes nobody: tokens of a certified server and of our own are good, and each other one is
//! refused for its reason.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use token_broker_tests::{
    authorization_server::{AuthorizationServer, Options},
    clock::ManualClock,
    graph::{AUDIENCE, Graph},
    http::{self, Reply},
    jose::{self, SigningKey},
    peers::{
        OidcProvider,
        oidc_provider::{self, present},
    },
    requirements::require,
    user::User,
};

use super::RelyingParty;

const SCOPES: &str = "openid profile offline_access User.Read";

/// Our own server, the stand-in behind it, and their time.
fn stage() -> (AuthorizationServer, Graph, ManualClock) {
    let clock = ManualClock::at(1_900_000_000);
    let mut options =
        Options { clock: Arc::new(clock.clone()), audience: Some(AUDIENCE.to_owned()), ..Options::default() };
    options.scopes.extend(["User.Read".to_owned(), "Mail.Read".to_owned()]);
    let server = AuthorizationServer::start(options);
    let graph = Graph::start(server.issuer(), Arc::new(clock.clone()));
    (server, graph, clock)
}

async fn token(party: &RelyingParty, scopes: &str) -> String {
    let url = party.authorization_url(scopes, &[("prompt", "consent")]);
    let redirect = User::named("ada").sign_in_until(&url, &party.redirect_uri).await;
    party.redeem(&party.code(&redirect)).await.text("access_token")
}

async fn ask(graph: &Graph, path: &str, token: &str) -> Reply {
    http::send(http::client().get(format!("{}{path}", graph.base())).bearer_auth(token)).await
}

fn why(reply: &Reply) -> String {
    reply.json()["error"]["message"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_certified_servers_token_opens_what_its_scopes_say() {
    let Some(()) = require(present()) else { return };
    let resource = Some((AUDIENCE, "User.Read Mail.Read"));
    let provider = OidcProvider::start(oidc_provider::Options { resource, ..oidc_provider::Options::default() }).await;
    let graph = Graph::start(provider.issuer(), Arc::new(ManualClock::now_and_still()));
    let party = RelyingParty::public(provider.issuer(), "native-app").await;
    let narrow = token(&party, SCOPES).await;
    let profile = ask(&graph, "/me", &narrow).await;
    assert_eq!((profile.status, profile.text("displayName").as_str()), (200, "Test user ada"), "{}", profile.body);
    assert_eq!(ask(&graph, "/me/messages", &narrow).await.status, 403);
    let wide = token(&party, &format!("{SCOPES} Mail.Read")).await;
    let messages = ask(&graph, "/me/messages", &wide).await;
    assert_eq!(messages.json()["value"].as_array().map(Vec::len), Some(2), "{}", messages.body);
    let rest = ask(&graph, "/me/messages?$skip=2", &wide).await.json();
    assert_eq!((rest["value"].as_array().map(Vec::len), rest.get("@odata.nextLink")), (Some(2), None));
}

#[tokio::test]
async fn whatever_is_wrong_with_a_token_is_seen() {
    let (server, graph, clock) = stage();
    let party = RelyingParty::public(server.issuer(), "native-app").await;
    let good = token(&party, SCOPES).await;
    assert_eq!(ask(&graph, "/me", &good).await.status, 200);
    assert_eq!(http::get(&format!("{}/me", graph.base())).await.status, 401);
    let (signed, _) = good.rsplit_once('.').unwrap();
    let other = SigningKey::generate();
    let forged = other.sign(&jose::claims(&good));
    let (_, signature) = forged.rsplit_once('.').unwrap();
    for (token, wrong) in [
        ("opaque".to_owned(), "not a JWT"),
        (forged.clone(), "not published"),
        (format!("{signed}.{signature}"), "signature is wrong"),
    ] {
        let reply = ask(&graph, "/me", &token).await;
        assert!(reply.status == 401 && why(&reply).contains(wrong), "{wrong}: {}", reply.body);
    }
    clock.advance(Duration::from_secs(3600));
    assert!(why(&ask(&graph, "/me", &good).await).contains("expired"));
    server.change(|options| options.audience = Some("https://vault.azure.net".to_owned()));
    let reply = ask(&graph, "/me", &token(&party, SCOPES).await).await;
    assert!(why(&reply).contains("another audience"), "{}", reply.body);
    let tokens: Vec<_> = graph.asked_with();
    assert_eq!((tokens.len(), tokens.first()), (7, Some(&Some(good))));
}

#[tokio::test]
async fn a_challenge_outdates_the_token_and_a_plan_is_for_one_request() {
    let (server, graph, _) = stage();
    let party = RelyingParty::public(server.issuer(), "native-app").await;
    let token = token(&party, SCOPES).await;
    graph.challenge_next(r#"{"access_token":{}}"#);
    for _ in 0..2 {
        let reply = ask(&graph, "/me", &token).await;
        let header = reply.headers["www-authenticate"].to_str().unwrap();
        assert!(reply.status == 401 && header.contains("insufficient_claims"), "{header}");
    }
    graph.fail_next(429, "TooManyRequests");
    graph.answer_next(200, &[("x-test", "1")], &json!([1]));
    assert_eq!(ask(&graph, "/me", "x").await.status, 429);
    assert_eq!(ask(&graph, "/me", "x").await.json(), json!([1]));
    assert_eq!(ask(&graph, "/me", "x").await.json()["error"]["code"], Value::from("InvalidAuthenticationToken"));
}
