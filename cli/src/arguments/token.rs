//! `token`.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};
use token_broker_client::{
    Invalid,
    calls::{Subject, TokenRequest},
    oauth::{ApplicationName, Claims},
};

use super::{application, claims, duration, scopes};

const FORMATS: &str = "\
With --ssh-cert the certificate goes to a file and the name of the file is printed; the key pair is of ssh-keygen -t rsa.
With --pop the token is bound to a key of the daemon, and one HTTP request is signed with it: forms raw, json and header.

Formats:
  raw          The token and a newline, nothing else
  json         The same as --json
  header       An HTTP header: Authorization: Bearer TOKEN, or Authorization: PoP ...
  env          Shell lines that export ACCESS_TOKEN and ACCESS_TOKEN_EXPIRES_ON
  xoauth2      Initial response of the SASL mechanism XOAUTH2
  oauthbearer  Initial response of the SASL mechanism OAUTHBEARER (RFC 7628)";

/// How the token is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// The token and a newline, nothing else
    Raw,
    /// The same as --json
    Json,
    /// An HTTP header
    Header,
    /// Shell lines to export it
    Env,
    /// Initial response of the SASL mechanism XOAUTH2
    Xoauth2,
    /// Initial response of the SASL mechanism OAUTHBEARER (RFC 7628)
    Oauthbearer,
}

/// `token`.
#[derive(Debug, Args)]
#[command(after_help = FORMATS)]
pub(crate) struct TokenArguments {
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
    /// Ask the provider for a new token
    #[arg(long)]
    force_refresh: bool,
    /// The token must stay valid this long: 90, 90s, 15m, 8h, 2d
    #[arg(long, value_name = "D", value_parser = duration::parse)]
    pub(crate) min_validity: Option<Duration>,
    /// Claims challenge, a JSON object; asks the provider for a new token
    #[arg(long, value_name = "JSON", value_parser = claims)]
    claims: Option<Claims>,
    /// Ask for the ID token too; it is in the forms json and env
    #[arg(long)]
    pub(crate) id_token: bool,
    /// An SSH certificate over this public key, KEY.pub, instead of a token (Microsoft Entra ID)
    #[arg(long, value_name = "PUBKEY", conflicts_with_all = ["pop", "format", "id_token"])]
    pub(crate) ssh_cert: Option<PathBuf>,
    /// File for the certificate [default: beside the key, KEY-cert.pub, where ssh looks]
    #[arg(long, value_name = "FILE", requires = "ssh_cert")]
    pub(crate) out: Option<PathBuf>,
    /// Sign this HTTP request with the daemon's key (Microsoft Entra ID)
    #[arg(long, num_args = 2, value_names = ["METHOD", "URL"], conflicts_with = "id_token")]
    pub(crate) pop: Option<Vec<String>>,
    /// Nonce that the server asked for
    #[arg(long, value_name = "N", requires = "pop")]
    pub(crate) nonce: Option<String>,
    /// Claims of your own that the server knows, a JSON object
    #[arg(long, value_name = "C", requires = "pop")]
    pub(crate) client_claims: Option<String>,
    /// How to print it, see below
    #[arg(long, value_enum, default_value = "raw", hide_possible_values = true)]
    pub(crate) format: Format,
}

impl TokenArguments {
    /// The request.
    pub(crate) fn into_request(self) -> Result<TokenRequest, Invalid> {
        Ok(TokenRequest {
            subject: if self.app_only { Subject::Application } else { Subject::User(self.account) },
            scopes: scopes(&self.scopes)?,
            tenant: self.tenant,
            force_refresh: self.force_refresh,
            min_validity: self.min_validity,
            claims: self.claims,
            include_id_token: self.id_token,
            ..TokenRequest::new(self.application)
        })
    }
}
