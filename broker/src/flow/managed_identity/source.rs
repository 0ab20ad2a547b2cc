//! Where the machine gives out tokens: found by the variables that Azure's hosts set, in MSAL's order, or the one that the
//! application names. A secret among the variables goes no further than into the value that is found.

use token_broker_proto::{
    Secret,
    oauth::{ManagedIdentity, ManagedIdentityId, ManagedIdentitySource as Kind},
};
use url::Url;

const IDENTITY_ENDPOINT: &str = "IDENTITY_ENDPOINT";
const IDENTITY_HEADER: &str = "IDENTITY_HEADER";
const IDENTITY_SERVER_THUMBPRINT: &str = "IDENTITY_SERVER_THUMBPRINT";
const IMDS_ENDPOINT: &str = "IMDS_ENDPOINT";
const MSI_ENDPOINT: &str = "MSI_ENDPOINT";
const MSI_SECRET: &str = "MSI_SECRET";
const AZUREPS_HOST_ENVIRONMENT: &str = "AZUREPS_HOST_ENVIRONMENT";
const AZURE_POD_IDENTITY_AUTHORITY_HOST: &str = "AZURE_POD_IDENTITY_AUTHORITY_HOST";

/// Every variable that is looked at.
pub const VARIABLES: [&str; 8] = [
    IDENTITY_ENDPOINT,
    IDENTITY_HEADER,
    IDENTITY_SERVER_THUMBPRINT,
    IMDS_ENDPOINT,
    MSI_ENDPOINT,
    MSI_SECRET,
    AZUREPS_HOST_ENVIRONMENT,
    AZURE_POD_IDENTITY_AUTHORITY_HOST,
];

/// Where the agent of Azure Arc listens unless a variable says otherwise.
const ARC_AGENT: &str = "http://localhost:40342/metadata/identity/oauth2/token";
/// Where Cloud Shell gives out its user's tokens unless a variable says otherwise.
const CLOUD_SHELL: &str = "http://localhost:50342/oauth2/token";
/// The Instance Metadata Service, which every virtual machine of Azure has.
const IMDS: &str = "http://169.254.169.254";
const IMDS_PATH: &str = "/metadata/identity/oauth2/token";

/// What is known of the machine.
pub struct Environment<'a> {
    /// A variable of the daemon's environment.
    pub variable: &'a dyn Fn(&str) -> Option<Secret>,
    /// Whether the agent of Azure Arc is installed.
    pub has_arc_agent: &'a dyn Fn() -> bool,
}

impl Environment<'_> {
    /// A variable that is set to nothing is as good as absent.
    fn get(&self, name: &str) -> Option<Secret> {
        (self.variable)(name).filter(|value| !value.is_empty())
    }

    fn has(&self, names: &[&str]) -> bool {
        names.iter().all(|name| self.get(name).is_some())
    }

    fn is_cloud_shell(&self) -> bool {
        let host = self.get(AZUREPS_HOST_ENVIRONMENT);
        self.has(&[MSI_ENDPOINT]) || host.is_some_and(|host| host.expose().starts_with("cloud-shell"))
    }

    /// The source of this identity: the one that it names, else the one that there is; the Instance Metadata Service where nothing
    /// speaks for another.
    #[must_use]
    pub fn source_of(&self, identity: &ManagedIdentity) -> Kind {
        if let Some(named) = identity.source {
            named
        } else if self.has(&[IDENTITY_ENDPOINT, IDENTITY_HEADER, IDENTITY_SERVER_THUMBPRINT]) {
            Kind::ServiceFabric
        } else if self.has(&[IDENTITY_ENDPOINT, IDENTITY_HEADER]) {
            Kind::AppService
        } else if self.has(&[MSI_ENDPOINT, MSI_SECRET]) {
            Kind::MachineLearning
        } else if self.has(&[IDENTITY_ENDPOINT, IMDS_ENDPOINT]) || (self.has_arc_agent)() {
            Kind::AzureArc
        } else if self.is_cloud_shell() {
            Kind::CloudShell
        } else {
            Kind::Imds
        }
    }

    fn secret(&self, named: Kind, name: &'static str) -> Result<Secret, SourceError> {
        self.get(name).ok_or(SourceError::Missing { named, variable: name })
    }

    fn endpoint(&self, source: Kind, name: &'static str) -> Result<Url, SourceError> {
        endpoint(name, self.secret(source, name)?.expose())
    }
}

/// A source with all that it takes to ask it.
#[derive(Debug, Clone)]
pub enum Source {
    /// Azure Service Fabric, over TLS.
    ServiceFabric {
        /// Where.
        endpoint: Url,
        /// Proves that it is asked from the machine.
        header: Secret,
        /// SHA-1 of the one certificate that it may show.
        thumbprint: [u8; 20],
    },
    /// Azure App Service and its like.
    AppService {
        /// Where.
        endpoint: Url,
        /// Proves that it is asked from the machine.
        header: Secret,
    },
    /// Azure Machine Learning.
    MachineLearning {
        /// Where.
        endpoint: Url,
        /// Proves that it is asked from the machine.
        secret: Secret,
    },
    /// The agent of Azure Arc, which asks for the content of a file.
    AzureArc {
        /// Where.
        endpoint: Url,
    },
    /// Azure Cloud Shell, whose tokens are its user's.
    CloudShell {
        /// Where.
        endpoint: Url,
    },
    /// Instance Metadata Service.
    Imds {
        /// Where.
        endpoint: Url,
    },
}

