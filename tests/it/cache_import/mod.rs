//! Importing the token caches of Microsoft's libraries: what the real MSAL Python writes is served from then on without a
//! request; what belongs to others is left with a reason; what cannot be read changes nothing.

use std::{fs, path::PathBuf, process::Command};

use serde_json::{Value, json};
use token_broker_client::{
    Client, ClientOptions,
    calls::{Event, Subject, TokenRequest, TokenSource},
};
use token_broker_tests::{
    daemon::{name, scopes},
    folder,
    process::{DaemonProcess, Home, Output},
    requirements::{Missing, require},
    within,
};

const CLIENT: &str = "11111111-2222-3333-4444-555555555555";
const TENANT: &str = "99999999-8888-7777-6666-555555555555";
const AZURE_CLI: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";

/// A daemon with an application that never asked its provider anything.
struct Stage {
    home: Home,
    _daemon: DaemonProcess,
}

impl Stage {
    async fn set(client_id: &str, tenant: &str) -> Self {
        let home = Home::new();
        let daemon = DaemonProcess::start(&home).await;
        let stage = Self { home, _daemon: daemon };
        let add =
            ["app", "add", "work", "--client-id", client_id, "--tenant", tenant, "--offline", "--client-secret-stdin"];
        let added = stage.home.cli(add).input("secret").run().await;
        assert_eq!(added.code, 0, "{added:?}");
        stage
    }

    async fn run(&self, arguments: &[&str]) -> Output {
        self.home.cli(arguments.iter().copied()).run().await
    }

    async fn import(&self, cache: &str) -> Output {
        let path = self.home.path().join("cache.json");
        fs::write(&path, cache).unwrap();
        self.run(&["cache", "import-msal", path.to_str().unwrap(), "--app", "work", "--json"]).await
    }

    async fn imported(&self, cache: &str) -> Value {
        let output = self.import(cache).await;
        assert_eq!(output.code, 0, "{output:?}");
        serde_json::from_str(&output.stdout).unwrap()
    }

    /// The token that a user's request is answered with, from the cache.
    async fn hit(&self, user: &str, wanted: &str) -> String {
        let client = self.client();
        let request = TokenRequest {
            subject: Subject::User(Some(user.to_owned())),
            scopes: Some(scopes(wanted)),
            ..TokenRequest::new(name("work"))
        };
        let answer = client.token(&request).await.unwrap();
        assert_eq!(answer.source, TokenSource::Cache);
        answer.access_token.expose().to_owned()
    }

    fn client(&self) -> Client {
        let options = ClientOptions { socket: Some(self.home.socket()), ..ClientOptions::default() };
        Client::new(&options).unwrap()
    }

    async fn counts(&self) -> Value {
        let status = self.run(&["status", "--json"]).await;
        serde_json::from_str::<Value>(&status.stdout).unwrap()["counts"].clone()
    }
}

/// What MSAL Python itself writes.
fn written_by_msal() -> Result<String, Missing> {
    let python: PathBuf = folder("peers/.venv/bin/python");
    let written = Command::new(python).arg(folder("peers/msal/write_cache.py")).output();
    let written = written.ok().filter(|output| output.status.success());
    let why = "tests/peers/.venv has no msal: tests/run sets it up";
    written.and_then(|output| String::from_utf8(output.stdout).ok()).ok_or_else(|| Missing::new(why))
}

#[tokio::test]
async fn what_msal_python_wrote_is_served_without_a_request() {
    let Some(cache) = require(written_by_msal()) else { return };
    let stage = Stage::set(CLIENT, TENANT).await;
    let report = stage.imported(&cache).await;
    let imported = json!({"accounts": 2, "access_tokens": 5, "refresh_tokens": 2, "id_tokens": 2});
    assert_eq!(
        (&report["imported"], &report["already_there"]),
        (&imported, &json!(3)),
        "one refresh token a user; {report}"
    );
    let left_out: Vec<_> = report["left_out"].as_array().unwrap().iter().map(|left| &left["why"]).collect();
    assert!(left_out.contains(&&json!("expired")) && left_out.contains(&&json!("of another client")), "{report}");
    assert_eq!(stage.hit("ada@contoso.com", "User.Read").await, "graph-ada");
    assert_eq!(stage.hit("ada@contoso.com", "Mail.Read").await, "graph-ada", "a part of its scopes");
    assert_eq!(stage.hit("BOB@contoso.com", "https://vault.azure.net/.default").await, "vault-bob");
    let app_only = TokenRequest {
        subject: Subject::Application,
        scopes: Some(scopes("https://graph.microsoft.com/.default")),
        ..TokenRequest::new(name("work"))
    };
    assert_eq!(stage.client().token(&app_only).await.unwrap().access_token.expose(), "app-only");
}

#[tokio::test]
async fn readers_are_told_to_look_again() {
    let stage = Stage::set(CLIENT, TENANT).await;
    let mut events = stage.client().watch_events(None).await.unwrap();
    let resync = Event::Resync { missed: 0 };
    assert_eq!(
        within(events.next()).await.unwrap().map(|record| record.event).as_ref(),
        Some(&resync),
        "its beginning"
    );
    stage.imported(&json!({ "AccessToken": {}, "RefreshToken": {} }).to_string()).await;
    assert_eq!(within(events.next()).await.unwrap().map(|record| record.event), Some(resync));
}

