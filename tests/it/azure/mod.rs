//! The Rust client's credential in the real pipeline of Azure's SDK, with its own authentication policy, against Microsoft Graph's
//! stand-in. The policy sends tokens by https only, so that the transport of this test leads `https://graph.test` to it.

use std::sync::Arc;

use azure_core::{
    credentials::{TokenCredential, TokenRequestOptions},
    error::ErrorKind,
    http::{
        AsyncRawResponse, ClientMethodOptions, ClientOptions, Context, HttpClient, Method, Pipeline, Request,
        StatusCode, Transport,
        headers::{AUTHORIZATION, Headers, WWW_AUTHENTICATE},
        policies::auth::{Authorizer, BearerTokenAuthorizationPolicy, OnChallenge},
    },
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;
use token_broker::ports::clock::SystemClock;
use token_broker_client::{BrokerCredential, ClientError, Reason, oauth::Claims};
use token_broker_tests::{
    authorization_server::{AuthorizationServer, Options as Server},
    daemon::{self, TestDaemon, application, name, sign_in_by_browser},
    graph::{AUDIENCE, Graph},
    http,
    user::User,
};

const CLAIMS: &str = r#"{"access_token":{"nbf":{"essential":true,"value":"1"}}}"#;

/// Leads every request to the stand-in.
#[derive(Debug)]
struct ToGraph(String);

#[async_trait::async_trait]
impl HttpClient for ToGraph {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let asked = http::client().get(format!("{}{}", self.0, request.url().path()));
        let reply = http::send(asked.header("authorization", request.headers().get_str(&AUTHORIZATION)?)).await;
        let mut headers = Headers::new();
        if let Some(challenge) = reply.headers.get("www-authenticate") {
            headers.insert(WWW_AUTHENTICATE, challenge.to_str().unwrap().to_owned());
        }
        Ok(AsyncRawResponse::from_bytes(StatusCode::from(reply.status), headers, reply.body))
    }
}

/// Takes the claims out of a challenge and asks the credential for a token with them.
#[derive(Debug)]
struct Answer;

#[async_trait::async_trait]
impl OnChallenge for Answer {
    async fn on_challenge(
        &self,
        context: &Context,
        request: &mut Request,
        authorizer: &dyn Authorizer,
        headers: &Headers,
    ) -> azure_core::Result<()> {
        let challenge = headers.get_str(&WWW_AUTHENTICATE)?;
        let claims = challenge.split("claims=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        let claims = String::from_utf8(BASE64_STANDARD.decode(claims).unwrap()).unwrap();
        let context = context.to_borrowed().with_value(Claims::parse(&claims).unwrap().unwrap());
        let options = TokenRequestOptions { method_options: ClientMethodOptions { context } };
        authorizer.authorize(request, &["User.Read"], options).await
    }
}

/// A provider, Microsoft Graph, and a daemon with the applications `mail` (ada is signed in) and `job`.
struct Stage {
    server: AuthorizationServer,
    graph: Graph,
    daemon: TestDaemon,
}

impl Stage {
    async fn set() -> Self {
        let mut server = Server { audience: Some(AUDIENCE.to_owned()), ..Server::default() };
        server.scopes.push("User.Read".to_owned());
        let server = AuthorizationServer::start(server);
        let graph = Graph::start(server.issuer(), Arc::new(SystemClock));
        let daemon = TestDaemon::start(daemon::Options::default()).await;
        let mail = application("mail", server.issuer(), ("native-app", None), "profile User.Read");
        let service = ("service-app", Some("service secret: +/%&=?~"));
        let job = application("job", server.issuer(), service, "User.Read");
        for new in [mail, job] {
            daemon.client().add_application(&new).await.expect("registered");
        }
        sign_in_by_browser(&daemon.client(), "mail", &User::named("ada")).await.expect("signed in");
        Self { server, graph, daemon }
    }

    fn credential(&self) -> BrokerCredential {
        BrokerCredential::of_user(self.daemon.client(), name("mail"), None)
    }

    /// What a client of Azure's SDK gets from `/me` with this credential.
    async fn me(&self, credential: BrokerCredential) -> azure_core::Result<Value> {
        let policy = BearerTokenAuthorizationPolicy::new(Arc::new(credential), ["User.Read"]);
        let policy = Arc::new(policy.with_on_challenge(Arc::new(Answer)));
        let transport = Transport::new(Arc::new(ToGraph(self.graph.base().to_owned())));
        let options = ClientOptions { transport: Some(transport), ..ClientOptions::default() };
        let pipeline = Pipeline::new(None, None, options, Vec::new(), vec![policy], None);
        let mut request = Request::new("https://graph.test/me".parse().unwrap(), Method::Get);
        let response = pipeline.send(&Context::new(), &mut request, None).await?;
        Ok(serde_json::from_slice(response.body()).unwrap())
    }
}

#[tokio::test]
async fn the_sdks_pipeline_reads_the_profile_and_answers_a_challenge() {
    let stage = Stage::set().await;
    stage.graph.challenge_next(CLAIMS);
    let profile = stage.me(stage.credential()).await.expect("an answer");
    assert_eq!(profile["displayName"], "Test user ada");
    let tokens = stage.graph.asked_with();
    assert!(tokens.len() == 2 && tokens[0] != tokens[1], "the second request had another token");
    assert_eq!(stage.server.requests("token:refresh_token"), 1);
    let job = BrokerCredential::of_application(stage.daemon.client(), name("job"));
    assert_eq!(stage.me(job).await.expect("an answer")["displayName"], "Test user service-app");
}

#[tokio::test]
async fn a_failure_is_the_sdks_with_ours_as_its_source() {
    let mut stage = Stage::set().await;
    let token = stage.credential().get_token(&["User.Read"], None).await.expect("a token");
    assert!(stage.server.is_active(token.token.secret()) && !format!("{token:?}").contains(token.token.secret()));
    let refused = stage.credential().get_token(&["Files.Read"], None).await.expect_err("not granted");
    let Some(ClientError::Broker(failure)) = cause(&refused) else { panic!("{refused}") };
    assert_eq!((refused.kind(), failure.reason), (&ErrorKind::Credential, Reason::InteractionRequired));
    let malformed = stage.credential().get_token(&["a\"b"], None).await.expect_err("no scope");
    assert_eq!(malformed.kind(), &ErrorKind::Credential);
    stage.daemon.stop().await;
    let away = stage.me(stage.credential()).await.expect_err("no daemon");
    assert!(matches!(cause(&away), Some(ClientError::NoDaemon { .. })), "{away}");
}

/// Our error, as far behind the pipeline's own as it may be.
fn cause(error: &azure_core::Error) -> Option<&ClientError> {
    std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source())
        .find_map(|error| error.downcast_ref())
}
