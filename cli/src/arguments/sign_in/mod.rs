//! `login` and `logout`. The ways to sign in are in `method`.

mod method;

use std::time::Duration;

use clap::Args;
use token_broker_client::{
    Invalid,
    calls::{SignInMethod, SignInRequest, SignOutRequest},
    oauth::{ApplicationName, Claims},
};

use method::MethodArguments;

use super::{application, claims, duration, scopes};

/// `login`.
#[derive(Debug, Args)]
pub(crate) struct LoginArguments {
    /// Name of the application
    #[arg(value_name = "APP", value_parser = application)]
    pub(crate) application: ApplicationName,
    /// Scope to ask for instead of the application's own; may repeat
    #[arg(long = "scope", value_name = "S")]
    pub(crate) scopes: Vec<String>,
    #[command(flatten)]
    pub(crate) method: MethodArguments,
    /// User name to suggest to the provider
    #[arg(long, value_name = "U", conflicts_with = "without_page")]
    login_hint: Option<String>,
    /// What the provider shall ask.
    #[arg(
        long,
        value_name = "P",
        conflicts_with = "without_page",
        help = "What the provider shall ask: login, consent, select_account, create, none"
    )]
    prompt: Option<String>,
    /// Domain of the account, to skip a page (Microsoft Entra ID)
    #[arg(long, value_name = "D", conflicts_with = "without_page")]
    domain_hint: Option<String>,
    /// Claims to ask for, a JSON object
    #[arg(long, value_name = "JSON", value_parser = claims)]
    claims: Option<Claims>,
    /// The user must have signed in at most this long ago, else does again: 90s, 15m, 8h
    #[arg(long, value_name = "D", value_parser = duration::parse, conflicts_with_all = ["device_code", "without_page"])]
    max_age: Option<Duration>,
    /// Give up after this time: 90, 90s, 15m, 8h
    #[arg(long, value_name = "S", value_parser = duration::parse)]
    timeout: Option<Duration>,
}

impl LoginArguments {
    /// The request, by the method that was chosen.
    pub(crate) fn into_request(self, method: SignInMethod) -> Result<SignInRequest, Invalid> {
        Ok(SignInRequest {
            scopes: scopes(&self.scopes)?,
            method,
            login_hint: self.login_hint,
            prompt: self.prompt,
            domain_hint: self.domain_hint,
            claims: self.claims,
            max_age: self.max_age,
            timeout: self.timeout,
            ..SignInRequest::new(self.application)
        })
    }
}

/// `logout`.
#[derive(Debug, Args)]
pub(crate) struct LogoutArguments {
    /// Name of the application
    #[arg(value_name = "APP", value_parser = application)]
    pub(crate) application: ApplicationName,
    /// User name or home account id, when several are signed in
    #[arg(long, value_name = "A")]
    account: Option<String>,
    /// Revoke the refresh token at the provider, too
    #[arg(long)]
    revoke: bool,
}

impl LogoutArguments {
    /// The request.
    pub(crate) fn into_request(self) -> SignOutRequest {
        SignOutRequest {
            application: self.application,
            account: self.account,
            revoke: self.revoke,
            correlation_id: None,
        }
    }
}
