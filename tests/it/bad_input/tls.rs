//! TLS that must not be trusted, seen by the real program with certificate authorities of its own: the cause is named, and what
//! is cached is served on. The same program signs in, and refreshes, while the certificate is good.

use std::{fs, path::PathBuf};

use serde_json::json;
use tempfile::TempDir;
use token_broker_client::{
    Reason,
    calls::{SignInEvent, SignInRequest},
};
use token_broker_tests::{
    authorization_server::{AuthorizationServer, Options as Server},
    daemon::{application, name},
    machine::{
        program::Program,
        tls::{CertificateAuthority, TlsFront},
    },
    user::User,
    within,
};

use super::{SignedIn, of, refresh, refused, says};

/// A provider behind TLS, and the real daemon that trusts its certificate authority only.
struct Stage {
    server: AuthorizationServer,
    authority: CertificateAuthority,
    front: TlsFront,
    folder: TempDir,
}

impl Stage {
    async fn set() -> Self {
        let server = AuthorizationServer::start(Server { iss_in_redirect: false, ..Server::default() });
        let authority = CertificateAuthority::named("Ours");
        let front = TlsFront::before(server.issuer(), authority.certify("127.0.0.1")).await;
        let issuer = front.issuer();
        server.change(|options| {
            options.id_token_claims.insert("iss".into(), json!(issuer));
            options.metadata.insert("issuer".into(), json!(issuer));
            let endpoints = [
                ("authorization_endpoint", "authorize"),
                ("token_endpoint", "token"),
                ("device_authorization_endpoint", "device_authorization"),
                ("revocation_endpoint", "revoke"),
                ("jwks_uri", "jwks"),
            ];
            for (member, path) in endpoints {
                options.metadata.insert(member.into(), json!(format!("{issuer}/{path}")));
            }
        });
        let folder = tempfile::tempdir().expect("a scratch folder");
        fs::write(folder.path().join("ca.pem"), authority.pem()).expect("written");
        Self { server, authority, front, folder }
    }

    /// The daemon, with certificate authorities from this file.
    async fn daemon(&self, ca: &str) -> Program {
        let file = self.file(ca);
        Program::start(&self.file("data"), &[("SSL_CERT_FILE", file.as_os_str())]).await
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Registers `mail` and signs `ada` in. Her browser trusts the provider: it goes to the plain one.
    async fn sign_in(&self, daemon: &Program) -> SignedIn {
        let client = daemon.client();
        let mail = application("mail", &self.front.issuer(), ("native-app", None), "openid api:read");
        client.add_application(&mail).await.expect("registered over TLS");
        let mut events = client.sign_in(&SignInRequest::new(name("mail"))).await.expect("begun");
        let Ok(Some(SignInEvent::OpenUrl(url))) = events.next().await else { panic!("the URL comes first") };
        let plain = url.expose().replace(&self.front.issuer(), self.server.issuer());
        let ada = User::named("ada");
        let (_, done) = tokio::join!(ada.sign_in(&plain), events.next());
        let Ok(Some(SignInEvent::SignedIn(account))) = done else { panic!("signed in: {done:?}") };
        let token = client.token(&of("ada")).await.expect("a token").access_token.expose().to_owned();
        SignedIn { account, token }
    }
}

#[tokio::test]
async fn the_cause_is_named() {
    let stage = Stage::set().await;
    let daemon = stage.daemon("ca.pem").await;
    let client = daemon.client();
    let mut ada = stage.sign_in(&daemon).await;
    let cases = [
        (
            CertificateAuthority::named("Theirs").certify("127.0.0.1"),
            "a certificate authority that this machine does not trust",
        ),
        (
            stage.authority.certify_until_2021("127.0.0.1"),
            "its certificate has expired, or this machine's clock is wrong",
        ),
        (stage.authority.certify("elsewhere.example"), "its certificate is for another host"),
    ];
    for (shown, words) in cases {
        stage.front.show(shown);
        let failure = refused(within(refresh(&client)).await);
        says(
            &failure,
            Reason::AuthorityUnavailable,
            &["the provider 127.0.0.1", "cannot be trusted, TLS failed", words],
        );
        ada.is_served(&client).await;
    }
    assert_eq!(stage.server.requests("token:refresh_token"), 0, "nothing was sent");
    stage.front.show(stage.authority.certify("127.0.0.1"));
    ada.can_refresh(&client).await;
}

#[tokio::test]
async fn certificate_authorities_that_cannot_be_read() {
    let stage = Stage::set().await;
    let daemon = stage.daemon("ca.pem").await;
    let mut ada = stage.sign_in(&daemon).await;
    drop(daemon);
    fs::rename(stage.file("ca.pem"), stage.file("kept.pem")).expect("moved");
    let daemon = stage.daemon("ca.pem").await;
    let client = daemon.client();
    let failure = refused(within(refresh(&client)).await);
    let file = stage.file("ca.pem").display().to_string();
    let words = ["no certificate authorities could be read from", "SSL_CERT_FILE=", &file, "No such file"];
    says(&failure, Reason::AuthorityUnavailable, &words);
    ada.is_served(&client).await;
    // Put back, it is read without a restart.
    fs::rename(stage.file("kept.pem"), stage.file("ca.pem")).expect("moved");
    ada.can_refresh(&client).await;
}

/// Plain HTTP where TLS is expected.
#[tokio::test]
async fn a_provider_that_does_not_speak_tls() {
    let stage = Stage::set().await;
    let daemon = stage.daemon("ca.pem").await;
    let ada = stage.sign_in(&daemon).await;
    let issuer = stage.server.issuer().replace("http://", "https://");
    let notes = application("notes", &issuer, ("native-app", None), "openid");
    let failure = refused(within(daemon.client().add_application(&notes)).await);
    says(&failure, Reason::AuthorityUnavailable, &["the provider 127.0.0.1", "TLS failed", "does not speak TLS"]);
    ada.is_served(&daemon.client()).await;
}
