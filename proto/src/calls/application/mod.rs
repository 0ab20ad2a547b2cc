//! Registering and showing applications (OAuth 2.0 clients).

mod credential;
mod managed_identity;
mod options;

use std::time::Duration;

pub use credential::{CertificateFile, NewCredential};
pub use options::{ApplicationOptions, OptionTexts};

use super::{Incomplete, given, seconds};
use crate::{
    Invalid,
    oauth::{
        ApplicationName, Authority, ClientId, Endpoints, ManagedIdentity, ScopeSet, client_capabilities, provider_url,
    },
    wire::v1,
};

/// How a client authenticates at the token endpoint (RFC 6749, section 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialKind {
    /// A public client.
    None,
    /// A client secret.
    Secret,
    /// A certificate and its private key.
    Certificate,
    /// A client assertion made elsewhere (RFC 7523).
    Assertion,
    /// A managed identity: the machine answers for it.
    ManagedIdentity,
}

impl CredentialKind {
    /// The word of the JSON output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Secret => "secret",
            Self::Certificate => "certificate",
            Self::Assertion => "assertion",
            Self::ManagedIdentity => "managed_identity",
        }
    }
}

/// A registered application, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// Name in the broker.
    pub name: String,
    /// RFC 6749, section 2.2.
    pub client_id: String,
    /// Authority or issuer URL.
    pub authority: String,
    /// How it authenticates.
    pub credential: CredentialKind,
    /// Keyed fingerprint of its secret, or `x5t#S256` of its certificate.
    pub credential_fingerprint: Option<String>,
    /// Scopes asked for when a request names none.
    pub scopes: Vec<String>,
    /// Redirect URI of browser sign-in or of a web application, if not the default.
    pub redirect_uri: Option<String>,
    /// Client capabilities of Microsoft Entra ID.
    pub client_capabilities: Vec<String>,
    /// Whether instance discovery is left out.
    pub no_instance_discovery: bool,
    /// After how long a grant that nobody used is refreshed, so that the provider does not forget it.
    pub keep_alive: Option<Duration>,
    /// The managed identity that it is, if it is one.
    pub managed_identity: Option<ManagedIdentity>,
    /// What it is set to besides.
    pub options: OptionTexts,
}

impl From<Application> for v1::Application {
    fn from(application: Application) -> Self {
        let credential = match application.credential {
            CredentialKind::None => v1::CredentialKind::None,
            CredentialKind::Secret => v1::CredentialKind::Secret,
            CredentialKind::Certificate => v1::CredentialKind::Certificate,
            CredentialKind::Assertion => v1::CredentialKind::Assertion,
            CredentialKind::ManagedIdentity => v1::CredentialKind::ManagedIdentity,
        };
        Self {
            name: application.name,
            client_id: application.client_id,
            authority: application.authority,
            credential: credential.into(),
            credential_fingerprint: application.credential_fingerprint.unwrap_or_default(),
            scopes: application.scopes,
            redirect_uri: application.redirect_uri.unwrap_or_default(),
            client_capabilities: application.client_capabilities,
            no_instance_discovery: application.no_instance_discovery,
            keep_alive_seconds: in_seconds(application.keep_alive),
            managed_identity: application.managed_identity.as_ref().map(managed_identity::to_wire),
            region: application.options.region,
            extra_query: options::parameters(application.options.extra_query),
            extra_body: options::parameters(application.options.extra_body),
            exclude_scopes: application.options.exclude_scopes,
            assertion_claims: application.options.assertion_claims,
            app_name: application.options.app_name,
            app_version: application.options.app_version,
        }
    }
}

impl TryFrom<v1::Application> for Application {
    type Error = Incomplete;

    fn try_from(wire: v1::Application) -> Result<Self, Incomplete> {
        let credential = match v1::CredentialKind::try_from(wire.credential) {
            Ok(v1::CredentialKind::None) => CredentialKind::None,
            Ok(v1::CredentialKind::Secret) => CredentialKind::Secret,
            Ok(v1::CredentialKind::Certificate) => CredentialKind::Certificate,
            Ok(v1::CredentialKind::Assertion) => CredentialKind::Assertion,
            Ok(v1::CredentialKind::ManagedIdentity) => CredentialKind::ManagedIdentity,
            Ok(v1::CredentialKind::Unspecified) | Err(_) => return Err(Incomplete("credential")),
        };
        Ok(Self {
            name: wire.name,
            client_id: wire.client_id,
            authority: wire.authority,
            credential,
            credential_fingerprint: given(wire.credential_fingerprint),
            scopes: wire.scopes,
            redirect_uri: given(wire.redirect_uri),
            client_capabilities: wire.client_capabilities,
            no_instance_discovery: wire.no_instance_discovery,
            keep_alive: u64::try_from(wire.keep_alive_seconds).ok().filter(|it| *it > 0).map(Duration::from_secs),
            managed_identity: wire.managed_identity.map(managed_identity::from_wire).transpose().map_err(|_| {
                // One that this version cannot name would be shown as another.
                Incomplete("managed_identity")
            })?,
            options: OptionTexts {
                region: wire.region,
                extra_query: options::pairs(wire.extra_query),
                extra_body: options::pairs(wire.extra_body),
                exclude_scopes: wire.exclude_scopes,
                assertion_claims: wire.assertion_claims,
                app_name: wire.app_name,
                app_version: wire.app_version,
            },
        })
    }
}

