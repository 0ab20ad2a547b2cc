//! Client assertions from elsewhere: a file that somebody replaces, and another application's own token.

use std::{fs, path::Path};

use token_broker_client::{
    Reason,
    calls::{CredentialKind, NewApplication, NewCredential, TokenRequest, TokenSource},
};
use token_broker_proto::wire::v1;
use token_broker_tests::{
    authorization_server::{AuthorizationServer, Client, Options as Server},
    daemon::{Options, TestDaemon, application, name},
    within,
};

use super::{own_token, refused};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Known to the server as one that has assertions, which the test looks at.
const CLIENT: (&str, Option<&str>) = ("assertion-app", None);

fn server() -> AuthorizationServer {
    let mut options = Server::default();
    options.clients.push(Client { assertion: true, ..Client::confidential(CLIENT.0, "a secret that nobody has") });
    AuthorizationServer::start(options)
}

fn job(server: &AuthorizationServer, credential: NewCredential) -> NewApplication {
    NewApplication { credential, ..application("job", server.issuer(), CLIENT, "api:read") }
}

/// The server was sent this assertion, and no secret.
#[track_caller]
fn got(server: &AuthorizationServer, assertion: &str) {
    let seen = server.last_request("token").expect("a request");
    let parameter = |name: &str| seen.parameters.get(name).map(String::as_str);
    assert_eq!(parameter("client_assertion_type"), Some(ASSERTION_TYPE));
    assert_eq!((parameter("client_id"), parameter("client_secret")), (Some(CLIENT.0), None));
    assert!(server.secrets().iter().any(|sent| sent == assertion), "{assertion}");
}

#[tokio::test]
async fn a_file_is_read_again_each_time() {
    let server = server();
    let mut daemon = TestDaemon::start(Options::default()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("assertion");
    fs::write(&path, "first.assertion.text\n").expect("written");
    let credential = NewCredential::assertion_file(&path).expect("an absolute path");
    let (added, _) = daemon.client().add_application(&job(&server, credential)).await.expect("registered");
    assert_eq!((added.credential, added.credential_fingerprint), (CredentialKind::Assertion, None));
    within(daemon.client().token(&own_token("job"))).await.expect("a token");
    got(&server, "first.assertion.text");

    fs::write(&path, "second.assertion.text").expect("written");
    daemon.restart().await;
    let forced = TokenRequest { force_refresh: true, ..own_token("job") };
    within(daemon.client().token(&forced)).await.expect("a token");
    got(&server, "second.assertion.text");

    fs::remove_file(&path).expect("removed");
    let failure = refused(within(daemon.client().token(&forced)).await);
    assert_eq!(failure.reason, Reason::InvalidRequest);
    assert!(failure.message.contains(path.to_str().expect("a path")), "{}", failure.message);
    let hit = within(daemon.client().token(&own_token("job"))).await.expect("the cached one is still valid");
    assert_eq!(hit.source, TokenSource::Cache);
    assert!(NewCredential::assertion_file(Path::new("relative")).is_err());
}

#[tokio::test]
async fn the_token_of_another_application_is_the_assertion() {
    let (home, other) = (server(), server());
    let daemon = TestDaemon::start(Options::default()).await;
    let client = daemon.client();
    let service = ("service-app", Some("service secret: +/%&=?~"));
    client.add_application(&application("workload", home.issuer(), service, "api:write")).await.expect("registered");
    let from = |text: &str| NewCredential::AssertionFrom(name(text));
    client.add_application(&job(&other, from("workload"))).await.expect("registered");
    within(client.token(&own_token("job"))).await.expect("a token");
    let workload = within(client.token(&own_token("workload"))).await.expect("the other's own token");
    assert_eq!(workload.source, TokenSource::Cache, "it was got for the assertion");
    got(&other, workload.access_token.expose());
    let forced = TokenRequest { force_refresh: true, ..own_token("job") };
    within(client.token(&forced)).await.expect("a token");
    assert_eq!((home.requests("token"), other.requests("token")), (1, 2));

    client.add_application(&application("public", home.issuer(), CLIENT, "api:read")).await.expect("registered");
    for (source, words) in [
        ("self", "must be another application"),
        ("nobody", "no application nobody is registered"),
        ("public", "is a public client"),
        ("job", "from another application"),
    ] {
        let new = NewApplication { name: name("self"), ..job(&other, from(source)) };
        let failure = refused(client.add_application(&new).await);
        assert_eq!(failure.field.as_deref(), Some("assertion_from_application"), "{source}");
        assert!(failure.message.contains(words), "{source}: {}", failure.message);
    }
    client.remove_application(&name("workload")).await.expect("removed");
    let failure = refused(within(client.token(&forced)).await);
    assert_eq!(failure.reason, Reason::ApplicationNotFound);
}

#[test]
fn there_is_one_credential_at_most() {
    let plain = || v1::AddApplicationRequest {
        name: "job".into(),
        client_id: "c".into(),
        authority: Some(v1::add_application_request::Authority::Issuer("https://id.example".into())),
        ..Default::default()
    };
    let certificate = || Some(v1::Certificate::default());
    let cases = [
        (v1::AddApplicationRequest { client_secret: "s".into(), certificate: certificate(), ..plain() }, "credential"),
        (
            v1::AddApplicationRequest {
                assertion_file: "/a".into(),
                assertion_from_application: "b".into(),
                ..plain()
            },
            "credential",
        ),
        (v1::AddApplicationRequest { assertion_file: "a".into(), ..plain() }, "assertion_file"),
        (
            v1::AddApplicationRequest { assertion_from_application: "../x".into(), ..plain() },
            "assertion_from_application",
        ),
        (v1::AddApplicationRequest { send_x5c: true, client_secret: "s".into(), ..plain() }, "send_x5c"),
    ];
    for (request, field) in cases {
        assert_eq!(NewApplication::try_from(request).expect_err("it is refused").field, field);
    }
    for one in [
        v1::AddApplicationRequest { send_x5c: true, certificate: certificate(), ..plain() },
        v1::AddApplicationRequest { assertion_file: "/a".into(), ..plain() },
        plain(),
    ] {
        let new = NewApplication::try_from(one.clone()).expect("it is one at most");
        assert_eq!(v1::AddApplicationRequest::from(&new), v1::AddApplicationRequest { existing: 1, ..one });
    }
}
