//! Headless Chromium, driven over `WebDriver` (`chromedriver`), with a throw-away profile and no way to any other machine. Colours,
//! screen size, logs of requests and console come from Chromium's own protocol (CDP), which chromedriver passes on.

use std::{fs, path::PathBuf};

use fantoccini::{ClientBuilder, error::CmdError, wd::WebDriverCompatibleCommand};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use url::Url;

use super::child::ServerProcess;
use crate::requirements::{Missing, program};

/// How the person has set up the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    /// Width and height in CSS pixels.
    pub size: (u32, u32),
    /// Whether dark colours are preferred.
    pub dark: bool,
}

/// A browser with one page.
#[derive(Debug)]
pub struct Chromium {
    /// The page: open addresses, find elements, click.
    pub page: fantoccini::Client,
    _driver: ServerProcess,
    _profile: TempDir,
}

/// Whether browser and driver are there.
///
/// # Errors
/// What is missing and how it comes.
pub fn present() -> Result<(), Missing> {
    program("chromium", "apt-get install chromium")?;
    program("chromedriver", "apt-get install chromium-driver").map(|_| ())
}

impl Chromium {
    /// Starts it.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start() -> Self {
        let profile = tempfile::Builder::new().prefix("tb-chromium-").tempdir().expect("a scratch folder");
        let mut driver = ServerProcess::start_guarded("chromedriver", &["--port=0"]);
        let line = driver.line(|line| line.contains("started successfully on port")).await;
        let port = line.trim_end_matches('.').rsplit(' ').next().expect("the line names its port").to_owned();
        let page = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities(&profile.path().join("profile")))
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("a browser session");
        Self { page, _driver: driver, _profile: profile }
    }

    /// Sets screen and colours; they hold for the pages to come, too.
    pub async fn set_up(&self, screen: Screen) {
        let (width, height) = screen.size;
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 2, "mobile": width < 600});
        self.cdp("Emulation.setDeviceMetricsOverride", metrics).await;
        let scheme = if screen.dark { "dark" } else { "light" };
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.cdp("Emulation.setEmulatedMedia", media).await;
    }

    /// Takes a picture of what is seen, into `screenshots/NAME.png` of the target folder.
    ///
    /// # Panics
    /// When it cannot be taken or kept.
    pub async fn screenshot(&self, name: &str) {
        let folder = screenshots();
        fs::create_dir_all(&folder).expect("the target folder takes a folder");
        let picture = self.page.screenshot().await.expect("a screenshot");
        fs::write(folder.join(format!("{name}.png")), picture).expect("the screenshot is kept");
    }

    /// The addresses that were requested since it was asked last, by the browser's own record.
    pub async fn requested(&self) -> Vec<String> {
        let log = self.log("performance").await;
        let event = |entry: &Value| serde_json::from_str::<Value>(entry.get("message")?.as_str()?).ok();
        let url = |event: Value| {
            let sent = event.pointer("/message/method")? == "Network.requestWillBeSent";
            sent.then(|| event.pointer("/message/params/request/url")?.as_str().map(str::to_owned)).flatten()
        };
        log.iter().filter_map(event).filter_map(url).collect()
    }

    /// What the console says since it was asked last, broken security policies among it.
    pub async fn console(&self) -> Vec<String> {
        let message = |entry: Value| entry.get("message").and_then(Value::as_str).map(str::to_owned);
        self.log("browser").await.into_iter().filter_map(message).collect()
    }

    async fn log(&self, kind: &str) -> Vec<Value> {
        let answer = self.page.issue_cmd(Extension { path: "se/log", body: json!({"type": kind}) }).await;
        answer.expect("the log").as_array().cloned().unwrap_or_default()
    }

    async fn cdp(&self, command: &str, parameters: Value) {
        let body = json!({"cmd": command, "params": parameters});
        self.page.issue_cmd(Extension { path: "goog/cdp/execute", body }).await.expect("Chromium takes the command");
    }

    /// Closes it; a browser that is merely dropped ends with its driver.
    pub async fn close(self) {
        // An error: it is gone already.
        let _: Result<(), CmdError> = self.page.close().await;
    }
}

/// Where pictures go, in the folder that cargo builds into.
fn screenshots() -> PathBuf {
    let own = std::env::current_exe().expect("a process knows its program");
    own.ancestors().nth(3).expect("it lies in target/PROFILE/deps").join("screenshots")
}

fn capabilities(profile: &std::path::Path) -> Map<String, Value> {
    let mut arguments = vec![
        "--headless=new".to_owned(),
        "--disable-dev-shm-usage".to_owned(),
        "--disable-gpu".to_owned(),
        "--no-first-run".to_owned(),
        "--window-size=1000,700".to_owned(),
        // Nothing but this machine has an address.
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1".to_owned(),
        format!("--user-data-dir={}", profile.display()),
    ];
    if rustix::process::geteuid().is_root() {
        arguments.push("--no-sandbox".to_owned());
    }
    let capabilities = json!({
        "goog:chromeOptions": {"args": arguments},
        "goog:loggingPrefs": {"performance": "ALL", "browser": "ALL"},
    });
    capabilities.as_object().cloned().unwrap_or_default()
}

/// A command of chromedriver beyond the standard.
#[derive(Debug)]
struct Extension {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Extension {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.to_string()))
    }
}
