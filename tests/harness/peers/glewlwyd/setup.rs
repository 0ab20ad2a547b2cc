//! What glewlwyd needs before it is a provider: a database from the package's schema, a configuration file, and by its API the
//! plugin instance, scopes, a user and clients.

use std::{fs, path::Path};

use reqwest::{Client, Method, header::HeaderValue};
use serde_json::{Value, json};

use super::{NATIVE_APP, SERVICE_APP, USER};
use crate::{
    http::{self, Reply},
    jose::SigningKey,
};

/// The schema of the Debian package.
pub(super) const SCHEMA: &str = "/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3";

/// All scopes beyond `openid`, which the schema has.
const SCOPES: [&str; 6] = ["profile", "email", "offline_access", "api:read", "api:write", "mail:read"];

/// An access token with this scope may introspect the tokens of others.
pub(super) const INTROSPECTION_SCOPE: &str = "api:write";

/// Writes database and configuration; returns the path of the latter.
pub(super) fn write_files(folder: &Path, port: u16) -> String {
    let database = folder.join("glewlwyd.db");
    let schema = fs::read_to_string(SCHEMA).expect("the package's schema is readable");
    rusqlite::Connection::open(&database).unwrap().execute_batch(&schema).expect("the schema is SQL");
    let configuration = folder.join("glewlwyd.conf");
    fs::write(&configuration, configuration_text(port, &database.display().to_string()))
        .expect("the folder is writable");
    configuration.display().to_string()
}

/// Fills the running server.
pub(super) async fn fill(base: &str, redirect_uris: &[&str]) {
    let admin = Admin::sign_in(base).await;
    admin.post("mod/plugin/", &plugin(base)).await;
    for scope in SCOPES {
        let body = json!({"name": scope, "display_name": scope, "password_required": true, "password_max_age": 0, "scheme": {}});
        admin.post("scope/", &body).await;
    }
    let scopes: Vec<_> = ["g_profile", "openid"].into_iter().chain(SCOPES).collect();
    let (username, password) = USER;
    let user = json!({"username": username, "password": password, "name": "Ada Lovelace", "email": "ada@example.test",
        "scope": scopes, "enabled": true});
    admin.post("user/", &user).await;
    let native = json!({"client_id": NATIVE_APP, "name": "Native app", "confidential": false, "enabled": true,
        "redirect_uri": redirect_uris, "authorization_type": ["code", "refresh_token", "device_authorization"],
        "scope": ["openid"]});
    admin.post("client/", &native).await;
    let (client_id, secret) = SERVICE_APP;
    let service = json!({"client_id": client_id, "name": "Service", "confidential": true, "client_secret": secret,
        "enabled": true, "redirect_uri": [], "authorization_type": ["client_credentials"],
        "token_endpoint_auth_method": ["client_secret_basic", "client_secret_post"], "scope": ["api:read", "api:write"]});
    admin.post("client/", &service).await;
}

/// The administrator's session.
struct Admin<'a> {
    base: &'a str,
    client: Client,
    cookie: HeaderValue,
}

impl<'a> Admin<'a> {
    async fn sign_in(base: &'a str) -> Self {
        let mut admin = Self { base, client: http::client(), cookie: HeaderValue::from_static("") };
        // As the schema has it.
        let reply = admin.post("auth/", &json!({"username": "admin", "password": "password"})).await;
        let cookie = reply.headers.get("set-cookie").and_then(|cookie| cookie.to_str().ok()?.split(';').next());
        admin.cookie = HeaderValue::from_str(cookie.expect("a session starts")).expect("a cookie is a header value");
        admin
    }

    async fn post(&self, path: &str, body: &Value) -> Reply {
        let request =
            self.client.request(Method::POST, format!("{}/{path}", self.base)).header("cookie", self.cookie.clone());
        let reply = http::send(request.header("content-type", "application/json").body(body.to_string())).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        reply
    }
}

fn plugin(base: &str) -> Value {
    let key = SigningKey::generate();
    json!({"module": "oidc", "name": "oidc", "display_name": "OpenID Connect", "parameters": {
        "iss": format!("{base}/oidc"), "oauth-as-iss-id": true, "subject-type": "public", "jwks-show": true,
        "jwt-type": "ecdsa", "jwt-key-size": "256", "key": key.private_pem(), "cert": key.public_pem(),
        "access-token-duration": 3600, "refresh-token-duration": 86400, "code-duration": 60,
        "refresh-token-rolling": true, "refresh-token-one-use": "always", "allow-non-oidc": true,
        "auth-type-code-enabled": true, "auth-type-code-revoke-replayed": true, "auth-type-token-enabled": false,
        "auth-type-id-token-enabled": false, "auth-type-none-enabled": false, "auth-type-password-enabled": false,
        "auth-type-client-enabled": true, "auth-type-device-enabled": true, "auth-type-refresh-enabled": true,
        "device-authorization-expiration": 600, "device-authorization-interval": 5,
        "pkce-allowed": true, "pkce-method-plain-allowed": false,
        "introspection-revocation-allowed": true, "introspection-revocation-allow-target-client": true,
        "introspection-revocation-auth-scope": [INTROSPECTION_SCOPE],
        "name-claim": "mandatory", "email-claim": "mandatory", "scope-claim": "no",
    }})
}

fn configuration_text(port: u16, database: &str) -> String {
    let modules = "/usr/lib/glewlwyd";
    format!(
        r#"port={port}
bind_address="127.0.0.1"
external_url="http://127.0.0.1:{port}"
login_url="login.html"
api_prefix="api"
cookie_secure=0
log_mode="console"
log_level="INFO"
admin_scope="g_admin"
profile_scope="g_profile"
user_module_path="{modules}/user"
client_module_path="{modules}/client"
user_auth_scheme_module_path="{modules}/scheme"
plugin_module_path="{modules}/plugin"
hash_algorithm="SHA512"
database = {{ type = "sqlite3" path = "{database}" }};
"#
    )
}
