//! Scenarios as data (tests/peers/msal/scenarios.toml): applications, steps, what the platform is planned to answer, what each
//! step gives. This file owns reading them; `play` runs one with a peer, on a fresh platform.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};
use token_broker_tests::{
    clock::ManualClock,
    entra::{Application, Entra, Place, Recorded},
    folder,
    user::User,
};

use super::{broker::Broker, differences::fits, python::Python};

/// When every scenario begins, in Unix seconds.
const BEGIN: u64 = 1_800_000_000;
/// How long a step may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// `client_id` of an application that names none.
const CLIENT_ID: &str = "c1d00000-0000-4000-8000-000000000001";

/// A scenario as it stands in the file.
#[derive(Debug)]
pub(super) struct Scenario {
    pub(super) name: String,
    facts: Value,
}

/// Who plays it.
pub(super) enum Peer<'a> {
    /// MSAL Python, in its one process.
    Msal(&'a mut Python),
    /// A daemon of its own, and the command line.
    Broker,
}

/// What came of it.
pub(super) struct Played {
    /// What each step gave.
    pub(super) outcomes: Vec<String>,
    /// What each step should have given.
    pub(super) expected: Vec<String>,
    /// What the platform was asked, in order.
    pub(super) requests: Vec<Recorded>,
}

/// The stage of one run.
pub(super) struct Stage {
    pub(super) clock: ManualClock,
    pub(super) entra: Arc<Entra>,
    pub(super) user: User,
    /// What the browser brought to the web application.
    pub(super) brought: Mutex<BTreeMap<String, String>>,
    /// The user assertions of the scenario: the same one comes again until a step names another.
    assertions: Mutex<BTreeMap<String, String>>,
}

impl Scenario {
    /// All of the file, in its order.
    pub(super) fn all() -> Vec<Self> {
        let text = std::fs::read_to_string(folder("peers/msal/scenarios.toml")).expect("the scenarios");
        let file: Value = toml::from_str(&text).expect("the scenarios are TOML");
        let scenarios = file["scenario"].as_array().expect("there are some");
        let named = |facts: &Value| Self { name: text_of(facts, "name").to_owned(), facts: facts.clone() };
        scenarios.iter().map(named).collect()
    }

    /// A fault of MSAL that the scenario shows, if it says one.
    pub(super) fn fault(&self) -> Option<&str> {
        self.facts.get("fault").and_then(Value::as_str)
    }

    /// Runs it; after a step that gave something else than it should the rest is left out.
    pub(super) async fn play(&self, peer: Peer<'_>) -> Played {
        let clock = ManualClock::at(BEGIN);
        let entra = Arc::new(Entra::start(&clock));
        let user = User::named("ada").with_client(entra.browser());
        let stage = Stage { clock, entra, user, brought: Mutex::default(), assertions: Mutex::default() };
        let applications = self.applications(&stage.entra);
        let (side, mut player) = match peer {
            Peer::Msal(python) => ("msal", Player::Msal(python)),
            Peer::Broker => ("broker", Player::Broker(Box::new(Broker::start(&stage).await))),
        };
        let mut opening = json!({"do": "open", "applications": applications, "gives": "registered"});
        for name in ["gives", "msal", "broker", "plan"] {
            if let Some(value) = self.facts.get(name) {
                opening[name] = value.clone();
            }
        }
        let none = Vec::new();
        let steps = self.facts.get("steps").and_then(Value::as_array).unwrap_or(&none);
        let (mut outcomes, mut expected) = (Vec::new(), Vec::new());
        for step in [&opening].into_iter().chain(steps) {
            stage.prepare(step);
            let should = step.get(side).unwrap_or(&step["gives"]).as_str().expect("what it gives");
            outcomes.push(player.step(&stage, step).await);
            expected.push(should.to_owned());
            if !outcomes.last().is_some_and(|gave| fits(should, gave)) {
                break;
            }
        }
        Played { outcomes, expected, requests: stage.entra.requests() }
    }