/// What to do when the name is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ExistingApplication {
    /// Answer that it exists.
    #[default]
    Refuse,
    /// Replace it, credential included.
    Replace,
    /// Replace it, but keep the credential if none is given and client id and authority are the same.
    Update,
}

impl From<ExistingApplication> for v1::ExistingApplication {
    fn from(existing: ExistingApplication) -> Self {
        match existing {
            ExistingApplication::Refuse => Self::Refuse,
            ExistingApplication::Replace => Self::Replace,
            ExistingApplication::Update => Self::Update,
        }
    }
}

/// An application to register.
#[derive(Debug, Clone)]
pub struct NewApplication {
    /// Name in the broker.
    pub name: ApplicationName,
    /// RFC 6749, section 2.2; of a managed identity, the one that `ManagedIdentity::client_id` makes of its id.
    pub client_id: ClientId,
    /// Who issues its tokens.
    pub authority: Authority,
    /// Scopes asked for when a request names none; may be empty.
    pub scopes: ScopeSet,
    /// Redirect URI of browser sign-in or of a web application; `None` for the default.
    pub redirect_uri: Option<String>,
    /// Client capabilities of Microsoft Entra ID, sent with every request.
    pub client_capabilities: Vec<String>,
    /// What it authenticates with.
    pub credential: NewCredential,
    /// Whether to skip the check of its metadata at the provider.
    pub offline: bool,
    /// What to do when the name is taken.
    pub existing: ExistingApplication,
    /// After how long a grant that nobody used is refreshed, so that the provider does not forget it; `None` for never.
    pub keep_alive: Option<Duration>,
    /// What it is set to besides.
    pub options: ApplicationOptions,
}

impl TryFrom<v1::AddApplicationRequest> for NewApplication {
    type Error = Invalid;

    fn try_from(wire: v1::AddApplicationRequest) -> Result<Self, Invalid> {
        let existing = match v1::ExistingApplication::try_from(wire.existing) {
            Ok(v1::ExistingApplication::Unspecified | v1::ExistingApplication::Refuse) => ExistingApplication::Refuse,
            Ok(v1::ExistingApplication::Replace) => ExistingApplication::Replace,
            Ok(v1::ExistingApplication::Update) => ExistingApplication::Update,
            Err(_) => return Err(Invalid::new("existing", "is not a choice of this version")),
        };
        let authority = authority(wire.authority)?;
        let authority = if wire.no_instance_discovery { authority.without_instance_discovery()? } else { authority };
        let new = Self {
            name: ApplicationName::parse("name", &wire.name)?,
            client_id: managed_identity::client_id(&authority, wire.client_id)?,
            authority,
            client_capabilities: client_capabilities(wire.client_capabilities)?,
            scopes: ScopeSet::parse(wire.scopes.iter().map(String::as_str))?,
            redirect_uri: given(wire.redirect_uri).map(redirect_uri).transpose()?,
            credential: credential::from_wire(credential::Parts {
                client_secret: wire.client_secret,
                certificate: wire.certificate,
                assertion_file: wire.assertion_file,
                assertion_from_application: wire.assertion_from_application,
                send_x5c: wire.send_x5c,
            })?,
            offline: wire.offline,
            existing,
            keep_alive: seconds("keep_alive", wire.keep_alive_seconds)?.map(keep_alive).transpose()?,
            options: ApplicationOptions::try_from(OptionTexts {
                region: wire.region,
                extra_query: options::pairs(wire.extra_query),
                extra_body: options::pairs(wire.extra_body),
                exclude_scopes: wire.exclude_scopes,
                assertion_claims: wire.assertion_claims,
                app_name: wire.app_name,
                app_version: wire.app_version,
            })?,
        };
        new.consistent()
    }
}

