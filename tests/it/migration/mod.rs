//! The page "from MSAL Python to the broker" cannot drift: every block of it is run, in order, against one platform
//! (`token_broker_tests::entra`), MSAL's with the real MSAL Python, the broker's with the real programs. Both sides of a chapter
//! must ask the platform for the same grants.

mod capabilities;
mod page;

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
};

use token_broker::ports::{Clock as _, clock::SystemClock};
use token_broker_client::oauth::ManagedIdentitySource;
use token_broker_tests::{
    clock::ManualClock,
    entra::{Application, Entra, PASSWORD, Place, USER_CREDENTIAL},
    folder,
    managed_identity::Host,
    process::{DaemonProcess, Home, program},
    requirements::{Missing, require},
    within,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use self::page::{Block, Side};

/// The secret of the page's service.
const SECRET: &str = "the service's secret";
/// `client_id` of the page's applications: a public one, one with a secret, one with a certificate, one with an assertion.
const CLIENTS: [&str; 4] = [
    "11111111-2222-4333-8444-555555555555",
    "22222222-2222-4333-8444-555555555555",
    "33333333-2222-4333-8444-555555555555",
    "44444444-2222-4333-8444-555555555555",
];

/// The interpreter with the pinned packages.
fn interpreter() -> Result<PathBuf, Missing> {
    let python = folder("peers/.venv/bin/python");
    let installed = folder("peers/.venv/.installed").is_file();
    let why = "tests/peers/.venv is not set up: tests/run does it, with python3 and its venv module";
    (installed && python.is_file()).then_some(python).ok_or_else(|| Missing::new(why))
}

#[tokio::test]
async fn every_block_of_the_page_runs_and_asks_for_the_same() {
    let Some(python) = require(interpreter()) else { return };
    let mut stage = Stage::set(&python).await;
    let mut kinds = Vec::new();
    for chapter in page::chapters() {
        let mut asked: BTreeMap<bool, Vec<String>> = BTreeMap::new();
        for block in &chapter.blocks {
            let before = stage.entra.requests().len();
            stage.run(block, &chapter.title).await;
            asked.entry(block.side == Side::Msal).or_default().extend(stage.grants(before));
        }
        if let (Some(theirs), Some(ours)) = (asked.get(&true), asked.get(&false)) {
            assert_eq!(theirs, ours, "{}: MSAL's requests and the broker's", chapter.title);
        }
        kinds.extend(asked.into_values().flatten());
    }
    let kinds_wanted =
        ["authorization_code", "device_code", "password", "user_fic", "client_credentials", "refresh_token"];
    for kind in kinds_wanted.into_iter().chain(["jwt-bearer"]) {
        assert!(kinds.contains(&format!("token:{kind}")), "no block comes to {kind}: {kinds:?}");
    }
}

/// One platform, one folder, a daemon, and two interpreters.
struct Stage {
    entra: Entra,
    /// The machine, which has a managed identity.
    _host: Host,
    home: Home,
    _daemon: DaemonProcess,
    environment: Vec<(String, PathBuf)>,
    msal: Interpreter,
    stubs: Interpreter,
}

impl Stage {
    async fn set(python: &Path) -> Self {
        let now = u64::try_from(SystemClock.now().seconds()).unwrap();
        let entra = Entra::start(&ManualClock::at(now));
        let home = Home::new();
        register(&entra);
        files(home.path());
        let callers_token = entra.user_assertion("ada@contoso.example", CLIENTS[1], 3600);
        fs::write(home.path().join("callers-token"), callers_token).unwrap();
        let host = Host::start(Arc::new(SystemClock)).await;
        let mut environment = environment(&entra, &home, python);
        let variables = host.environment(ManagedIdentitySource::Imds).variables();
        environment.extend(variables.into_iter().map(|(name, value)| (name, value.into())));
        let daemon = DaemonProcess::start_with(&home, |command| {
            command.envs(environment.clone());
        })
        .await;
        let [msal, stubs] = [(); 2].map(|()| Interpreter::start(&home, python, &environment));
        Self { entra, _host: host, home, _daemon: daemon, environment, msal, stubs }
    }

    async fn run(&mut self, block: &Block, chapter: &str) {
        let failure = match block.side {
            Side::Msal => self.msal.run(&block.code).await,
            Side::Stubs => self.stubs.run(&block.code).await,
            Side::Shell => self.shell(&block.code).await,
        };
        assert!(failure.is_none(), "{chapter}:\n{}\n{}", block.code, failure.unwrap_or_default());
    }

    /// Runs a block as its reader would; returns what it said if it failed.
    async fn shell(&self, code: &str) -> Option<String> {
        let mut shell = in_home(&self.home, Path::new("bash"), &self.environment);
        shell.args(["-euo", "pipefail", "-c", code]).stdin(Stdio::null());
        let output = within(shell.output()).await.expect("bash runs");
        let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        (!output.status.success()).then(|| said.concat())
    }

    /// What the platform was asked for since then, metadata and repeated polls aside.
    fn grants(&self, since: usize) -> Vec<String> {
        let requests = self.entra.requests().into_iter().skip(since);
        let grants = requests.filter(|it| matches!(it.place, Place::Authorize | Place::Token | Place::Device));
        let mut kinds: Vec<_> = grants.map(|request| request.kind()).collect();
        kinds.dedup_by(|next, last| next == last && next.ends_with("device_code"));
        kinds
    }
}

fn register(entra: &Entra) {
    let pem = fs::read_to_string(folder("peers/msal/application.pem")).expect("key and certificate");
    let applications = CLIENTS.map(|id| Application { client_id: id.to_owned(), ..Application::default() });
    let [public, secret, certificate, assertion] = applications;
    entra.register(public);
    entra.register(Application { secret: Some(SECRET.to_owned()), ..secret });
    entra.register(Application { certificate: Some(pem.clone()), ..certificate });
    entra.register(Application { certificate: Some(pem), ..assertion });
}

/// What lies in the reader's folder.
fn files(home: &Path) {
    fs::write(home.join("secret-file"), format!("{SECRET}\n")).unwrap();
    fs::write(home.join("password-file"), PASSWORD).unwrap();
    fs::write(home.join("user-assertion"), USER_CREDENTIAL).unwrap();
    fs::copy(folder("peers/msal/application.pem"), home.join("application.pem")).unwrap();
    fs::copy(folder("peers/msal/id_rsa_1.pub"), home.join("id_rsa.pub")).unwrap();
    symlink(folder("../proto").canonicalize().unwrap(), home.join("proto")).unwrap();
    let bin = home.join("bin");
    fs::create_dir(&bin).unwrap();
    fs::write(
        bin.join("browser"),
        format!("#!/bin/sh\nexec python '{}' \"$1\"\n", folder("peers/msal/browser.py").display()),
    )
    .unwrap();
    fs::set_permissions(bin.join("browser"), fs::Permissions::from_mode(0o700)).unwrap();
}

/// A desktop behind a company's proxy, with a browser.
fn environment(entra: &Entra, home: &Home, python: &Path) -> Vec<(String, PathBuf)> {
    let programs = program("broker-cli");
    let folders = [home.path().join("bin"), python.parent().unwrap().into(), programs.parent().unwrap().into()];
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(folders.into_iter().chain(std::env::split_paths(&inherited))).unwrap();
    let variables = [
        ("PATH", path.into()),
        ("HTTPS_PROXY", entra.proxy().into()),
        ("SSL_CERT_FILE", entra.certificate_file()),
        ("REQUESTS_CA_BUNDLE", entra.certificate_file()),
        ("BROWSER", home.path().join("bin/browser")),
        ("DISPLAY", ":0".into()),
        ("PYTHONDONTWRITEBYTECODE", "1".into()),
    ];
    variables.map(|(name, value)| (name.to_owned(), value)).to_vec()
}

/// A program in the reader's home and environment.
fn in_home(home: &Home, name: &Path, environment: &[(String, PathBuf)]) -> Command {
    let mut command = Command::new(name);
    command.env_clear().envs(home.command("broker-cli").as_std().get_envs().filter_map(|(k, v)| Some((k, v?))));
    command.envs(environment.iter().cloned()).current_dir(home.path()).kill_on_drop(true);
    command
}

/// tests/peers/msal/snippets.py under way; it ends with its input.
struct Interpreter {
    _child: Child,
    stdin: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Interpreter {
    fn start(home: &Home, python: &Path, environment: &[(String, PathBuf)]) -> Self {
        let mut command = in_home(home, python, environment);
        command.arg(folder("peers/msal/snippets.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("python starts");
        let stdin = child.stdin.take().expect("it is piped");
        let answers = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        Self { _child: child, stdin, answers }
    }

    /// Runs a block; returns the traceback if it failed.
    async fn run(&mut self, code: &str) -> Option<String> {
        let line = format!("{}\n", serde_json::Value::from(code));
        self.stdin.write_all(line.as_bytes()).await.expect("it listens");
        let answer = within(self.answers.next_line()).await.expect("text").expect("it goes on");
        serde_json::from_str(&answer).expect("null or text")
    }
}