    /// The applications with all their facts, registered at the platform.
    fn applications(&self, entra: &Entra) -> Value {
        let mut all = self.facts.get("applications").cloned().unwrap_or_else(|| json!({"app": {}}));
        for facts in all.as_object_mut().expect("a table").values_mut() {
            let facts = facts.as_object_mut().expect("a table");
            facts.entry("client_id").or_insert_with(|| CLIENT_ID.into());
            if !facts.contains_key("issuer") {
                facts.entry("authority").or_insert_with(|| "https://login.microsoftonline.com/common".into());
            }
            let known = |name: &str| facts.get(name).and_then(Value::as_str).map(str::to_owned);
            let certificate = facts.get("certificate").map(|_| certificate());
            entra.register(Application {
                client_id: known("client_id").unwrap_or_default(),
                secret: known("registered_secret").or_else(|| known("secret")),
                certificate: certificate.as_ref().map(|path| std::fs::read_to_string(path).expect("it is there")),
                is_family: facts.remove("family") == Some(Value::Bool(true)),
            });
            facts.remove("registered_secret");
            if let Some(path) = certificate {
                facts.insert("certificate".to_owned(), path.to_str().expect("a path that is text").into());
            }
        }
        all
    }
}

enum Player<'a> {
    Msal(&'a mut Python),
    Broker(Box<Broker>),
}

impl Player<'_> {
    /// Plays a step; what does not come to an end is an outcome, too.
    async fn step(&mut self, stage: &Stage, step: &Value) -> String {
        let played = async {
            match self {
                Self::Msal(python) => python.step(stage, step).await,
                Self::Broker(broker) => broker.step(stage, step).await,
            }
        };
        let outcome = tokio::time::timeout(PATIENCE, played).await;
        if let (Err(_), Self::Msal(python)) = (&outcome, self) {
            python.restart();
        }
        outcome.unwrap_or_else(|_| format!("nothing within {} s", PATIENCE.as_secs()))
    }
}

impl Stage {
    /// Lets the time pass that the step begins with, and plans what the platform answers to it.
    fn prepare(&self, step: &Value) {
        self.clock.advance(Duration::from_secs(step.get("after").and_then(Value::as_u64).unwrap_or(0)));
        for plan in step.get("plan").and_then(Value::as_array).into_iter().flatten() {
            let place = Place::named(plan.get("at").and_then(Value::as_str).unwrap_or("token")).expect("a place");
            self.entra.plan(place, plan.clone());
        }
    }

    /// Waits until the platform has been asked this often for this kind of request: what happens in the background.
    pub(super) async fn asked(&self, step: &Value) -> String {
        let often = step["requests"].as_u64().expect("how often");
        let kind = text_of(step, "kind");
        let count = |requests: &[Recorded]| requests.iter().filter(|request| request.kind() == kind).count() as u64;
        self.entra.until(|requests| count(requests) >= often).await;
        "asked".to_owned()
    }

    /// The scripted user opens the address as often as the step says, and ends on the page that shows the outcome; or is on the
    /// way to a web application, and what would be brought there is kept.
    pub(super) async fn browse(&self, url: &str, step: &Value) {
        if let Some(web_app) = step.get("redirect_uri").and_then(Value::as_str) {
            let brought = self.user.brought_to(url, web_app).await;
            *self.brought.lock().unwrap() = brought.into_iter().collect();
            return;
        }
        for _ in 0..step.get("opens").and_then(Value::as_u64).unwrap_or(1) {
            self.user.sign_in(url).await;
        }
    }
}

impl Stage {
    /// The assertion that a client sends: of the user `of` (or the very text `assertion`), for the service `audience`, good for
    /// `lifetime` seconds.
    pub(super) fn assertion(&self, step: &Value) -> String {
        if let Some(given) = step.get("assertion").and_then(Value::as_str) {
            return given.to_owned();
        }
        let audience = step.get("audience").and_then(Value::as_str).unwrap_or(CLIENT_ID);
        let lifetime = step.get("lifetime").and_then(Value::as_i64).unwrap_or(3600);
        let name = format!("{} {audience} {lifetime} {}", text_of(step, "of"), text_of(step, "another"));
        let made = || self.entra.user_assertion(text_of(step, "of"), audience, lifetime);
        self.assertions.lock().unwrap().entry(name).or_insert_with(made).clone()
    }

    /// What the web application is brought, with the members of the step's `with` over it.
    pub(super) fn brought(&self, step: &Value) -> BTreeMap<String, String> {
        let mut brought = self.brought.lock().unwrap().clone();
        for (name, value) in step.get("with").and_then(Value::as_object).into_iter().flatten() {
            brought.insert(name.clone(), value.as_str().expect("text").to_owned());
        }
        brought
    }
}

/// Key and certificate of the applications that have one.
fn certificate() -> PathBuf {
    folder("peers/msal/application.pem")
}

/// A member that is text; empty when it is not there.
pub(super) fn text_of<'a>(facts: &'a Value, name: &str) -> &'a str {
    facts.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The scopes of a step.
pub(super) fn scopes_of(facts: &Value) -> Vec<String> {
    let listed = facts.get("scopes").and_then(Value::as_array);
    listed.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}
