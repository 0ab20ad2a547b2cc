//! How the server behaves: its clients, lifetimes, clock, and the claims and metadata that a test bends.

use std::{fmt, sync::Arc, time::Duration};

use serde_json::{Map, Value};
use token_broker::ports::{Clock, clock::SystemClock};

/// Settings; all can be changed while it runs but port and clock.
#[derive(Clone)]
pub struct Options {
    /// Port of 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// Says when a token ends.
    pub clock: Arc<dyn Clock>,
    /// Who may ask.
    pub clients: Vec<Client>,
    /// Known scopes; others are left out of what is granted.
    pub scopes: Vec<String>,
    /// Signs this user in at once, without a page.
    pub auto_sign_in: Option<String>,
    /// Everybody's password, for the password grant.
    pub password: String,
    /// Lifetime of access tokens.
    pub access_token_lifetime: Duration,
    /// Lifetime of refresh tokens.
    pub refresh_token_lifetime: Duration,
    /// A refresh token is replaced at each use; using the old one again revokes the grant.
    pub rotation: bool,
    /// Lifetime of device codes.
    pub device_code_lifetime: Duration,
    /// Seconds between polls.
    pub device_interval: u64,
    /// The resource that access tokens are for: they are then JWTs (RFC 9068) that say so. Without one they are opaque.
    pub audience: Option<String>,
    /// Whether the redirect carries `iss` (RFC 9207) and the metadata say so.
    pub iss_in_redirect: bool,
    /// Members that replace those of the metadata; `null` removes one.
    pub metadata: Map<String, Value>,
    /// Claims that replace those of every id token; `null` removes one.
    pub id_token_claims: Map<String, Value>,
}

/// A registered client.
#[derive(Debug, Clone)]
pub struct Client {
    /// `client_id`.
    pub id: String,
    /// Its secret; none for a public client.
    pub secret: Option<String>,
    /// Whether a client assertion (RFC 7523) will do in place of the secret; which one, the test looks at.
    pub assertion: bool,
    /// Where it may be redirected to; at a loopback address any port will do.
    pub redirect_uris: Vec<String>,
}

impl Client {
    /// A client without a secret, redirected to `/` or `/cb` at any loopback address.
    #[must_use]
    pub fn native(id: &str) -> Self {
        let hosts = ["127.0.0.1", "localhost", "[::1]"];
        let redirect_uris =
            hosts.iter().flat_map(|host| [format!("http://{host}/"), format!("http://{host}/cb")]).collect();
        Self { id: id.to_owned(), secret: None, assertion: false, redirect_uris }
    }

    /// The same with a secret, which may come by HTTP Basic or in the body.
    #[must_use]
    pub fn confidential(id: &str, secret: &str) -> Self {
        Self { secret: Some(secret.to_owned()), ..Self::native(id) }
    }
}

impl Default for Options {
    /// The real clock, rotation, an hour for access tokens, and the clients `native-app`, `confidential-app` and `service-app`
    /// (with secrets `confidential secret: +/%&=?~` and `service secret: +/%&=?~`).
    fn default() -> Self {
        let scopes = ["openid", "profile", "email", "offline_access", "api:read", "api:write", "mail:read"];
        Self {
            port: 0,
            clock: Arc::new(SystemClock),
            clients: vec![
                Client::native("native-app"),
                Client::confidential("confidential-app", "confidential secret: +/%&=?~"),
                Client::confidential("service-app", "service secret: +/%&=?~"),
            ],
            scopes: scopes.map(str::to_owned).to_vec(),
            auto_sign_in: None,
            password: "correct horse: +/%&=?~".to_owned(),
            access_token_lifetime: Duration::from_secs(3600),
            refresh_token_lifetime: Duration::from_secs(14 * 86_400),
            rotation: true,
            device_code_lifetime: Duration::from_secs(600),
            device_interval: 5,
            audience: None,
            iss_in_redirect: true,
            metadata: Map::new(),
            id_token_claims: Map::new(),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("port", &self.port).field("scopes", &self.scopes).finish_non_exhaustive()
    }
}
