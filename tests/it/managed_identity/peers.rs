//! The real libraries as judges: MSAL Python and azure-identity get a token from each source of the double, and so does the broker;
//! their requests are the same but for what `tests/peers/msal/managed_identity.toml` lists.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    process::Stdio,
    sync::Arc,
};

use serde_json::{Value, json};
use token_broker::ports::clock::SystemClock;
use token_broker_client::{
    calls::{NewApplication, TokenRequest},
    oauth::{Claims, ManagedIdentityId, ManagedIdentitySource},
};
use token_broker_tests::{
    daemon::{Options, TestDaemon},
    folder,
    managed_identity::{Asked, Host},
    requirements::{Missing, require},
    within,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use super::{managed, request};

/// A claims challenge as a resource sends it.
const CLAIMS: &str = r#"{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}"#;
/// Headers of the connection and of the HTTP library; they say nothing to the source.
const TRANSPORT: [&str; 5] = ["host", "user-agent", "accept-encoding", "connection", "content-length"];

/// A token that both sides want.
struct Case {
    source: ManagedIdentitySource,
    id: ManagedIdentityId,
    /// And after it another one, for a claims challenge, by a client that is capable of that.
    challenged: bool,
}

impl Case {
    /// Every source, with every kind of id that it takes.
    fn all() -> Vec<Self> {
        let text = "11111111-2222-3333-4444-555555555555";
        let ids = || {
            let client = ManagedIdentityId::from_client_id(text).expect("an id");
            let object = ManagedIdentityId::from_object_id(text).expect("an id");
            let resource =
                "/subscriptions/s/resourcegroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i";
            let resource = ManagedIdentityId::from_resource_id(resource).expect("an id");
            [ManagedIdentityId::SystemAssigned, client, resource, object]
        };
        let mut cases = Vec::new();
        for source in ManagedIdentitySource::ALL {
            let has_one = matches!(source, ManagedIdentitySource::ServiceFabric | ManagedIdentitySource::CloudShell);
            let ids = ids().into_iter().take(if has_one { 1 } else { 4 });
            cases.extend(ids.map(|id| Self { source, id, challenged: false }));
        }
        for source in [ManagedIdentitySource::ServiceFabric, ManagedIdentitySource::AppService] {
            cases.push(Self { source, id: ManagedIdentityId::SystemAssigned, challenged: true });
        }
        cases
    }

    fn told(&self, library: &str, host: &Host) -> Value {
        let identity = match &self.id {
            ManagedIdentityId::SystemAssigned => json!({}),
            ManagedIdentityId::ClientId(id) => json!({ "client_id": id.as_str() }),
            ManagedIdentityId::ResourceId(id) => json!({ "resource_id": id.as_str() }),
            ManagedIdentityId::ObjectId(id) => json!({ "object_id": id.as_str() }),
        };
        // azure-identity cannot say what its client is capable of.
        let capabilities = if self.challenged && library == "msal" { json!(["cp1"]) } else { json!([]) };
        json!({
            "library": library, "source": self.source.as_str(), "identity": identity, "capabilities": capabilities,
            "claims": if self.challenged { CLAIMS } else { "" },
            "environment": host.environment(self.source).variables(), "arc_keys": host.keys(),
        })
    }

    /// What the broker asks; `capable` as the library is.
    async fn by_broker(&self, capable: bool) -> Vec<Asked> {
        let host = Host::start(Arc::new(SystemClock)).await;
        let machine = Arc::new(host.environment(self.source));
        let daemon = TestDaemon::start(Options { machine, ..Options::default() }).await;
        let client = daemon.client();
        let client_capabilities = if capable { vec!["cp1".to_owned()] } else { Vec::new() };
        let new = NewApplication { client_capabilities, ..managed("vm", self.id.clone(), None) };
        client.add_application(&new).await.expect("registered");
        let mut tokens = vec![client.token(&request("vm")).await.expect("a token")];
        if self.challenged {
            let claims = Claims::parse(CLAIMS).expect("claims");
            tokens.push(client.token(&TokenRequest { claims, ..request("vm") }).await.expect("another token"));
        }
        let tokens: Vec<_> = tokens.iter().map(|token| token.access_token.expose()).collect();
        assert_eq!(tokens.last(), Some(&format!("marker-mi-token-{}", tokens.len()).as_str()));
        host.asked()
    }
}

/// The libraries in a process of their own.
struct Python {
    _child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Python {
    fn start(interpreter: PathBuf) -> Self {
        let mut command = Command::new(interpreter);
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
            command.env_remove(name);
        }
        command.env("PYTHONDONTWRITEBYTECODE", "1").arg(folder("peers/msal/managed_identity.py"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("python starts");
        let stdin = child.stdin.take().expect("it is piped");
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        Self { _child: child, stdin, lines }
    }

    async fn ask(&mut self, wanted: &Value) -> Value {
        self.stdin.write_all(format!("{wanted}\n").as_bytes()).await.expect("it listens");
        let line = within(self.lines.next_line()).await.expect("text").expect("it goes on");
        serde_json::from_str(&line).expect("a line of JSON")
    }
}

fn interpreter() -> Result<PathBuf, Missing> {
    let python = folder("peers/.venv/bin/python");
    let installed = folder("peers/.venv/.installed").is_file();
    let why = "tests/peers/.venv is not set up: tests/run does it, with python3 and its venv module";
    (installed && python.is_file()).then_some(python).ok_or_else(|| Missing::new(why))
}

/// An entry of the list.
struct Listed {
    texts: [String; 5],
    used: Cell<bool>,
}

fn listed() -> Vec<Listed> {
    let text = std::fs::read_to_string(folder("peers/msal/managed_identity.toml")).expect("the list");
    let file: Value = toml::from_str(&text).expect("the list is TOML");
    let entries = file["difference"].as_array().expect("there are some").iter();
    let read = |entry: &Value| {
        assert!(entry["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "without a reason: {entry}");
        let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or("*").to_owned();
        Listed { texts: ["library", "source", "parameter", "theirs", "ours"].map(text), used: Cell::new(false) }
    };
    entries.map(read).collect()
}

impl Listed {
    fn means(&self, difference: &[String; 5]) -> bool {
        let means = self.texts.iter().zip(difference).all(|(pattern, text)| pattern == "*" || pattern == text);
        if means {
            self.used.set(true);
        }
        means
    }
}

/// A request as something that can be compared.
fn comparable(asked: &Asked) -> BTreeMap<String, String> {
    let headers = asked.headers.iter().filter(|(name, _)| !TRANSPORT.contains(&name.as_str()));
    let headers = headers.map(|(name, value)| (format!("header {name}"), value.clone()));
    let uuid = |(name, value): (String, String)| {
        let value = if name.ends_with("request-id") && value.len() == 36 { "(UUID)".to_owned() } else { value };
        (name, value)
    };
    let parameters = asked.parameters.clone().into_iter().chain(headers).map(uuid);
    let place = ("(request)".to_owned(), format!("{} {}", asked.method, asked.path));
    parameters.chain([place]).collect()
}

fn differences(library: &str, source: &str, theirs: &[Asked], ours: &[Asked]) -> Vec<[String; 5]> {
    assert_eq!(theirs.len(), ours.len(), "{library} at {source}: as many requests\n{theirs:#?}\n{ours:#?}");
    let mut found = Vec::new();
    for (theirs, ours) in theirs.iter().map(comparable).zip(ours.iter().map(comparable)) {
        let names: BTreeSet<_> = theirs.keys().chain(ours.keys()).collect();
        for name in names {
            let of = |side: &BTreeMap<String, String>| side.get(name).cloned().unwrap_or_else(|| "absent".to_owned());
            let (theirs, ours) = (of(&theirs), of(&ours));
            if theirs != ours {
                found.push([library.to_owned(), source.to_owned(), name.clone(), theirs, ours]);
            }
        }
    }
    found
}

#[tokio::test]
async fn the_broker_asks_as_msal_python_and_azure_identity_do() {
    let Some(interpreter) = require(interpreter()) else { return };
    let (mut python, listed) = (Python::start(interpreter), listed());
    let (mut wrong, mut compared) = (Vec::new(), 0);
    for case in Case::all() {
        for library in ["msal", "azure-identity"] {
            let host = Host::start(Arc::new(SystemClock)).await;
            // The key file's place is in the challenge, which is not compared: each side has a folder of its own.
            let answer = python.ask(&case.told(library, &host)).await;
            assert!(answer["tokens"].is_array(), "{library} at {} {:?}: {answer}", case.source, case.id);
            let ours = case.by_broker(case.challenged && library == "msal").await;
            let found = differences(library, case.source.as_str(), &host.asked(), &ours);
            let unmeant =
                found.iter().filter(|difference| listed.iter().filter(|entry| entry.means(difference)).count() == 0);
            wrong.extend(unmeant.map(|difference| difference.join(" | ")));
            compared += ours.len();
        }
    }
    wrong.sort();
    wrong.dedup();
    wrong.extend(
        listed.iter().filter(|entry| !entry.used.get()).map(|entry| format!("unused: {}", entry.texts.join(" | "))),
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared >= 50, "{compared} requests");
}