fn authority(wire: Option<v1::add_application_request::Authority>) -> Result<Authority, Invalid> {
    use v1::add_application_request::Authority as Wire;
    match wire {
        None => Authority::from_tenant("common"),
        Some(Wire::Tenant(tenant)) => Authority::from_tenant(&tenant),
        Some(Wire::AuthorityUrl(url)) => Authority::from_authority_url(&url),
        Some(Wire::Issuer(issuer)) => Authority::from_issuer(&issuer),
        Some(Wire::Endpoints(endpoints)) => Ok(Authority::Endpoints(Endpoints {
            token: provider_url("token_endpoint", &endpoints.token_endpoint)?,
            authorization: given(endpoints.authorization_endpoint)
                .map(|url| provider_url("authorization_endpoint", &url))
                .transpose()?,
            device_authorization: given(endpoints.device_authorization_endpoint)
                .map(|url| provider_url("device_authorization_endpoint", &url))
                .transpose()?,
        })),
        Some(Wire::ManagedIdentity(identity)) => managed_identity::from_wire(identity).map(Authority::ManagedIdentity),
    }
}

/// Reads a redirect URI: `http` on a loopback host, where the daemon can listen and any port will do (RFC 8252, section 7.3), or
/// `https`, where a web application listens (RFC 6749, section 3.1.2).
pub fn redirect_uri(text: String) -> Result<String, Invalid> {
    let rule = "must be an https URL, or an http URL on 127.0.0.1, [::1] or localhost without query; \
                without fragment, user name and password (RFC 6749, section 3.1.2; RFC 8252, section 7.3)";
    let url = provider_url("redirect_uri", &text).map_err(|_| Invalid::new("redirect_uri", rule))?;
    if url.scheme() == "https" || url.query().is_none() { Ok(text) } else { Err(Invalid::new("redirect_uri", rule)) }
}

/// Reads after how long an unused grant is refreshed: an hour to a year.
pub fn keep_alive(span: Duration) -> Result<Duration, Invalid> {
    let allowed = Duration::from_secs(3600)..=Duration::from_secs(365 * 86_400);
    let rule = "must be from an hour to 365 days, and shorter than the provider's limit on inactivity";
    if allowed.contains(&span) { Ok(span) } else { Err(Invalid::new("keep_alive", rule)) }
}

fn in_seconds(span: Option<Duration>) -> i64 {
    span.map_or(0, |span| i64::try_from(span.as_secs()).unwrap_or(i64::MAX))
}

fn authority_to_wire(authority: &Authority) -> v1::add_application_request::Authority {
    use v1::add_application_request::Authority as Wire;
    let text = |url: Option<&url::Url>| url.map(ToString::to_string).unwrap_or_default();
    match authority {
        Authority::OpenIdConnect { text, .. } => Wire::Issuer(text.clone()),
        Authority::Microsoft(_) => Wire::AuthorityUrl(authority.to_string()),
        Authority::Endpoints(endpoints) => Wire::Endpoints(v1::Endpoints {
            token_endpoint: endpoints.token.to_string(),
            authorization_endpoint: text(endpoints.authorization.as_ref()),
            device_authorization_endpoint: text(endpoints.device_authorization.as_ref()),
        }),
        Authority::ManagedIdentity(identity) => Wire::ManagedIdentity(managed_identity::to_wire(identity)),
    }
}

impl From<&NewApplication> for v1::AddApplicationRequest {
    fn from(new: &NewApplication) -> Self {
        let client_id = match new.authority.managed_identity() {
            Some(_) => String::new(),
            None => new.client_id.to_string(),
        };
        let credential = credential::Parts::from(&new.credential);
        let options = new.options.to_texts();
        Self {
            name: new.name.to_string(),
            client_id,
            authority: Some(authority_to_wire(&new.authority)),
            scopes: new.scopes.to_strings(),
            redirect_uri: new.redirect_uri.clone().unwrap_or_default(),
            client_secret: credential.client_secret,
            certificate: credential.certificate,
            assertion_file: credential.assertion_file,
            assertion_from_application: credential.assertion_from_application,
            send_x5c: credential.send_x5c,
            offline: new.offline,
            existing: v1::ExistingApplication::from(new.existing).into(),
            client_capabilities: new.client_capabilities.clone(),
            no_instance_discovery: new.authority.is_vouched_for(),
            keep_alive_seconds: in_seconds(new.keep_alive),
            region: options.region,
            extra_query: options::parameters(options.extra_query),
            extra_body: options::parameters(options.extra_body),
            exclude_scopes: options.exclude_scopes,
            assertion_claims: options.assertion_claims,
            app_name: options.app_name,
            app_version: options.app_version,
        }
    }
}
