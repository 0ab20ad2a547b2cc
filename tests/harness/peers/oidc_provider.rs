//! The certified server `oidc-provider` (npm, tests/peers), run by node. Any login with any password signs in; it rotates
//! refresh tokens, and a refresh token that is used twice revokes the whole grant.

use std::{collections::BTreeMap, process::Command, time::Duration};

use super::child::ServerProcess;
use crate::{
    folder,
    http::{self, Reply},
    requirements::{Missing, program},
};

/// A public native client without a secret: browser (any loopback port, path `/` or `/cb`), device code, refresh.
pub const NATIVE_APP: &str = "native-app";
/// A confidential client for browser, device code and refresh (`client_secret_basic`).
pub const CONFIDENTIAL_APP: (&str, &str) = ("confidential-app", "confidential secret: +/%&=?~");
/// A confidential client for client credentials (`client_secret_basic`).
pub const SERVICE_APP: (&str, &str) = ("service-app", "service secret: +/%&=?~");
/// A confidential client for client credentials (`client_secret_post`).
pub const SERVICE_APP_POST: (&str, &str) = ("service-app-post", "posted secret: +/%&=?~");
/// A confidential client that exchanges its callers' tokens (`client_secret_basic`).
pub const EXCHANGE_APP: (&str, &str) = ("exchange-app", "exchange secret: +/%&=?~");
/// A confidential client that is a web application (`client_secret_basic`), and where it takes its users back.
pub const WEB_APP: (&str, &str) = ("web-app", "web secret: +/%&=?~");
/// The redirect URI of `WEB_APP`.
pub const WEB_APP_REDIRECT: &str = "https://web.example/login/authorized";
/// The client with which tests introspect.
const INTROSPECTOR: (&str, &str) = ("introspector", "introspector-secret");

/// Debian 12's own is older, and the package does not start with it.
const OLDEST_NODE: u32 = 20;

/// How the server differs from its defaults.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Port to listen on; a free one when not given.
    pub port: Option<u16>,
    /// What it calls itself, when something stands in front of it.
    pub issuer: Option<String>,
    /// Lifetime of access tokens in seconds; 3600 when not given.
    pub access_token_lifetime: Option<u64>,
    /// Lifetime of refresh tokens in seconds; a day when not given.
    pub refresh_token_lifetime: Option<u64>,
    /// Lifetime of device codes in seconds; ten minutes when not given.
    pub device_code_lifetime: Option<u64>,
    /// Signature of id tokens: `RS256` (when not given), `PS256`, `ES256`, `EdDSA`.
    pub id_token_algorithm: Option<&'static str>,
    /// Clients that authenticate with a certificate (`private_key_jwt`): client id and certificate in PEM.
    pub certificate_clients: Vec<(String, String)>,
    /// Algorithms of client assertions, separated by commas; those of the package when not given.
    pub assertion_algorithms: Option<&'static str>,
    /// The resource that access tokens are for, which are then JWTs, and its scopes separated by spaces.
    pub resource: Option<(&'static str, &'static str)>,
    /// Refresh tokens stay the same instead of being replaced at each use.
    pub without_rotation: bool,
}

/// How often a start is tried.
const ATTEMPTS: usize = 3;
/// How long a start may take; it takes half a second in general.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running `oidc-provider`.
#[derive(Debug)]
pub struct OidcProvider {
    issuer: String,
    address: String,
    _process: ServerProcess,
}

/// Whether node and the pinned packages are there.
///
/// # Errors
/// What is missing and how it comes.
pub fn present() -> Result<(), Missing> {
    let node = program("node", "install Node.js 20 or later")?;
    let version = Command::new(node).arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    let version = String::from_utf8_lossy(&version).trim().to_owned();
    let major: u32 = version.trim_start_matches('v').split('.').next().unwrap_or_default().parse().unwrap_or(0);
    if major < OLDEST_NODE {
        return Err(Missing::new(format!("Node.js here is {version}: install {OLDEST_NODE} or later")));
    }
    let package = folder("peers").join("node_modules/oidc-provider/package.json");
    let missing = || Missing::new("tests/peers has no node_modules: run `npm ci` there");
    package.is_file().then_some(()).ok_or_else(missing)
}

impl OidcProvider {
    /// Starts it and waits until it is ready.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(options: Options) -> Self {
        // Seen once in some hundred starts: a node that hangs before its first line.
        for _ in 1..ATTEMPTS {
            if let Ok(started) = tokio::time::timeout(PATIENCE, Self::start_once(&options)).await {
                return started;
            }
        }
        Self::start_once(&options).await
    }

    async fn start_once(options: &Options) -> Self {
        let mut command = Command::new("node");
        command.arg("oidc-provider/server.mjs").current_dir(folder("peers"));
        command.env("PORT", options.port.unwrap_or(0).to_string());
        let durations = [
            ("AT_TTL", options.access_token_lifetime),
            ("RT_TTL", options.refresh_token_lifetime),
            ("DEVICE_TTL", options.device_code_lifetime),
        ];
        for (name, value) in durations {
            value.map(|seconds| command.env(name, seconds.to_string()));
        }
        options.issuer.as_ref().map(|issuer| command.env("ISSUER", issuer));
        options.id_token_algorithm.map(|algorithm| command.env("ID_TOKEN_ALG", algorithm));
        options.assertion_algorithms.map(|algorithms| command.env("ASSERTION_ALGS", algorithms));
        options.resource.map(|(audience, scope)| command.env("RESOURCE", audience).env("RESOURCE_SCOPE", scope));
        let clients = serde_json::to_string(&options.certificate_clients).expect("texts");
        command.env("CERTIFICATE_CLIENTS", clients);
        command.env("ROTATE", if options.without_rotation { "0" } else { "1" });
        let mut process = ServerProcess::start(command);
        let ready: serde_json::Value =
            serde_json::from_str(&process.line(|_| true).await).expect("its first line is JSON");
        let said = |member: &str| ready.get(member).and_then(|text| text.as_str()).expect("it names itself").to_owned();
        Self { issuer: said("issuer"), address: said("address"), _process: process }
    }

    /// Its issuer, `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Where it listens, `127.0.0.1:PORT`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// How often something was asked for: `discovery`, `jwks`, `authorization`, `device_authorization`, `code_verification`,
    /// `userinfo`, `revocation`, `introspection`, `token` (all), `token:refresh_token`, `token:refresh_token:200`...
    pub async fn requests(&self, name: &str) -> u64 {
        self.all_requests().await.get(name).copied().unwrap_or(0)
    }

    /// All counts, by name.
    pub async fn all_requests(&self) -> BTreeMap<String, u64> {
        let reply = http::get(&format!("{}/_test/requests", self.issuer)).await;
        serde_json::from_str(&reply.body).expect("the counts are JSON")
    }

    /// Whether the server still accepts a token (RFC 7662).
    pub async fn introspect(&self, token: &str) -> bool {
        let reply: Reply =
            http::post_as(&format!("{}/token/introspection", self.issuer), &[("token", token)], INTROSPECTOR).await;
        reply.json().get("active").and_then(serde_json::Value::as_bool).expect("an introspection answer says so")
    }
}
