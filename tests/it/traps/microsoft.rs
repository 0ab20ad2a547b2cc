//! Microsoft's endpoints as a double of the HTTP port: answers by rule, or as a test plans the next answer of the token endpoint,
//! and keeps every request. Tenants are told apart by the path, users by the refresh token's name.

use std::{
    collections::{BTreeMap, VecDeque},
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use token_broker::{
    model::{HttpRequest, HttpResponse},
    ports::{
        Clock as _,
        http::{Http, HttpError},
    },
};
use token_broker_proto::Secret;
use token_broker_tests::{clock::ManualClock, jose, jose::SigningKey};
use tokio::sync::{Notify, watch};
use url::form_urlencoded;

/// The tenant that `contoso.com` is.
pub(super) const CONTOSO: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
/// The user's object id.
pub(super) const USER: &str = "11111111-0000-4000-8000-000000000001";

/// A request that came.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) host: String,
    pub(super) path: String,
    pub(super) form: BTreeMap<String, String>,
    pub(super) headers: BTreeMap<String, String>,
}

/// What the next token request meets.
pub(super) enum Plan {
    /// This answer instead of tokens.
    Refuse(u16, Value),
    /// The usual tokens with these members over them; `null` removes one.
    With(Value),
    /// The usual tokens, once the test says so.
    Hold(Arc<Notify>),
    /// No connection.
    Vanish,
    /// A connection that breaks after the request.
    Lose,
}

/// The double.
pub(super) struct Microsoft {
    key: SigningKey,
    clock: ManualClock,
    seen: watch::Sender<Vec<Seen>>,
    plans: Mutex<VecDeque<Plan>>,
    /// What the machine says of where it is; until then it does not answer.
    located: Mutex<Option<Value>>,
}

impl Microsoft {
    pub(super) fn new(clock: ManualClock) -> Self {
        Self {
            key: SigningKey::generate(),
            clock,
            seen: watch::Sender::default(),
            plans: Mutex::default(),
            located: Mutex::default(),
        }
    }

    /// What the machine says of where it is.
    pub(super) fn locate(&self, document: Value) {
        *self.located.lock().unwrap() = Some(document);
    }

    /// The next token request meets this; several form a queue.
    pub(super) fn plan(&self, plan: Plan) {
        self.plans.lock().unwrap().push_back(plan);
    }

    /// The requests to the token endpoint with this grant type, in order.
    pub(super) fn asked(&self, grant_type: &str) -> Vec<Seen> {
        let of_type = |seen: &&Seen| seen.form.get("grant_type").is_some_and(|it| it.ends_with(grant_type));
        self.seen.borrow().iter().filter(of_type).cloned().collect()
    }

    /// The requests whose path ends so.
    pub(super) fn visited(&self, end: &str) -> Vec<Seen> {
        self.seen.borrow().iter().filter(|seen| seen.path.ends_with(end)).cloned().collect()
    }

    /// Resolves once this many refreshes have come.
    pub(super) async fn refreshes(&self, count: usize) {
        let is_refresh = |seen: &&Seen| seen.form.get("grant_type").is_some_and(|it| it == "refresh_token");
        let mut seen = self.seen.subscribe();
        seen.wait_for(|all| all.iter().filter(is_refresh).count() >= count).await.expect("the double lives");
    }

    async fn answer(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let seen = record(&request);
        self.seen.send_modify(|all| all.push(seen.clone()));
        let realm = match seen.path.trim_start_matches('/').split('/').next() {
            Some("contoso.com") => CONTOSO.to_owned(),
            other => other.unwrap_or_default().to_owned(),
        };
        let (status, body) = match seen.path.rsplit('/').next() {
            Some("openid-configuration") if realm == "nowhere.example" => (400, json!({ "error": "invalid_tenant" })),
            Some("openid-configuration") => (200, metadata(&seen.host, &realm)),
            Some("instance") if seen.path.ends_with("discovery/instance") => {
                (400, json!({ "error": "invalid_instance" }))
            }
            Some("compute") => {
                let located = self.located.lock().unwrap().clone();
                match located {
                    Some(document) => (200, document),
                    None => std::future::pending().await,
                }
            }
            Some("keys") => (200, json!({ "keys": [self.key.jwk()] })),
            Some("devicecode") => (200, device_code()),
            _ => self.tokens(&seen, &realm).await?,
        };
        Ok(http::Response::builder().status(status).body(Secret::new(body.to_string())).expect("an answer"))
    }