#[tokio::test]
async fn importing_twice_changes_nothing() {
    let Some(cache) = require(written_by_msal()) else { return };
    let stage = Stage::set(CLIENT, TENANT).await;
    stage.imported(&cache).await;
    let before = stage.run(&["cache", "list", "--json"]).await;
    let again = stage.imported(&cache).await;
    let nothing = json!({"accounts": 0, "access_tokens": 0, "refresh_tokens": 0, "id_tokens": 0});
    assert_eq!((&again["imported"], &again["already_there"]), (&nothing, &json!(14)), "{again}");
    assert_eq!(stage.run(&["cache", "list", "--json"]).await, before);
}

#[tokio::test]
async fn a_dry_run_tells_and_changes_nothing() {
    let Some(cache) = require(written_by_msal()) else { return };
    let stage = Stage::set(CLIENT, TENANT).await;
    let before = stage.counts().await;
    let path = stage.home.path().join("cache.json");
    fs::write(&path, cache).unwrap();
    let looked = stage.run(&["cache", "import-msal", path.to_str().unwrap(), "--app", "work", "--dry-run"]).await;
    let line = "Would import 2 accounts, 5 access tokens, 2 refresh tokens, 2 ID tokens";
    assert!(looked.code == 0 && looked.stdout.starts_with(line), "{looked:?}");
    assert_eq!(stage.counts().await, before);
}

/// As Azure CLI lays it out: its own client, of family 1, realms of `organizations` and of a tenant, the environment by the
/// name that .NET prefers, numbers for times as Go writes them.
fn azure_cli() -> String {
    let (home, later) = (format!("uid.{TENANT}"), 4_102_444_800_i64);
    let token = |realm: &str, environment: &str, expires: Value| {
        json!({"credential_type": "AccessToken", "secret": format!("arm-{realm}"), "home_account_id": home,
            "environment": environment, "client_id": AZURE_CLI, "realm": realm, "token_type": "Bearer",
            "target": "https://management.core.windows.net//user_impersonation https://management.core.windows.net//.default",
            "cached_at": "1700000000", "expires_on": expires, "extended_expires_on": expires})
    };
    json!({
        "AccessToken": {
            "a": token("organizations", "login.microsoftonline.com", json!(later.to_string())),
            "b": token(TENANT, "login.windows.net", json!(later)),
        },
        "Account": {"a": {"home_account_id": home, "environment": "login.microsoftonline.com", "realm": "organizations",
            "local_account_id": "uid", "username": "ada@contoso.com", "authority_type": "MSSTS"}},
        "RefreshToken": {"a": {"credential_type": "RefreshToken", "secret": "family", "home_account_id": home,
            "environment": "login.windows.net", "client_id": "1", "target": "", "family_id": "1",
            "last_modification_time": "1700000000"}},
        "IdToken": {},
        "AppMetadata": {"a": {"client_id": AZURE_CLI, "environment": "login.microsoftonline.com", "family_id": "1"}},
    })
    .to_string()
}

#[tokio::test]
async fn a_cache_of_azure_cli_is_served_under_whichever_name_of_its_cloud() {
    let stage = Stage::set(AZURE_CLI, TENANT).await;
    let report = stage.imported(&azure_cli()).await;
    let imported = json!({"accounts": 1, "access_tokens": 2, "refresh_tokens": 1, "id_tokens": 0});
    assert_eq!(report["imported"], imported, "{report}");
    let scope = "https://management.core.windows.net//.default";
    assert_eq!(stage.hit("ada@contoso.com", scope).await, format!("arm-{TENANT}"));
}

#[tokio::test]
async fn what_cannot_be_read_changes_nothing() {
    let stage = Stage::set(AZURE_CLI, TENANT).await;
    let before = stage.counts().await;
    let whole = azure_cli();
    let cut_off = &whole[..whole.len() - 40];
    for (cache, words) in [
        ("", "not a token cache of MSAL, or is cut off"),
        ("{}", "none of the sections"),
        ("<html>family</html>", "not a token cache of MSAL"),
        (cut_off, "cut off"),
    ] {
        let output = stage.import(cache).await;
        assert_eq!(output.code, 2, "{output:?}");
        let error: Value = serde_json::from_str(&output.stdout).unwrap();
        assert_eq!(error["error"]["reason"], "INVALID_REQUEST");
        let message = error["error"]["message"].as_str().unwrap();
        assert!(message.contains(words) && !message.contains("family"), "{message}");
    }
    let missing = stage.run(&["cache", "import-msal", "/nowhere", "--app", "work"]).await;
    assert!(missing.code == 2 && missing.stderr.contains("/nowhere cannot be read"), "{missing:?}");
    let unknown = stage.run(&["cache", "import-msal", "/dev/null", "--app", "nobody"]).await;
    assert!(unknown.code == 1 && unknown.stderr.contains("no application nobody"), "{unknown:?}");
    assert_eq!(stage.counts().await, before);
}

#[tokio::test]
async fn others_entries_are_left_with_a_reason() {
    let stage = Stage::set(CLIENT, TENANT).await;
    let report = stage.imported(&azure_cli()).await;
    let left_out = json!([
        {"kind": "account", "why": "none of its tokens was taken", "count": 1},
        {"kind": "access_token", "why": "of another client", "count": 2},
        {"kind": "refresh_token", "why": "of another client", "count": 1},
    ]);
    assert_eq!(report["left_out"], left_out, "{report}");
    assert_eq!(stage.counts().await["accounts"], 0);
}
