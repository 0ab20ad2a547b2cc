//! HTTP to the authorization server of the simulation: every exchange waits for its turn before it is processed and again before
//! its answer comes back, and the seed says what goes wrong on the way.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};
use token_broker::{
    model::{HttpRequest, HttpResponse},
    ports::{Http, http::HttpError},
};
use token_broker_proto::Secret;
use token_broker_tests::jose::SigningKey;
use url::form_urlencoded;

use super::{
    journal::{Holder, Journal},
    ledger::{Ledger, Name, Presented},
    stage::{Random, Stage},
};

/// The issuer of the simulation.
pub(super) const ISSUER: &str = "https://id.example";

/// The connection to it.
pub(super) struct ScriptedProvider {
    pub(super) stage: Arc<Stage>,
    pub(super) ledger: Arc<Mutex<Ledger>>,
    pub(super) journal: Arc<Journal>,
    pub(super) key: Arc<SigningKey>,
}

/// What goes wrong with an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    Unreachable,
    LostBefore,
    LostAfter,
    LateBefore,
    LateAfter,
    TooMany,
    Outage,
    Truncated,
    Revoked,
}

const FAULTS: [Fault; 9] = [
    Fault::Unreachable,
    Fault::LostBefore,
    Fault::LostAfter,
    Fault::LateBefore,
    Fault::LateAfter,
    Fault::TooMany,
    Fault::Outage,
    Fault::Truncated,
    Fault::Revoked,
];

type Form = HashMap<String, String>;

impl Http for ScriptedProvider {
    fn send(&self, request: HttpRequest) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + '_>> {
        let path = request.uri().path().to_owned();
        let mut form: Form = form_urlencoded::parse(request.body().expose().as_bytes()).into_owned().collect();
        if let Some(id) = request.headers().get("client-request-id").and_then(|id| id.to_str().ok()) {
            form.insert("correlation".to_owned(), id.to_owned());
        }
        Box::pin(self.exchange(path, form))
    }
}

impl ScriptedProvider {
    async fn exchange(&self, path: String, form: Form) -> Result<HttpResponse, HttpError> {
        let presented = form.get("refresh_token").or_else(|| form.get("token"));
        let whose = presented.and_then(|token| self.ledger.lock().unwrap().holder(token));
        let expected = form.get("correlation").and_then(|id| self.ledger.lock().unwrap().expected.get(id).copied());
        let whose = whose.or(expected);
        let is_refresh = form.get("grant_type").is_some_and(|kind| kind == "refresh_token");
        let _aloft = whose.filter(|_| is_refresh).map(|holder| Aloft::new(&self.journal, holder));
        let shown = format!("{path} {}", presented.map_or("", String::as_str));
        let luck = self.stage.turn(format!("{shown} arrives"), whose).await;
        let fault = if luck.percent(25) { luck.pick(&FAULTS) } else { Fault::None };
        if fault != Fault::None {
            self.stage.say(format!("{shown}: {fault:?}"));
        }
        self.before(fault, presented)?;
        let (status, body, issued) = match fault {
            Fault::TooMany => (429, json!({}).to_string(), None),
            Fault::Outage => (503, "<html>".to_owned(), None),
            _ => self.answer(&path, &form, &luck),
        };
        let mut parcel = Parcel { ledger: Arc::clone(&self.ledger), issued };
        self.stage.turn(format!("{shown} is answered: {status}"), whose).await;
        match fault {
            Fault::LostAfter => Err(HttpError::Interrupted("the connection broke".to_owned())),
            Fault::LateAfter => Err(timeout()),
            Fault::Truncated => Ok(response(status, &body[..body.len() / 2])),
            _ => {
                parcel.issued = None;
                Ok(response(status, &body))
            }
        }
    }

