//! The grant that takes a SAML assertion: 2.0 as RFC 7522, section 2.1, has it, and 1.1 in the same form, which is Microsoft's own. The
//! answer is read by `token_response`.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use token_broker_proto::oauth::CorrelationId;
use zeroize::Zeroizing;

use super::rstr::SamlAssertion;
use crate::{
    flow::oauth::{ClientContext, TokenParameters, endpoint::Form},
    model::HttpRequest,
};

/// `grant_type` for SAML 1.1.
pub const SAML_1_1: &str = "urn:ietf:params:oauth:grant-type:saml1_1-bearer";
/// `grant_type` for SAML 2.0.
pub const SAML_2_0: &str = "urn:ietf:params:oauth:grant-type:saml2-bearer";

/// The version of an assertion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SamlVersion {
    /// 1.0 and 1.1, whose namespace is the same.
    V1_1,
    /// 2.0.
    V2_0,
}

impl SamlVersion {
    /// Of the `TokenType` of an answer: the namespace of the assertion, or its profile of WS-Security 1.1.
    #[must_use]
    pub fn of_token_type(token_type: &str) -> Option<Self> {
        match token_type {
            "urn:oasis:names:tc:SAML:1.0:assertion"
            | "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLV1.1" => Some(Self::V1_1),
            "urn:oasis:names:tc:SAML:2.0:assertion"
            | "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLV2.0" => Some(Self::V2_0),
            _ => None,
        }
    }
}

/// Asks for tokens of the user whom the assertion is about.
#[must_use]
pub fn request(
    client: ClientContext<'_>,
    assertion: &SamlAssertion,
    parameters: TokenParameters<'_>,
    correlation_id: CorrelationId,
) -> HttpRequest {
    let grant_type = match assertion.version {
        SamlVersion::V1_1 => SAML_1_1,
        SamlVersion::V2_0 => SAML_2_0,
    };
    let encoded = Zeroizing::new(URL_SAFE_NO_PAD.encode(assertion.text.expose()));
    let form = Form::grant(grant_type).with("assertion", encoded.as_str());
    client.post_to_token_endpoint(parameters.add_to(form), correlation_id)
}
