//! What a provider publishes of itself (OpenID Connect Discovery 1.0, section 3; RFC 8414, section 2).

use serde::{Deserialize, Serialize};
use token_broker_proto::oauth::{Authority, UnixTime};
use url::Url;

/// The published metadata, as far as the broker uses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderMetadata {
    /// `issuer`; empty for endpoints given by hand.
    pub issuer: String,
    /// `authorization_endpoint`.
    pub authorization_endpoint: Option<Url>,
    /// `token_endpoint`.
    pub token_endpoint: Url,
    /// `device_authorization_endpoint` (RFC 8628, section 4).
    pub device_authorization_endpoint: Option<Url>,
    /// `revocation_endpoint` (RFC 8414).
    pub revocation_endpoint: Option<Url>,
    /// `jwks_uri`.
    pub jwks_uri: Option<Url>,
    /// Whether `offline_access` is among `scopes_supported`.
    pub offers_offline_access: bool,
    /// Whether `authorization_response_iss_parameter_supported` is true (RFC 9207, section 3).
    pub sends_issuer_parameter: bool,
    /// How a client with a secret authenticates, from `token_endpoint_auth_methods_supported`.
    pub client_authentication: ClientAuthentication,
    /// `token_endpoint_auth_signing_alg_values_supported`; empty where nothing is published.
    pub assertion_algorithms: Vec<String>,
    /// Which words beyond the standards it speaks.
    pub dialect: Dialect,
    /// Every host of its cloud, as Microsoft's instance discovery groups them, the preferred one first; empty elsewhere.
    pub aliases: Vec<String>,
    /// When it was fetched.
    pub fetched_on: UnixTime,
}

impl ProviderMetadata {
    /// The tenant that its tokens are partitioned by (MSAL's realm): the first segment of the token endpoint's path, so a GUID
    /// where the authority has a domain; the whole segment for names that stand for many tenants. Empty elsewhere.
    #[must_use]
    pub fn realm(&self) -> String {
        let mut segments = self.token_endpoint.path_segments().into_iter().flatten();
        match (self.dialect, segments.next()) {
            (Dialect::Microsoft, Some("tfp")) => segments.next().unwrap_or_default().to_owned(),
            (Dialect::Microsoft, first) => first.unwrap_or_default().to_owned(),
            (Dialect::Standard, _) => String::new(),
        }
    }
}

/// Which words beyond the standards a provider speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// None.
    Standard,
    /// Those of Microsoft: `client_info`, a hashed nonce, form post, telemetry headers.
    Microsoft,
}

impl Dialect {
    /// The dialect of an authority.
    #[must_use]
    pub fn of(authority: &Authority) -> Self {
        match authority {
            Authority::Microsoft(_) => Self::Microsoft,
            Authority::OpenIdConnect { .. } | Authority::Endpoints(_) | Authority::ManagedIdentity(_) => Self::Standard,
        }
    }
}

/// Where a client secret goes (RFC 6749, section 2.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthentication {
    /// `client_secret_basic`: HTTP Basic; the default where nothing is published (RFC 8414, section 2).
    Basic,
    /// `client_secret_post`: the request body.
    Post,
}
