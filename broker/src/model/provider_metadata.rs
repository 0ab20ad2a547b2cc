//! What a provider publishes of itself (OpenID Connect Discovery 1.0, section 3; RFC 8414, section 2).

use serde::{Deserialize, Serialize};
use token_broker_proto::oauth::UnixTime;
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
    /// When it was fetched.
    pub fetched_on: UnixTime,
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
