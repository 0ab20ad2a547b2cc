//! A web application whose users sign in and see their profile and messages at Microsoft Graph, on hyper and reqwest:
//! `cargo run -p token-broker-client --example graph_sample`, then <http://localhost:5000>.
//!
//! It has no client secret, no token and no state file. `routes` maps requests, `visit` has the rules of a session, `graph` calls
//! Microsoft Graph, `pages` shows. The application is registered once, for this one and those in client/python/samples:
//! `broker-cli app add graph-sample --client-id ID --client-secret-stdin --scope User.Read --redirect-uri
//! http://localhost:5000/login/authorized`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example talks to people")]

mod graph;
mod pages;
mod routes;
mod session;
mod visit;

use std::{env, process::ExitCode, sync::Arc, time::Duration};

use http::Uri;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use token_broker_client::{
    Client, ClientOptions,
    oauth::{ApplicationName, provider_url},
};
use tokio::{net::TcpListener, task::JoinSet};

type Failed = Box<dyn std::error::Error>;

/// How long a browser may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the sample runs with, each changed by an environment variable of the same name. No client secret is here: the daemon has it.
struct Settings {
    /// Name of the application in the broker.
    application: ApplicationName,
    /// As it is registered at Microsoft Entra ID, too. The sample listens on its host and port.
    redirect_uri: String,
    /// Where profile and messages are.
    graph: String,
    /// How the provider greets a user who is not known yet; none leaves it to the provider.
    prompt: Option<String>,
}

impl Settings {
    fn from_environment() -> Result<Self, Failed> {
        let set = |name: &str, otherwise: &str| env::var(name).unwrap_or_else(|_| otherwise.to_owned());
        let graph = set("GRAPH", "https://graph.microsoft.com/v1.0");
        // A token is sent by https only, or to this machine.
        provider_url("GRAPH", &graph)?;
        Ok(Self {
            application: ApplicationName::parse("application", &set("APPLICATION", "graph-sample"))?,
            redirect_uri: set("REDIRECT_URI", "http://localhost:5000/login/authorized"),
            graph,
            prompt: Some(set("PROMPT", "select_account")).filter(|prompt| !prompt.is_empty()),
        })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match serve().await {
        Ok(never) => match never {},
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<std::convert::Infallible, Failed> {
    let settings = Settings::from_environment()?;
    let own: Uri = settings.redirect_uri.parse()?;
    let host = own.host().ok_or("REDIRECT_URI names no host")?;
    let listener = TcpListener::bind((host, own.port_u16().unwrap_or(80))).await?;
    println!("Open {}://{}", own.scheme_str().unwrap_or("http"), own.authority().ok_or("REDIRECT_URI names no host")?);
    let site = Arc::new(routes::Site::new(Client::new(&ClientOptions::default())?, settings)?);
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        let site = Arc::clone(&site);
        connections.spawn(async move {
            let service = service_fn(|request| routes::answer(&site, request));
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
            // An error: the browser went away.
            let _ = http.serve_connection(TokioIo::new(stream), service).await;
        });
        while connections.try_join_next().is_some() {}
    }
}
