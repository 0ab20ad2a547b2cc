//! The answer as a form: a browser posts it to the web application, which hands its body over as it came (OAuth 2.0 Form Post
//! Response Mode).

use token_broker_client::calls::{BeginAuthorizationRequest, ResponseMode};
use token_broker_tests::{user::User, within};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::{Stage, query, refused, site};

/// The body of the one POST that arrives, answered with an empty page.
async fn posted(listener: TcpListener) -> String {
    let (mut stream, _) = listener.accept().await.expect("a browser");
    let mut request = String::new();
    let mut part = [0; 4096];
    loop {
        let read = stream.read(&mut part).await.expect("the request");
        request.push_str(str::from_utf8(&part[..read]).expect("text"));
        let Some((head, body)) = request.split_once("\r\n\r\n") else { continue };
        let length =
            head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if length == Some(body.len()) {
            assert!(head.starts_with("POST /login/authorized "), "{head}");
            stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").await.expect("the answer");
            return body.to_owned();
        }
    }
}

#[tokio::test]
async fn a_form_is_as_good_as_a_query() {
    let stage = Stage::set().await;
    let local = token_broker_client::calls::NewApplication {
        redirect_uri: Some("http://localhost/login/authorized".to_owned()),
        ..site(&stage.server, "local")
    };
    stage.daemon.client().add_application(&local).await.expect("registered");
    let listener = TcpListener::bind("localhost:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let to = format!("http://localhost:{port}/login/authorized");
    let request = BeginAuthorizationRequest {
        response_mode: Some(ResponseMode::FormPost),
        ..BeginAuthorizationRequest::new(local.name.clone(), to).expect("a redirect URI at any port")
    };
    let begun = stage.begin(&request).await.expect("begun");
    assert_eq!(query(begun.url.expose())["response_mode"], "form_post");
    let user = User::named("ada");
    let (_, body) = within(async { tokio::join!(user.sign_in(begun.url.expose()), posted(listener)) }).await;
    let other = super::CompleteAuthorizationRequest::new(super::name("site"), body.clone());
    let failure = refused(stage.daemon.client().complete_authorization(&other).await);
    assert_eq!(failure.field.as_deref(), Some("application"), "{failure:?}");
    let request = super::CompleteAuthorizationRequest::new(local.name, body);
    let account = stage.daemon.client().complete_authorization(&request).await.expect("signed in");
    assert_eq!((account.username.as_str(), account.application.as_str()), ("ada", "local"));
}
