//! The protocol: who is registered, what was issued, and the answer to each request. Codes, tokens and devices are numbered from
//! one, so that two clients that ask for the same things in the same order are given the same words.

mod assertion;
mod authorize;
mod device;
mod issue;
mod key_bound;
pub(super) mod realm;
pub(super) mod refusal;
mod scope;
mod token;
mod users;

use std::collections::HashMap;

pub use realm::{CONTOSO, FABRIKAM, PERSONAL};
use serde_json::Value;
use token_broker::ports::Clock as _;
pub use users::USER_CREDENTIAL;

use self::{authorize::IssuedCode, device::Device, issue::SigningKey, realm::Realm};
use super::{Place, federation::Issued};
use crate::{
    authorization_server::wire::{Answer, Params},
    clock::ManualClock,
};

/// A registered application.
#[derive(Debug, Clone, Default)]
pub struct Application {
    /// `client_id`.
    pub client_id: String,
    /// Its secret, if it has one.
    pub secret: Option<String>,
    /// Key and certificate in PEM, if it signs assertions; the key is read for its public half.
    pub certificate: Option<String>,
    /// Whether it belongs to the family of Microsoft's own clients.
    pub is_family: bool,
}

impl Application {
    fn is_confidential(&self) -> bool {
        self.secret.is_some() || self.certificate.is_some()
    }
}

/// A request, taken apart.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) place: Place,
    pub(super) host: &'a str,
    /// The tenant part of the path.
    pub(super) tenant: &'a str,
    /// Of query and form.
    pub(super) parameters: Params,
    pub(super) correlation_id: String,
    /// What a test has planned for it; `Null` for nothing.
    pub(super) plan: Value,
}

/// Who signed in, to what.
#[derive(Debug, Clone)]
struct Session {
    client_id: String,
    username: String,
    nonce: String,
    scope: String,
    auth_time: i64,
}

/// What a refresh token stands for: a user and a client, or the family of clients; any tenant, any scope.
#[derive(Debug)]
struct Grant {
    session: Session,
    is_family: bool,
}

/// The state of the platform.
#[derive(Debug)]
pub(super) struct Directory {
    clock: ManualClock,
    key: SigningKey,
    applications: HashMap<String, Application>,
    codes: HashMap<String, IssuedCode>,
    grants: HashMap<String, Grant>,
    devices: HashMap<String, Device>,
    /// What federation servers have issued and nobody has used.
    assertions: Vec<Issued>,
    used_assertions: usize,
    issued: HashMap<&'static str, usize>,
}

impl Directory {
    pub(super) fn new(clock: ManualClock) -> Self {
        Self {
            clock,
            key: SigningKey::of_the_tests(),
            applications: HashMap::new(),
            codes: HashMap::new(),
            grants: HashMap::new(),
            devices: HashMap::new(),
            assertions: Vec::new(),
            used_assertions: 0,
            issued: HashMap::new(),
        }
    }

    pub(super) fn register(&mut self, application: Application) {
        self.applications.insert(application.client_id.clone(), application);
    }

    pub(super) fn answer(&mut self, asked: &Asked) -> Answer {
        if let Some(answer) = refusal::raw(&asked.plan) {
            return answer;
        }
        // An error at the authorization endpoint goes back by redirect.
        if asked.plan.get("error").is_some() && asked.place != Place::Authorize {
            return refusal::answer(&asked.plan, &asked.correlation_id);
        }
        match asked.place {
            Place::Instance => return realm::instance(asked),
            Place::UserRealm if realm::is_cloud(asked.host) => return Self::user_realm(asked),
            Place::UserRealm | Place::Mex | Place::Trust => return Answer::empty(404),
            Place::Metadata | Place::Keys | Place::Authorize | Place::Token | Place::Device => {}
        }
        let Some(realm) = Realm::find(asked.host, asked.tenant) else {
            let description =
                format!("Tenant '{}' not found. Check to make sure you have the correct tenant ID.", asked.tenant);
            let plan = serde_json::json!({"error": "invalid_tenant", "codes": [90002], "description": description});
            return refusal::answer(&plan, &asked.correlation_id);
        };
        let answer = match asked.place {
            Place::Instance | Place::Metadata | Place::UserRealm | Place::Mex | Place::Trust => Ok(realm.metadata()),
            Place::Keys => Ok(self.key.published()),
            Place::Authorize => Ok(self.authorize(asked)),
            Place::Device => self.begin_device(asked, &realm),
            Place::Token => self.token(asked, &realm),
        };
        answer.unwrap_or_else(|plan| refusal::answer(&plan, &asked.correlation_id))
    }

    pub(super) fn now(&self) -> i64 {
        self.clock.now().seconds()
    }

    /// `WORD-1`, `WORD-2`...
    fn numbered(&mut self, word: &'static str) -> String {
        let number = self.issued.entry(word).or_default();
        *number += 1;
        format!("{word}-{number}")
    }

    fn application(&self, client_id: &str) -> Result<&Application, Value> {
        match self.applications.get(client_id) {
            Some(application) => Ok(application),
            None => refusal::refuse("unauthorized_client", 700_016, "Application was not found in the directory."),
        }
    }
}
