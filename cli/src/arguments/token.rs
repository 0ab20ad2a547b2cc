//! `token`.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};
use token_broker_client::{
    Invalid, Secret,
    calls::{Extras, OnBehalfOf, SessionKey, Subject, TokenRequest},
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
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that people type")]
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
    /// A token for the user whose access token comes on standard input (on-behalf-of, token exchange)
    #[arg(long, conflicts_with_all = ["account", "app_only"])]
    pub(crate) on_behalf_of_stdin: bool,
    /// Key of a session that goes on when the user's token has expired: begins it, or without --on-behalf-of-stdin asks it. Of use only to who may ask this daemon
    #[arg(long, value_name = "KEY", value_parser = session_key, conflicts_with_all = ["account", "app_only"])]
    session_key: Option<SessionKey>,
    /// Begin a session, with a key that is made for it and told
    #[arg(long, requires = "on_behalf_of_stdin", conflicts_with = "session_key")]
    new_session: bool,
    /// Tenant to ask in, instead of the own one (Microsoft Entra ID)
    #[arg(long, value_name = "T")]
    tenant: Option<String>,
    /// Service that the token is for, by its name (token exchange)
    #[arg(long, value_name = "NAME", requires = "on_behalf_of_stdin")]
    audience: Option<String>,
    /// Service that the token is for, by its URI (token exchange)
    #[arg(long, value_name = "URI", requires = "on_behalf_of_stdin")]
    resource: Option<String>,
    /// Path of a federated managed identity (Microsoft Entra ID)
    #[arg(long, value_name = "PATH", requires = "app_only")]
    fmi_path: Option<String>,
    /// Ask for a Kerberos ticket for this service in the ID token (Microsoft Entra ID)
    #[arg(long, value_name = "SPN", conflicts_with_all = ["app_only", "on_behalf_of_stdin", "session_key"])]
    kerberos_service_principal: Option<String>,
    /// Claims of the application's own wish, a JSON object; the token is cached for them
    #[arg(long, value_name = "JSON", value_parser = claims)]
    forwarded_client_claims: Option<Claims>,
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
    #[arg(long, value_name = "PUBKEY", conflicts_with_all = ["pop", "format", "id_token", "new_session"])]
    pub(crate) ssh_cert: Option<PathBuf>,
    /// File for the certificate [default: beside the key, KEY-cert.pub, where ssh looks]
    #[arg(long, value_name = "FILE", requires = "ssh_cert")]
    pub(crate) out: Option<PathBuf>,
    /// Sign this HTTP request with the daemon's key (Microsoft Entra ID)
    #[arg(long, num_args = 2, value_names = ["METHOD", "URL"], conflicts_with_all = ["id_token", "new_session"])]
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
    /// The request, with the user's token that came on standard input.
    pub(crate) fn into_request(self, assertion: Option<Secret>) -> Result<TokenRequest, Invalid> {
        Ok(TokenRequest {
            subject: match (assertion, self.session_key) {
                (Some(assertion), key) if self.new_session || key.is_some() => {
                    Subject::OnBehalfOf(OnBehalfOf::Begin(assertion, key))
                }
                (Some(assertion), _) => Subject::OnBehalfOf(OnBehalfOf::Assertion(assertion)),
                (None, Some(key)) => Subject::OnBehalfOf(OnBehalfOf::Session(key)),
                (None, None) if self.app_only => Subject::Application,
                (None, None) => Subject::User(self.account),
            },
            extras: Extras {
                audience: self.audience,
                resource: self.resource,
                fmi_path: self.fmi_path,
                kerberos_service_principal: self.kerberos_service_principal,
                client_claims: self.forwarded_client_claims,
            },
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

fn session_key(text: &str) -> Result<SessionKey, String> {
    SessionKey::parse(text).map_err(|invalid| invalid.rule)
}