    /// What goes wrong before the server does anything.
    fn before(&self, fault: Fault, presented: Option<&String>) -> Result<(), HttpError> {
        match fault {
            Fault::Unreachable => Err(HttpError::Connect("no route".to_owned())),
            Fault::LostBefore => Err(HttpError::Interrupted("the connection broke".to_owned())),
            Fault::LateBefore => Err(timeout()),
            Fault::Revoked => {
                if let Some(token) = presented {
                    self.ledger.lock().unwrap().revoke(token);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

fn timeout() -> HttpError {
    HttpError::Timeout { host: "id.example".to_owned(), limit: Duration::from_secs(30) }
}

fn response(status: u16, body: &str) -> HttpResponse {
    let builder = http::Response::builder().status(status).header("content-type", "application/json");
    builder.header("retry-after", "2").body(Secret::new(body)).unwrap()
}

/// An answer on its way: with tokens that nobody has seen if it does not arrive.
struct Parcel {
    ledger: Arc<Mutex<Ledger>>,
    issued: Option<usize>,
}

impl Drop for Parcel {
    fn drop(&mut self) {
        if let Some(family) = self.issued {
            self.ledger.lock().unwrap().families[family].lost = true;
        }
    }
}

/// A refresh that is under way.
struct Aloft(Arc<Journal>, Holder);

impl Aloft {
    fn new(journal: &Arc<Journal>, holder: Holder) -> Self {
        journal.takes_off(holder);
        Self(Arc::clone(journal), holder)
    }
}

impl Drop for Aloft {
    fn drop(&mut self) {
        self.0.lands(self.1);
    }
}

/// Status, body, and the family whose new refresh token the body holds.
type Answer = (u16, String, Option<usize>);

impl ScriptedProvider {
    fn answer(&self, path: &str, form: &Form, luck: &Random) -> Answer {
        let said = |value: Value| (200, value.to_string(), None);
        match path {
            "/.well-known/openid-configuration" => said(json!({
                "issuer": ISSUER,
                "token_endpoint": format!("{ISSUER}/token"),
                "device_authorization_endpoint": format!("{ISSUER}/device"),
                "revocation_endpoint": format!("{ISSUER}/revoke"),
                "jwks_uri": format!("{ISSUER}/jwks"),
            })),
            "/jwks" => said(json!({ "keys": [self.key.jwk()] })),
            "/device" => self.device(form),
            "/revoke" => {
                form.get("token").into_iter().for_each(|token| self.ledger.lock().unwrap().revoke(token));
                said(json!({}))
            }
            "/token" if form["grant_type"] == "refresh_token" => self.refresh(form, luck),
            "/token" => self.poll(form, luck),
            _ => (404, String::new(), None),
        }
    }

    fn device(&self, form: &Form) -> Answer {
        let begun = form.get("correlation").and_then(|id| self.ledger.lock().unwrap().begin_device(id));
        let Some(device) = begun else { return refused("invalid_request") };
        let code = json!({
            "device_code": format!("dc-{device}"),
            "user_code": "ABCD",
            "verification_uri": format!("{ISSUER}/enter"),
            "expires_in": 900,
            "interval": 1,
        });
        (200, code.to_string(), None)
    }

    fn poll(&self, form: &Form, luck: &Random) -> Answer {
        if luck.percent(40) {
            return refused("authorization_pending");
        }
        let device = form["device_code"].trim_start_matches("dc-").parse().unwrap();
        let entered = self.ledger.lock().unwrap().enter(device, luck.percent(85), luck.percent(50));
        entered.map_or_else(|| refused("invalid_grant"), |name| self.issue(name, true, luck, true))
    }

    fn refresh(&self, form: &Form, luck: &Random) -> Answer {
        let token = &form["refresh_token"];
        let presented = self.ledger.lock().unwrap().present(token);
        match presented {
            Presented::Issued { name, rotated } => self.issue(name, rotated, luck, false),
            Presented::Refused { reuse } => {
                if reuse {
                    self.journal.violation(format!("the provider saw {token} twice"));
                }
                refused("invalid_grant")
            }
        }
    }

    fn issue(&self, name: Name, rotated: bool, luck: &Random, signs_in: bool) -> Answer {
        let holder = self.ledger.lock().unwrap().families[name.family].holder;
        let now = self.stage.now().seconds();
        let lifetime = luck.pick(&[5, 60, 600, 3600]);
        let mut tokens = json!({
            "access_token": name.access_token(),
            "token_type": "Bearer",
            "expires_in": lifetime,
            "scope": "openid api",
        });
        if rotated {
            tokens["refresh_token"] = json!(name.refresh_token());
        }
        if signs_in || luck.percent(10) {
            let claims = json!({
                "iss": ISSUER, "aud": holder.client, "sub": holder.user, "preferred_username": holder.user,
                "iat": now, "exp": now + 600,
            });
            tokens["id_token"] = json!(self.key.sign(&claims));
        }
        (200, tokens.to_string(), rotated.then_some(name.family))
    }
}

fn refused(error: &str) -> Answer {
    (400, json!({ "error": error }).to_string(), None)
}
