//! The stage of a test in another language: a provider, the real daemon in a home of its own, and users who do what they are
//! asked to over a Unix socket, a JSON object a line each way. What is asked and what is answered is in `Stage::act`.

use std::{path::PathBuf, sync::Arc, time::Duration};

use serde_json::{Value, json};
use token_broker::ports::clock::SystemClock;
use token_broker_client::calls::TokenRequest;
use token_broker_tests::{
    authorization_server::{AuthorizationServer, Client as ServerClient, Endpoint, Fault, Options as Server},
    daemon::{application, name},
    graph::{self, Graph},
    process::{DaemonProcess, Home, Signal},
    user::User,
    within,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    sync::Mutex,
};

/// Where the web application takes its users back, at any port.
const REDIRECT: &str = "http://localhost/login/authorized";
/// How that begins with a port; the provider is at 127.0.0.1.
const REDIRECTED: &str = "http://localhost:";
/// What Microsoft Graph is asked for, along with the usual scopes of the harness.
const GRAPH_SCOPES: [&str; 2] = ["User.Read", "Mail.Read"];

/// Everything that a test needs beside itself.
pub(super) struct Stage {
    server: AuthorizationServer,
    home: Home,
    daemon: Mutex<Option<DaemonProcess>>,
    /// Microsoft Graph, twice: a redirect may lead from one to the other.
    graphs: [Graph; 2],
    listener: UnixListener,
}

impl Stage {
    /// Starts provider and daemon, with the applications `mail` (public), `job` (its own tokens) and `site` (on the web).
    pub(super) async fn set() -> Self {
        let audience = Some(graph::AUDIENCE.to_owned());
        let mut server = Server { device_interval: 1, audience, ..Server::default() };
        server.scopes.extend(GRAPH_SCOPES.map(str::to_owned));
        let redirect_uris = vec![REDIRECT.to_owned()];
        server.clients.push(ServerClient { redirect_uris, ..ServerClient::confidential("web-app", "web secret") });
        let server = AuthorizationServer::start(server);
        let home = Home::new();
        let daemon = DaemonProcess::start(&home).await;
        let issuer = server.issuer();
        let mail = application("mail", issuer, ("native-app", None), "profile api:read User.Read Mail.Read");
        let job = application("job", issuer, ("service-app", Some("service secret: +/%&=?~")), "api:read");
        let mut site = application("site", issuer, ("web-app", Some("web secret")), "profile User.Read");
        site.redirect_uri = Some(REDIRECT.to_owned());
        for new in [mail, job, site] {
            daemon.client().add_application(&new).await.expect("registered");
        }
        let listener = UnixListener::bind(home.path().join("stage")).expect("a socket");
        let graphs = [(); 2].map(|()| Graph::start(server.issuer(), Arc::new(SystemClock)));
        Self { server, home, daemon: Mutex::new(Some(daemon)), graphs, listener }
    }

    /// The socket on which it is told what to do.
    pub(super) fn control(&self) -> PathBuf {
        self.home.path().join("stage")
    }

    /// Does what it is told, for one caller after the other, for ever.
    pub(super) async fn play(&self) {
        loop {
            let (caller, _) = self.listener.accept().await.expect("a caller");
            self.listen(caller).await;
        }
    }

    async fn listen(&self, mut caller: UnixStream) {
        let (read, mut write) = caller.split();
        let mut lines = BufReader::new(read).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let asked: Value = serde_json::from_str(&line).expect("an object");
            let answer = within(self.act(&asked)).await;
            // An error: the caller is gone.
            let _ = write.write_all(format!("{answer}\n").as_bytes()).await;
        }
    }

    async fn act(&self, asked: &Value) -> Value {
        let word = |name: &str| asked[name].as_str().unwrap_or_default();
        let graph = &self.graphs[usize::from(asked["graph"] == 1)];
        match word("do") {
            "socket" => json!(self.home.socket()),
            "issuer" => json!(self.server.issuer()),
            "requests" => json!(self.server.requests(word("name"))),
            "is_active" => json!(self.server.is_active(word("token"))),
            "graph" => json!(graph.base()),
            "graph_asked_with" => json!(graph.asked_with()),
            "graph_answer" => json!(graph.answer_next(status(asked), &headers(asked), &asked["body"])),
            "graph_challenge" => json!(graph.challenge_next(word("claims"))),
            "secrets" => json!(self.server.secrets()),
            "lifetime" => json!(self.server.change(|options| options.access_token_lifetime = seconds(asked))),
            "token" => json!(self.token(word("application"), seconds(asked)).await),
            "fail_token" => json!(self.server.fail_next(Endpoint::Token, fault(asked))),
            "sign_in" => json!(Self::user(asked).sign_in(word("url")).await.status),
            "decline" => json!(Self::user(asked).decline(word("url")).await.status),
            "sign_in_until" => json!(Self::user(asked).sign_in_until(word("url"), REDIRECTED).await.as_str()),
            "decline_until" => json!(Self::user(asked).decline_until(word("url"), REDIRECTED).await.as_str()),
            "approve_device" => json!(self.server.approve_device(word("user_code"), word("user"))),
            "decline_device" => json!(self.server.decline_device(word("user_code"))),
            "take_key" => json!(self.move_key("key", "taken")),
            "give_key" => json!(self.move_key("taken", "key")),
            "stop" => json!(self.stop().await),
            "start" => json!(self.start().await),
            other => panic!("nobody knows how to {other}"),
        }
    }

    fn user(asked: &Value) -> User {
        User::named(asked["user"].as_str().unwrap_or("ada"))
    }

    /// What another client gets: the one in Rust.
    async fn token(&self, application: &str, min_validity: Duration) -> String {
        let request = TokenRequest { min_validity: Some(min_validity), ..TokenRequest::new(name(application)) };
        let answer = self.home.client().token(&request).await.expect("a token");
        answer.access_token.expose().to_owned()
    }

    fn move_key(&self, from: &str, to: &str) {
        let file = |name: &str| self.home.data_dir().join(name);
        std::fs::rename(file(from), file(to)).expect("the key is a file");
    }

    async fn stop(&self) -> bool {
        let running = self.daemon.lock().await.take();
        let (status, _) = running.expect("a running daemon").end(Signal::TERM).await;
        status.success()
    }

    async fn start(&self) {
        *self.daemon.lock().await = Some(DaemonProcess::start(&self.home).await);
    }
}

fn seconds(asked: &Value) -> Duration {
    Duration::from_secs(asked["seconds"].as_u64().expect("seconds"))
}

fn status(asked: &Value) -> u16 {
    asked["status"].as_u64().and_then(|status| status.try_into().ok()).expect("a status")
}

fn headers(asked: &Value) -> Vec<(&str, &str)> {
    let headers = asked["headers"].as_object().into_iter().flatten();
    headers.map(|(name, value)| (name.as_str(), value.as_str().expect("text"))).collect()
}

/// What the next request for a token meets: this status and body.
fn fault(asked: &Value) -> Fault {
    let fault = Fault::answer(status(asked), "application/json", asked["body"].to_string());
    match asked["retry_after"].as_str() {
        Some(seconds) => fault.with_header("retry-after", seconds),
        None => fault,
    }
}
