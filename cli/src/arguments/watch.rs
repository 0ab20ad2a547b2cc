//! `watch` and `events`.

use std::time::Duration;

use clap::Args;
use token_broker_client::{
    Invalid,
    calls::{Subject, TokenRequest},
    oauth::ApplicationName,
};

use super::{application, duration, scopes};

const WATCHED: &str = "\
Prints the current token, then each newer one as soon as the daemon has it; the daemon renews it before it runs out.
When a sign-in is needed it says so and goes on. It ends with Ctrl-C, or with exit code 4 when the daemon stops.";
const EVENTS: &str = "\
Prints a line for each sign-in, sign-out, renewal and change of an application from now on; never a token.
It ends with Ctrl-C, or with exit code 4 when the daemon stops.";

/// `watch`.
#[derive(Debug, Args)]
#[command(after_help = WATCHED)]
pub(crate) struct WatchArguments {
    /// Name of the application
    #[arg(value_name = "APP", value_parser = application)]
    pub(crate) application: ApplicationName,
    /// Scope the token must have, instead of the application's own; may repeat
    #[arg(long = "scope", value_name = "S")]
    pub(crate) scopes: Vec<String>,
    /// User name or home account id, when several are signed in
    #[arg(long, value_name = "A")]
    account: Option<String>,
    /// A token for the application itself, without a user
    #[arg(long, conflicts_with = "account")]
    app_only: bool,
    /// Tenant to ask in, instead of the own one (Microsoft Entra ID)
    #[arg(long, value_name = "T")]
    tenant: Option<String>,
    /// Renew it this long before it runs out: 90, 90s, 15m, 8h
    #[arg(long, value_name = "D", value_parser = duration::parse)]
    min_validity: Option<Duration>,
}

impl WatchArguments {
    /// The request.
    pub(crate) fn into_request(self) -> Result<TokenRequest, Invalid> {
        Ok(TokenRequest {
            subject: if self.app_only { Subject::Application } else { Subject::User(self.account) },
            scopes: scopes(&self.scopes)?,
            tenant: self.tenant,
            min_validity: self.min_validity,
            ..TokenRequest::new(self.application)
        })
    }
}

/// `events`.
#[derive(Debug, Args)]
#[command(after_help = EVENTS)]
pub(crate) struct EventsArguments {
    /// Only those of this application
    #[arg(value_name = "APP", value_parser = application)]
    pub(crate) application: Option<ApplicationName>,
}
