//! `Debug` of the shared words and the wire messages shows no secret: programs print these into their own logs.

use token_broker_client::calls::{
    NewApplication, OnBehalfOf, SignInEvent, SignOutRequest, Subject, TokenAnswer, TokenRequest, UserCode,
};
use token_broker_proto::{Secret, oauth::UnixTime, wire::v1};
use token_broker_tests::daemon::{application, name};

const SECRET: &str = "s3cr3t-marker";

fn hides(shown: &str) {
    assert!(!shown.contains(SECRET), "{shown}");
}

#[test]
fn no_word_shows_its_secret() {
    let secret = || Secret::new(SECRET);
    let request = TokenRequest {
        subject: Subject::OnBehalfOf(OnBehalfOf::Begin(secret(), None)),
        ..TokenRequest::new(name("mail"))
    };
    let new: NewApplication = application("mail", "https://id.example", ("id", Some(SECRET)), "openid");
    let code = UserCode {
        verification_uri: "https://id.example/device".into(),
        verification_uri_complete: Some(secret()),
        user_code: secret(),
        expires_on: UnixTime::from_seconds(1),
    };
    let wire = v1::GetTokenResponse {
        access_token: SECRET.into(),
        id_token: SECRET.into(),
        correlation_id: "00000000-0000-4000-8000-000000000000".into(),
        source: 1,
        ..Default::default()
    };
    let account = Some(SECRET.to_owned());
    let sign_out = SignOutRequest { application: name("job"), account, revoke: false, correlation_id: None };
    let answer = TokenAnswer::try_from(wire).expect("an answer");
    for shown in [
        format!("{request:?} {:?}", v1::GetTokenRequest::from(&request)),
        format!("{new:?} {:?}", v1::AddApplicationRequest::from(&new)),
        format!("{code:?} {:?}", v1::SignInResponse::from(SignInEvent::UserCode(code.clone()))),
        format!("{:?}", v1::SignInResponse::from(SignInEvent::OpenUrl(secret()))),
        format!("{answer:?} {answer:#?}"),
        format!("{sign_out:?} {:?}", v1::SignOutRequest::from(&sign_out)),
    ] {
        hides(&shown);
    }
}

#[test]
fn no_message_shows_its_secret() {
    let text = || SECRET.to_owned();
    let token = v1::GetTokenRequest { on_behalf_of: text(), claims: text(), ..Default::default() };
    let answer = v1::GetTokenResponse { access_token: text(), id_token: text(), ..Default::default() };
    let event = v1::watch_token_response::Event::Token(answer.clone());
    for shown in [
        format!("{:?}", v1::BeginAuthorizationResponse { url: text(), state: text(), expires_on: 0 }),
        format!("{:?}", v1::CompleteAuthorizationRequest { parameters: text(), ..Default::default() }),
        format!("{:?}", v1::AddApplicationRequest { client_secret: text(), ..Default::default() }),
        format!("{:?}", v1::Certificate { file: text().into_bytes(), password: text() }),
        format!("{:?}", v1::ImportMsalCacheRequest { application: text(), chunk: text().into_bytes(), dry_run: false }),
        format!("{:?}", v1::BeginAuthorizationRequest { login_hint: text(), ..Default::default() }),
        format!("{:?}", v1::SignInRequest { login_hint: text(), ..Default::default() }),
        format!("{:?}", v1::SignHttpRequestResponse { authorization: text(), ..Default::default() }),
        format!("{:?}", v1::OpenUrl { url: text() }),
        format!("{:?}", v1::UserCode { user_code: text(), verification_uri_complete: text(), ..Default::default() }),
        format!("{answer:?} {:?}", v1::WatchTokenResponse { event: Some(event) }),
        format!("{token:?} {:?}", v1::WatchTokenRequest { token: Some(token.clone()) }),
    ] {
        hides(&shown);
    }
    // The search does find what is there.
    let shown = format!("{:?}", v1::ListAccountsRequest { application: text() });
    assert!(shown.contains(SECRET), "{shown}");
}
