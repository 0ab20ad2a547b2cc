//! The client that a request is made for, and how it authenticates (RFC 6749, sections 2.3.1 and 3.2.1).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderValue, header::AUTHORIZATION};
use token_broker_proto::{
    Secret,
    oauth::{ClientId, CorrelationId},
};
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

use super::request::{self, Form};
use crate::model::{ClientAuthentication, Credential, HttpRequest, ProviderMetadata};

/// Who asks, and whom: the first argument of every request.
#[derive(Debug, Clone, Copy)]
pub struct ClientContext<'a> {
    /// What the provider publishes.
    pub metadata: &'a ProviderMetadata,
    /// RFC 6749, section 2.2.
    pub client_id: &'a ClientId,
    /// How the client authenticates.
    pub credential: &'a Credential,
}

/// The provider has no such endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the provider publishes no {0}")]
pub struct MissingEndpoint(
    /// Its name in the metadata.
    pub &'static str,
);

impl<'a> ClientContext<'a> {
    /// A form for the token endpoint, authenticated.
    pub(in crate::flow::oauth) fn post_to_token_endpoint(self, form: Form<'a>, id: CorrelationId) -> HttpRequest {
        self.post(&self.metadata.token_endpoint, form, id)
    }

    /// A form for an endpoint, authenticated.
    pub(in crate::flow::oauth) fn post(self, endpoint: &Url, form: Form<'a>, id: CorrelationId) -> HttpRequest {
        match (self.credential, self.metadata.client_authentication) {
            (Credential::Public, _) => request::post(endpoint, &self.named(form), id),
            (Credential::Secret(secret), ClientAuthentication::Post) => {
                request::post(endpoint, &self.named(form).with("client_secret", secret.expose()), id)
            }
            (Credential::Secret(secret), ClientAuthentication::Basic) => {
                let mut request = request::post(endpoint, &form, id);
                // Base64 is always a valid header value.
                if let Ok(basic) = self.basic(secret) {
                    request.headers_mut().insert(AUTHORIZATION, basic);
                }
                request
            }
        }
    }

    fn named(self, form: Form<'a>) -> Form<'a> {
        form.with("client_id", self.client_id.as_str())
    }

    /// Both parts are form-encoded first (RFC 6749, section 2.3.1), which many clients forget.
    fn basic(self, secret: &Secret) -> Result<HeaderValue, http::header::InvalidHeaderValue> {
        let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let pair = Zeroizing::new(format!(
            "{}:{}",
            encoded(self.client_id.as_str()),
            *Zeroizing::new(encoded(secret.expose()))
        ));
        let text = Zeroizing::new(format!("Basic {}", *Zeroizing::new(STANDARD.encode(pair.as_bytes()))));
        let mut value = HeaderValue::from_str(&text)?;
        value.set_sensitive(true);
        Ok(value)
    }
}
