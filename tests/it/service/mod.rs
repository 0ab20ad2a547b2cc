//! The user service under a real `systemd --user`: installed by `broker-cli service install`, started by the first call, crashed,
//! stopped, upgraded, removed. Each test has a user, a home and a manager of its own.

mod crash;
mod install;
mod package;
mod readme;
mod reload;
mod replaced;
mod sandbox;
mod stop;

use token_broker_tests::{
    authorization_server::{AuthorizationServer, Endpoint, Fault, Gate, Options},
    peers::systemd::{UserSession, built},
    requirements::require,
};

/// Where the programs are installed.
const BIN: &str = ".local/bin";
/// The log of the daemon goes where a failing test can show it; there is no journal here.
const LOG: &str = "[Service]\nStandardError=append:%h/daemon.log\n";

/// A session with both programs in place, or `None` after the skip was announced.
async fn session() -> Option<UserSession> {
    let session = require(UserSession::start().await)?;
    for name in ["broker-cli", "token-brokerd"] {
        session.put(&built(name), &format!("{BIN}/{name}"));
    }
    drop_in(&session, "log.conf", LOG);
    Some(session)
}

/// The same with the service installed.
async fn installed() -> Option<UserSession> {
    let session = session().await?;
    session.ok("broker-cli service install").await;
    Some(session)
}

/// Adds to the service unit; seen at the next `daemon-reload`.
fn drop_in(session: &UserSession, name: &str, text: &str) {
    session.write(&format!(".config/systemd/user/token-broker.service.d/{name}"), text);
}

/// An application of its own right at a provider that holds the next token back until the gate opens.
async fn held_call(session: &UserSession) -> (AuthorizationServer, Gate) {
    let server = AuthorizationServer::start(Options::default());
    let secret = session.write("secret", "service secret: +/%&=?~");
    let add = format!(
        "exec broker-cli app add job --issuer {} --client-id service-app --scope api:read --client-secret-stdin < {}",
        server.issuer(),
        secret.display()
    );
    session.script(&add).await;
    let gate = Gate::closed();
    server.fail_next(Endpoint::Token, Fault::HoldBefore(gate.clone()));
    (server, gate)
}
