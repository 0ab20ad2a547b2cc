//! `app add|list|show|remove|apply`.

pub(crate) mod apply_file;
mod authority;
mod credential;
mod options;

use std::{path::PathBuf, time::Duration};

use clap::{ArgGroup, Args, Subcommand};
use token_broker_client::{
    Secret,
    calls::{ExistingApplication, NewApplication, keep_alive, redirect_uri},
    oauth::{ApplicationName, ClientId, client_capabilities},
};

use super::{application, duration, scopes};
use crate::failure::Failed;
use authority::{AuthorityTexts, EndpointTexts, ManagedIdentityTexts};
use credential::CredentialArguments;
use options::OptionArguments;

/// What to do with applications.
#[derive(Debug, Subcommand)]
pub(crate) enum AppCommand {
    /// Register an application
    Add(Box<AddArguments>),
    /// List the registered applications
    List,
    /// Show one application; never its secret
    Show {
        /// Name of the application
        #[arg(value_name = "NAME", value_parser = application)]
        application: ApplicationName,
    },
    /// Remove an application with its accounts and tokens
    Remove {
        /// Name of the application
        #[arg(value_name = "NAME", value_parser = application)]
        application: ApplicationName,
    },
    /// Register what a TOML file lists; doing it again changes nothing
    Apply(ApplyArguments),
}

/// `app apply`.
#[derive(Debug, Args)]
pub(crate) struct ApplyArguments {
    /// File with a list of [[application]]; secrets never stand in it
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Do not check the metadata at the providers
    #[arg(long)]
    pub(crate) offline: bool,
}

/// A managed identity of the daemon's machine.
#[derive(Debug, Args)]
struct ManagedIdentityArguments {
    /// A managed identity that Azure gave this machine: the system-assigned one, or a user-assigned one by one of its ids
    #[arg(long)]
    managed_identity: bool,
    /// Azure resource id of a user-assigned managed identity
    #[arg(long, value_name = "ID", requires = "managed_identity", conflicts_with = "client_id")]
    mi_resource_id: Option<String>,
    /// Object id of a user-assigned managed identity
    #[arg(long, value_name = "ID", requires = "managed_identity", conflicts_with_all = ["client_id", "mi_resource_id"])]
    mi_object_id: Option<String>,
    /// Where its tokens come from [default: what the daemon's environment says]
    #[arg(long, value_name = "SOURCE", requires = "managed_identity", value_parser = SOURCES)]
    mi_source: Option<String>,
}

/// As `ManagedIdentitySource` has them.
const SOURCES: [&str; 6] = ["service-fabric", "app-service", "machine-learning", "azure-arc", "cloud-shell", "imds"];

impl ManagedIdentityArguments {
    fn into_texts(self, client_id: Option<&str>) -> Option<ManagedIdentityTexts> {
        self.managed_identity.then(|| ManagedIdentityTexts {
            client_id: client_id.map(str::to_owned),
            resource_id: self.mi_resource_id,
            object_id: self.mi_object_id,
            source: self.mi_source,
        })
    }
}

/// `app add`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("named-by").args(["client_id", "managed_identity"]).required(true).multiple(true)))]
#[command(group(ArgGroup::new("issued-by").args(["tenant", "authority", "issuer", "token_endpoint", "managed_identity"])))]
pub(crate) struct AddArguments {
    /// Name to give it here: letters, digits, '.', '_', '-'
    #[arg(value_name = "NAME", value_parser = application)]
    pub(crate) application: ApplicationName,
    /// Client identifier at the provider, or client id of a user-assigned managed identity
    #[arg(long, value_name = "ID", value_parser = client_id)]
    client_id: Option<ClientId>,
    /// Tenant of Microsoft Entra ID: GUID, domain, or common (the default), organizations, consumers
    #[arg(long, value_name = "T")]
    tenant: Option<String>,
    /// Authority URL of Microsoft: Entra ID of any cloud, B2C, external tenant, AD FS
    #[arg(long, value_name = "URL")]
    authority: Option<String>,
    /// Issuer URL of an OpenID Connect provider
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// Token endpoint of an OAuth provider without metadata
    #[arg(long, value_name = "URL")]
    token_endpoint: Option<String>,
    /// Its authorization endpoint, for browser sign-in
    #[arg(long, value_name = "URL", requires = "token_endpoint")]
    authorization_endpoint: Option<String>,
    /// Its device authorization endpoint, for device code sign-in
    #[arg(long, value_name = "URL", requires = "token_endpoint")]
    device_endpoint: Option<String>,
    #[command(flatten)]
    managed_identity: ManagedIdentityArguments,
    /// Scope to ask for by default; may repeat
    #[arg(long = "scope", value_name = "S")]
    scopes: Vec<String>,
    /// Redirect URI of browser sign-in, on this machine [default: any port of 127.0.0.1 or localhost], or a web application's own
    #[arg(long, value_name = "URI")]
    redirect_uri: Option<String>,
    /// Client capability of Microsoft Entra ID, such as cp1; may repeat
    #[arg(long = "capability", value_name = "C")]
    capabilities: Vec<String>,
    /// Do not ask Microsoft whether it knows the host of the authority
    #[arg(long)]
    no_instance_discovery: bool,
    #[command(flatten)]
    pub(crate) credential: CredentialArguments,
    /// Refresh a grant that nobody used for so long, such as 30d, so that the provider does not forget it
    #[arg(long, value_name = "D", value_parser = duration::parse)]
    keep_alive: Option<Duration>,
    #[command(flatten)]
    options: OptionArguments,
    /// Do not check the metadata at the provider
    #[arg(long)]
    offline: bool,
    /// Replace an application of the same name
    #[arg(long)]
    replace: bool,
}

impl AddArguments {
    /// The option that names who issues the tokens by a URL, and what was typed there.
    pub(crate) fn issuer(&self) -> Option<(&'static str, &str)> {
        let issuer = self.issuer.as_deref().map(|typed| ("--issuer", typed));
        issuer.or_else(|| self.authority.as_deref().map(|typed| ("--authority", typed)))
    }

    /// The application to register, with what came on standard input for its credential.
    pub(crate) fn into_new(self, read: Option<Secret>) -> Result<NewApplication, Failed> {
        let endpoints = self.token_endpoint.map(|token| EndpointTexts {
            token,
            authorization: self.authorization_endpoint,
            device_authorization: self.device_endpoint,
        });
        let client_id = self.client_id.map(|id| id.to_string());
        let authority = AuthorityTexts {
            tenant: self.tenant,
            authority: self.authority,
            issuer: self.issuer,
            endpoints,
            managed_identity: self.managed_identity.into_texts(client_id.as_deref()),
            no_instance_discovery: self.no_instance_discovery,
        };
        let authority = authority.parse()?;
        let credential = self.credential.into_new(read).map_err(Failed::Input)?;
        Ok(NewApplication {
            name: self.application,
            client_id: authority::client_id(&authority, client_id)?,
            authority,
            scopes: scopes(&self.scopes)?.unwrap_or_default(),
            redirect_uri: self.redirect_uri.map(redirect_uri).transpose()?,
            client_capabilities: client_capabilities(self.capabilities)?,
            credential,
            keep_alive: self.keep_alive.map(keep_alive).transpose()?,
            options: self.options.into_options()?,
            offline: self.offline,
            existing: if self.replace { ExistingApplication::Replace } else { ExistingApplication::Refuse },
        })
    }
}

fn client_id(text: &str) -> Result<ClientId, String> {
    ClientId::parse(text).map_err(|invalid| invalid.rule)
}