/// No source that could be asked. Names variables, never what is in them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The source that was named is not here.
    #[error("its source is {named}, but {variable} is not set in the daemon's environment")]
    Missing {
        /// The source.
        named: Kind,
        /// What it needs.
        variable: &'static str,
    },
    /// A variable is no URL that can be asked, or no thumbprint.
    #[error("{variable} in the daemon's environment {rule}")]
    BadVariable {
        /// Which.
        variable: &'static str,
        /// The rule that it breaks.
        rule: &'static str,
    },
    /// This source gives out tokens of one identity only, and would give them out for the one that was asked for.
    #[error("{0} has one identity, which is chosen where it is set up: register the application without an id")]
    UserAssigned(Kind),
}

impl Source {
    /// The source of this identity.
    pub fn find(identity: &ManagedIdentity, environment: &Environment<'_>) -> Result<Self, SourceError> {
        let kind = environment.source_of(identity);
        let is_fixed = matches!(kind, Kind::ServiceFabric | Kind::CloudShell);
        if is_fixed && identity.id != ManagedIdentityId::SystemAssigned {
            return Err(SourceError::UserAssigned(kind));
        }
        let endpoint = |name| environment.endpoint(kind, name);
        let secret = |name| environment.secret(kind, name);
        Ok(match kind {
            Kind::ServiceFabric => Self::ServiceFabric {
                endpoint: over_tls(endpoint(IDENTITY_ENDPOINT)?)?,
                header: secret(IDENTITY_HEADER)?,
                thumbprint: thumbprint(&secret(IDENTITY_SERVER_THUMBPRINT)?)?,
            },
            Kind::AppService => {
                Self::AppService { endpoint: endpoint(IDENTITY_ENDPOINT)?, header: secret(IDENTITY_HEADER)? }
            }
            Kind::MachineLearning => {
                Self::MachineLearning { endpoint: endpoint(MSI_ENDPOINT)?, secret: secret(MSI_SECRET)? }
            }
            Kind::AzureArc => Self::AzureArc { endpoint: arc_agent(environment)? },
            Kind::CloudShell => Self::CloudShell { endpoint: cloud_shell(environment)? },
            Kind::Imds => Self::Imds { endpoint: imds(environment)? },
        })
    }

    /// Which it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::ServiceFabric { .. } => Kind::ServiceFabric,
            Self::AppService { .. } => Kind::AppService,
            Self::MachineLearning { .. } => Kind::MachineLearning,
            Self::AzureArc { .. } => Kind::AzureArc,
            Self::CloudShell { .. } => Kind::CloudShell,
            Self::Imds { .. } => Kind::Imds,
        }
    }

    /// Where it is asked.
    #[must_use]
    pub fn endpoint(&self) -> &Url {
        match self {
            Self::ServiceFabric { endpoint, .. }
            | Self::AppService { endpoint, .. }
            | Self::MachineLearning { endpoint, .. }
            | Self::AzureArc { endpoint }
            | Self::CloudShell { endpoint }
            | Self::Imds { endpoint } => endpoint,
        }
    }
}

fn arc_agent(environment: &Environment<'_>) -> Result<Url, SourceError> {
    if environment.has(&[IDENTITY_ENDPOINT, IMDS_ENDPOINT]) {
        environment.endpoint(Kind::AzureArc, IDENTITY_ENDPOINT)
    } else {
        endpoint(IDENTITY_ENDPOINT, ARC_AGENT)
    }
}

fn cloud_shell(environment: &Environment<'_>) -> Result<Url, SourceError> {
    match environment.get(MSI_ENDPOINT) {
        Some(url) => endpoint(MSI_ENDPOINT, url.expose()),
        None => endpoint(MSI_ENDPOINT, CLOUD_SHELL),
    }
}

fn imds(environment: &Environment<'_>) -> Result<Url, SourceError> {
    let base = environment.get(AZURE_POD_IDENTITY_AUTHORITY_HOST);
    let base = base.as_ref().map_or(IMDS, Secret::expose).trim_matches('/');
    endpoint(AZURE_POD_IDENTITY_AUTHORITY_HOST, &format!("{base}{IMDS_PATH}"))
}

/// A URL that can be asked. Any host will do: the variables are the machine owner's word.
fn endpoint(variable: &'static str, text: &str) -> Result<Url, SourceError> {
    let bad = |rule| SourceError::BadVariable { variable, rule };
    let url = Url::parse(text).map_err(|_| bad("is not a URL"))?;
    let is_asked = matches!(url.scheme(), "http" | "https") && url.has_host();
    if !is_asked || crate::flow::oauth::endpoint::uri(&url).is_none() {
        return Err(bad("is not an http or https URL"));
    }
    if url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err(bad("must have no fragment, user name or password"));
    }
    Ok(url)
}

fn over_tls(endpoint: Url) -> Result<Url, SourceError> {
    let rule = "must be an https URL, since its server is known by its certificate";
    let refused = SourceError::BadVariable { variable: IDENTITY_ENDPOINT, rule };
    if endpoint.scheme() == "https" { Ok(endpoint) } else { Err(refused) }
}

/// 40 hex digits; blanks and colons between them do not count.
fn thumbprint(text: &Secret) -> Result<[u8; 20], SourceError> {
    let digits: Option<Vec<u8>> = text
        .expose()
        .chars()
        .filter(|c| !matches!(c, ' ' | '\t' | '\r' | '\n' | ':'))
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let bytes: Option<Vec<u8>> = digits
        .filter(|digits| digits.len() == 40)
        .map(|digits| digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect());
    bytes.and_then(|bytes| <[u8; 20]>::try_from(bytes).ok()).ok_or(SourceError::BadVariable {
        variable: IDENTITY_SERVER_THUMBPRINT,
        rule: "is not the SHA-1 thumbprint of a certificate: 40 hex digits",
    })
}
