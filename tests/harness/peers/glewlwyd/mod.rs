//! Debian's `glewlwyd`, an OpenID Provider written in C: ES256, refresh tokens for one use (a second use breaks the chain),
//! client credentials, device authorization, introspection and revocation. It compares redirect URIs with their port, so
//! that a test says beforehand which ones it will use; and it has no login page here: users sign in by its API.

mod setup;

use std::{net::TcpListener, path::Path};

use serde_json::{Value, json};
use tempfile::TempDir;
use url::Url;

use super::child::ServerProcess;
use crate::{
    http,
    requirements::{Missing, program},
    user::{Page, User},
};

/// A public client: browser, device code, refresh.
pub const NATIVE_APP: &str = "native-app";
/// A confidential client for client credentials, Basic or in the body. This server does not decode Basic (RFC 6749 section
/// 2.3.1), so the secret has nothing to encode.
pub const SERVICE_APP: (&str, &str) = ("service-app", "service-secret-0123456789");
/// The user that exists, with the password that the server asks for.
pub const USER: (&str, &str) = ("ada", "lovelace-1815");
/// What the user has consented to.
const CONSENTED: &str = "openid profile email offline_access api:read";

/// A running glewlwyd.
#[derive(Debug)]
pub struct Glewlwyd {
    base: String,
    user: User,
    _process: ServerProcess,
    _folder: TempDir,
}

/// Whether the package is there.
///
/// # Errors
/// What is missing and how it comes.
pub fn present() -> Result<(), Missing> {
    let advice = "on Debian, `apt-get install glewlwyd`";
    program("glewlwyd", advice)?;
    let missing = || Missing::new(format!("glewlwyd's database schema is not in {}: {advice}", setup::SCHEMA));
    Path::new(setup::SCHEMA).is_file().then_some(()).ok_or_else(missing)
}

/// A port that was free a moment ago, for a redirect URI that must be registered before anybody listens.
///
/// # Panics
/// When the machine has none.
#[must_use]
pub fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port is free");
    listener.local_addr().expect("it has an address").port()
}

impl Glewlwyd {
    /// Starts it with these redirect URIs for the native client, sets it up, and signs the user in.
    ///
    /// # Panics
    /// When it does not start or refuses its configuration.
    pub async fn start(redirect_uris: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let port = free_port();
        let configuration = setup::write_files(folder.path(), port);
        let mut process = ServerProcess::start_guarded("glewlwyd", &["-c", &configuration]);
        process.line(|line| line.contains("started on port")).await;
        let base = format!("http://127.0.0.1:{port}/api");
        setup::fill(&base, redirect_uris).await;
        let (name, password) = USER;
        let server = Self { base, user: User::with_password(name, password), _process: process, _folder: folder };
        server.consent().await;
        server
    }

    /// Its issuer.
    #[must_use]
    pub fn issuer(&self) -> String {
        format!("{}/oidc", self.base)
    }

    /// The user opens an authorization URL and ends on the page that the redirect address shows.
    pub async fn sign_in(&self, url: &str) -> Page {
        self.user.sign_in(&going_on(url)).await
    }

    /// The same, up to the redirect whose address starts like this; it is returned without being opened.
    pub async fn sign_in_until(&self, url: &str, start: &str) -> Url {
        self.user.sign_in_until(&going_on(url), start).await
    }

    /// The user opens `verification_uri_complete` and lets the device in.
    ///
    /// # Panics
    /// When the server does not say that the device sign-in is complete.
    pub async fn approve_device(&self, verification_uri_complete: &str) {
        let url: Url = going_on(verification_uri_complete).parse().expect("a URL");
        let reply = self.user.send(&url, http::client().get(url.clone())).await;
        let location = reply.location().map(String::from).unwrap_or_default();
        assert!(location.contains("prompt=deviceComplete"), "{} {location}", reply.status);
    }

    /// Whether the server still accepts a token (RFC 7662), asked with a token of the service client.
    pub async fn introspect(&self, token: &str) -> bool {
        let fields = [("grant_type", "client_credentials"), ("scope", setup::INTROSPECTION_SCOPE)];
        let own = http::post_as(&format!("{}/token", self.issuer()), &fields, SERVICE_APP).await;
        let request =
            http::client().post(format!("{}/introspect", self.issuer())).bearer_auth(own.text("access_token"));
        let reply = http::send(http::form(request, &[("token", token)])).await;
        reply.json().get("active").and_then(Value::as_bool).expect("an introspection answer says so")
    }

    /// Signs the user in by the API and consents to the native client's scopes.
    async fn consent(&self) {
        let (username, password) = USER;
        let login: Url = format!("{}/auth/", self.base).parse().expect("a URL");
        let credentials = json!({"username": username, "password": password}).to_string();
        let as_json = |request: reqwest::RequestBuilder| request.header("content-type", "application/json");
        let reply = self.user.send(&login, as_json(http::client().post(login.clone())).body(credentials)).await;
        assert_eq!(reply.status, 200, "the user signs in: {}", reply.body);
        let grant: Url = format!("{}/auth/grant/{NATIVE_APP}/", self.base).parse().expect("a URL");
        let scope = json!({"scope": CONSENTED}).to_string();
        let reply = self.user.send(&grant, as_json(http::client().put(grant.clone())).body(scope)).await;
        assert_eq!(reply.status, 200, "the user consents: {}", reply.body);
    }
}

/// The parameter by which glewlwyd's own login page says that the user has seen it.
fn going_on(url: &str) -> String {
    format!("{url}&g_continue")
}
