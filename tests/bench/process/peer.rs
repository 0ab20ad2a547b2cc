//! Debian's oidc-agent with one account at our own authorization server, so that `oidc-token` has a cached token to print.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;
use token_broker_tests::{
    authorization_server::{AuthorizationServer, Client, Options},
    http,
};

const CLIENT: (&str, &str) = ("agent-client", "agent-secret");

/// A running oidc-agent; killed when dropped.
pub(crate) struct OidcAgent {
    home: TempDir,
    pid: String,
    server: AuthorizationServer,
}

impl OidcAgent {
    /// Starts it and loads an account; `None` where it is not installed or does not take the account.
    pub(crate) async fn start() -> Option<Self> {
        let home = tempfile::tempdir().expect("a folder");
        let socket = socket(&home);
        let started = Command::new("oidc-agent").arg("-a").arg(&socket).env("HOME", home.path()).output().ok()?;
        let words = String::from_utf8_lossy(&started.stdout).into_owned();
        let pid = words.split("OIDCD_PID=").nth(1)?.split(';').next()?.to_owned();
        let server = AuthorizationServer::start(Options {
            clients: vec![Client::confidential(CLIENT.0, CLIENT.1)],
            access_token_lifetime: Duration::from_secs(24 * 3600),
            ..Options::default()
        });
        let agent = Self { home, pid, server };
        let refresh_token = refresh_token(&agent.server).await;
        let account = ["bench", "--flow=refresh", "--prompt=none", "--confirm-default", "--pw-cmd=echo bench"];
        let generated = Command::new("oidc-gen")
            .args(account)
            .arg(format!("--iss={}", agent.server.issuer()))
            .arg(format!("--client-id={}", CLIENT.0))
            .arg(format!("--client-secret={}", CLIENT.1))
            .arg(format!("--rt={refresh_token}"))
            .args(["--scope=openid offline_access api:read", "--redirect-uri=http://localhost:4242"])
            .env("HOME", agent.home.path())
            .env("OIDC_SOCK", &socket)
            .stdin(Stdio::null())
            .output()
            .ok()?;
        if !generated.status.success() {
            eprintln!("oidc-gen: {}", String::from_utf8_lossy(&generated.stderr));
            return None;
        }
        Some(agent)
    }

    /// `oidc-token`, told where the agent is.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new("oidc-token");
        command.arg("bench").env("OIDC_SOCK", socket(&self.home)).env("HOME", self.home.path());
        command
    }
}

impl Drop for OidcAgent {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(&self.pid).status();
    }
}

fn socket(home: &TempDir) -> PathBuf {
    home.path().join("agent.sock")
}

/// A refresh token by device code, the shortest way.
async fn refresh_token(server: &AuthorizationServer) -> String {
    let metadata = http::get(&format!("{}/.well-known/openid-configuration", server.issuer())).await;
    let scope = ("scope", "openid offline_access api:read");
    let device = http::post_as(&metadata.text("device_authorization_endpoint"), &[scope], CLIENT).await;
    server.approve_device(&device.text("user_code"), "ada");
    let code = device.text("device_code");
    let fields = [("grant_type", "urn:ietf:params:oauth:grant-type:device_code"), ("device_code", code.as_str())];
    http::post_as(&metadata.text("token_endpoint"), &fields, CLIENT).await.text("refresh_token")
}
