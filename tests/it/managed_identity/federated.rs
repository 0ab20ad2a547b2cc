//! A managed identity in place of a credential: its token is the client assertion of another application (RFC 7523).

use token_broker_client::{
    Reason,
    calls::{NewApplication, NewCredential, Subject, TokenRequest, TokenSource},
    oauth::{ManagedIdentityId, ManagedIdentitySource, ScopeSet},
};
use token_broker_tests::{
    authorization_server::{AuthorizationServer, Client, Fault, Options as Server},
    daemon::{application, name, scopes},
    within,
};

use super::{Stage, managed, refused, request};

/// Known to the server as one that has assertions.
const CLIENT: (&str, Option<&str>) = ("assertion-app", None);

fn server() -> AuthorizationServer {
    let mut options = Server::default();
    options.clients.push(Client { assertion: true, ..Client::confidential(CLIENT.0, "a secret that nobody has") });
    AuthorizationServer::start(options)
}

fn app_only(name: &str) -> TokenRequest {
    TokenRequest { subject: Subject::Application, ..request(name) }
}

#[tokio::test]
async fn its_token_is_the_assertion_of_another_application() {
    let (server, stage) = (server(), Stage::with(ManagedIdentitySource::Imds).await);
    let vm = managed("vm", ManagedIdentityId::SystemAssigned, None);
    stage.register(NewApplication { scopes: ScopeSet::default(), ..vm.clone() }).await.expect("registered");
    stage
        .register(NewApplication { name: name("own-audience"), scopes: scopes("api://mine"), ..vm })
        .await
        .expect("registered");
    for (source, audience, assertion) in
        [("vm", "api://AzureADTokenExchange", "marker-mi-token-1"), ("own-audience", "api://mine", "marker-mi-token-2")]
    {
        let job = application(&format!("job-{source}"), server.issuer(), CLIENT, "api:read");
        let credential = NewCredential::AssertionFrom(name(source));
        stage.register(NewApplication { credential, ..job }).await.expect("a managed identity is a source");
        let forced = TokenRequest { force_refresh: true, ..app_only(&format!("job-{source}")) };
        for _ in 0..2 {
            within(stage.client.token(&forced)).await.expect("a token");
        }
        let asked = stage.host.asked();
        assert_eq!(asked.last().map(|asked| asked.parameter("resource")), Some(audience));
        let seen = server.last_request("token").expect("a request");
        assert_eq!(seen.parameters.get("client_id").map(String::as_str), Some(CLIENT.0));
        assert!(server.secrets().iter().any(|sent| sent == assertion), "{assertion} was shown");
    }
    assert_eq!(stage.asked(), 2, "the machine's token is cached as for any other use");
    // The machine's failure is the other application's, which is served from its own cache meanwhile.
    stage.host.plan_times(10, &Fault::answer(400, "application/json", r#"{"error":"invalid_request"}"#));
    stage.pass(86_400);
    let said = refused(within(stage.client.token(&app_only("job-vm"))).await);
    assert_eq!(said.reason, Reason::AuthorityRefused, "{said:?}");
    assert_eq!(said.provider.map(|words| words.error).as_deref(), Some("invalid_request"));
}

#[tokio::test]
async fn it_is_never_the_user_of_a_cached_token() {
    let stage = Stage::with_vm(ManagedIdentitySource::Imds).await;
    stage.access_token("vm").await;
    assert!(stage.client.accounts(None).await.expect("the list").is_empty());
    let hit = stage.client.token(&app_only("vm")).await.expect("the cached token");
    assert_eq!((hit.source, hit.account), (TokenSource::Cache, None));
    let removed = stage.client.remove_application(&name("vm")).await.expect("removed");
    assert_eq!((removed.accounts, removed.tokens), (0, 1));
}
