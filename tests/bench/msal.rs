//! Beside MSAL Python: its silent hit by the size of its cache, in the same run as ours; and the import of a cache that it could
//! have written, of a hundred thousand tokens.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use serde::Deserialize;
use serde_json::{Value, json};
use token_broker_client::{
    calls::{ApplicationOptions, ExistingApplication, NewApplication, NewCredential},
    oauth::{Authority, ClientId, ScopeSet},
};
use token_broker_tests::{daemon::name, folder};

use crate::{
    daemon::{Running, built},
    report::{ImportFigures, Report},
};

const HOST: &str = "login.microsoftonline.com";
const TENANT: &str = "99999999-8888-7777-6666-555555555555";
const CLIENT: &str = "11111111-2222-3333-4444-555555555555";
/// Tokens in the file that is imported.
const TOKENS: usize = 100_000;

/// One size of its cache, in microseconds.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Silent {
    pub(crate) tokens: usize,
    pub(crate) exact_us: f64,
    pub(crate) subset_us: f64,
}

/// Its silent hits; none where it is not set up.
pub(crate) fn measure_silent(largest: usize, report: &mut Report) {
    let sizes = [100, 10_000, 100_000].into_iter().filter(|size| *size <= largest);
    let mut python = Command::new(folder("peers/.venv/bin/python"));
    python.arg(folder("peers/msal/silent_hits.py")).args(sizes.map(|size| size.to_string()));
    match python.stderr(Stdio::inherit()).output() {
        Ok(output) if output.status.success() => {
            report.msal = serde_json::from_slice(&output.stdout).expect("rows");
        }
        _ => eprintln!("MSAL Python is not set up: tests/run does it"),
    }
}

/// The import of a large cache: by the command line, into a new store.
pub(crate) async fn measure_import(largest: usize, report: &mut Report) {
    let folder = tempfile::Builder::new().prefix("token-broker-bench-").tempdir().expect("a folder");
    let (tokens, file) = (TOKENS.min(largest), folder.path().join("msal_token_cache.json"));
    write_cache(&file, tokens);
    let running = Running::spawn(&folder, None).await;
    running.client().add_application(&application()).await.expect("registered");
    let mut command = Command::new(built("broker-cli"));
    command.arg("--socket").arg(&running.socket).args(["cache", "import-msal"]).arg(&file).args(["--app", "work"]);
    let begun = Instant::now();
    let status = command.stdout(Stdio::null()).status();
    assert!(status.expect("it runs").success());
    report.import = Some(ImportFigures {
        tokens,
        file_bytes: file.metadata().expect("a file").len(),
        took: begun.elapsed(),
        peak_kib: running.peak_kib(),
    });
}

fn application() -> NewApplication {
    NewApplication {
        name: name("work"),
        client_id: ClientId::parse(CLIENT).expect("valid"),
        authority: Authority::from_tenant(TENANT).expect("valid"),
        scopes: ScopeSet::openid(),
        redirect_uri: None,
        client_capabilities: Vec::new(),
        credential: NewCredential::None,
        keep_alive: None,
        options: ApplicationOptions::default(),
        offline: true,
        existing: ExistingApplication::Refuse,
    }
}

/// A cache as MSAL Python lays it out, indented, a hundred tokens an account, of two scopes each.
fn write_cache(path: &Path, tokens: usize) {
    let mut file = BufWriter::new(File::create(path).expect("a file"));
    let home = |account: usize| format!("user{account}.{TENANT}");
    let common =
        |home: String| json!({"home_account_id": home, "environment": HOST, "client_id": CLIENT, "realm": TENANT});
    let later = "4102444800";
    file.write_all(b"{\n").expect("written");
    let mut access = (0..tokens).map(|number| {
        let more = json!({"credential_type": "AccessToken", "secret": format!("{number}{}", "t".repeat(1400)),
            "target": format!("common own{}", number % 100), "token_type": "Bearer", "cached_at": "1700000000",
            "expires_on": later, "extended_expires_on": later});
        with(common(home(number / 100)), &more)
    });
    section(&mut file, "AccessToken", &mut access);
    file.write_all(b",\n").expect("written");
    let accounts = tokens.div_ceil(100);
    let mut refresh = (0..accounts).map(|number| {
        let more = json!({"credential_type": "RefreshToken", "secret": format!("{number}{}", "r".repeat(1400)),
            "target": "common", "last_modification_time": "1700000000"});
        with(common(home(number)), &more)
    });
    section(&mut file, "RefreshToken", &mut refresh);
    file.write_all(b",\n").expect("written");
    let mut users = (0..accounts).map(|number| {
        with(common(home(number)), &json!({"local_account_id": number.to_string(), "username": home(number)}))
    });
    section(&mut file, "Account", &mut users);
    file.write_all(b"\n}\n").expect("written");
    file.flush().expect("written");
}

fn section(file: &mut BufWriter<File>, name: &str, entries: &mut dyn Iterator<Item = Value>) {
    write!(file, "    \"{name}\": {{").expect("written");
    for (number, entry) in entries.enumerate() {
        let comma = if number == 0 { "" } else { "," };
        let entry = serde_json::to_string_pretty(&entry).expect("JSON");
        write!(file, "{comma}\n        \"{number}\": {entry}").expect("written");
    }
    write!(file, "\n    }}").expect("written");
}

fn with(mut entry: Value, more: &Value) -> Value {
    entry.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    entry
}