    async fn tokens(&self, seen: &Seen, realm: &str) -> Result<(u16, Value), HttpError> {
        let plan = self.plans.lock().unwrap().pop_front();
        let mut tokens = self.usual(seen, realm);
        match plan {
            None => {}
            Some(Plan::Refuse(status, body)) => return Ok((status, body)),
            Some(Plan::Vanish) => return Err(HttpError::Connect("the network is away".to_owned())),
            Some(Plan::Lose) => return Err(HttpError::Interrupted("the connection broke".to_owned())),
            Some(Plan::Hold(gate)) => gate.notified().await,
            Some(Plan::With(members)) => {
                for (name, value) in members.as_object().expect("members") {
                    tokens[name] = value.clone();
                }
            }
        }
        Ok((200, tokens))
    }

    /// Numbered tokens for the scopes that were asked for.
    fn usual(&self, seen: &Seen, realm: &str) -> Value {
        let number = self.seen.borrow().len();
        let now = self.clock.now().seconds();
        let scopes = seen.form.get("scope").cloned().unwrap_or_else(|| "User.Read openid profile".to_owned());
        let tenant = if realm.len() == 36 { realm } else { CONTOSO };
        let claims = json!({
            "iss": format!("https://login.microsoftonline.com/{tenant}/v2.0"), "tid": tenant, "sub": "pairwise", "oid": USER,
            "aud": seen.form.get("client_id"), "iat": now, "nbf": now, "exp": now + 3600,
            "preferred_username": "ada@contoso.com", "name": "Ada",
        });
        let mut tokens = json!({
            "token_type": "Bearer", "scope": scopes, "expires_in": 3600, "ext_expires_in": 3600,
            "access_token": format!("at-{number}"),
        });
        if seen.form.get("grant_type").is_some_and(|grant| grant != "client_credentials") {
            tokens["refresh_token"] = json!(format!("rt-{number}"));
            tokens["id_token"] = json!(self.key.sign(&claims));
            tokens["client_info"] = json!(jose::encode(&json!({ "uid": USER, "utid": CONTOSO }).to_string()));
        }
        tokens
    }

    /// An ID token that answers this nonce.
    pub(super) fn id_token(&self, nonce: &str) -> Value {
        let now = self.clock.now().seconds();
        json!(self.key.sign(&json!({
            "iss": format!("https://login.microsoftonline.com/{CONTOSO}/v2.0"), "tid": CONTOSO, "sub": "pairwise",
            "oid": USER, "aud": "client-1", "iat": now, "exp": now + 3600, "nonce": nonce, "auth_time": now - 600,
            "preferred_username": "ada@contoso.com",
        })))
    }
}

impl Http for Microsoft {
    fn send(&self, request: HttpRequest) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + '_>> {
        Box::pin(self.answer(request))
    }
}

fn record(request: &HttpRequest) -> Seen {
    let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    Seen {
        host: request.uri().host().unwrap_or_default().to_owned(),
        path: request.uri().path().to_owned(),
        form: form_urlencoded::parse(request.body().expose().as_bytes()).into_owned().collect(),
        headers: request.headers().iter().map(header).collect(),
    }
}

fn metadata(host: &str, realm: &str) -> Value {
    let issuer = if realm.len() == 36 { realm } else { "{tenantid}" };
    let at = |path: &str| format!("https://{host}/{realm}{path}");
    json!({
        "issuer": format!("https://login.microsoftonline.com/{issuer}/v2.0"),
        "authorization_endpoint": at("/oauth2/v2.0/authorize"),
        "token_endpoint": at("/oauth2/v2.0/token"),
        "device_authorization_endpoint": at("/oauth2/v2.0/devicecode"),
        "jwks_uri": at("/discovery/v2.0/keys"),
    })
}

fn device_code() -> Value {
    json!({
        "device_code": "device-code", "user_code": "ABCD-EFGH", "expires_in": "900", "interval": "5",
        "verification_uri": "https://microsoft.com/devicelogin", "message": "for people",
    })
}
