//! The client that a request is made for, and how it authenticates (RFC 6749, sections 2.3.1 and 3.2.1).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderValue, header::AUTHORIZATION};
use token_broker_proto::{
    Secret,
    calls::ApplicationOptions,
    oauth::{ClientId, CorrelationId},
};
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

use super::request::{self, Form};
use crate::{
    flow::microsoft::telemetry,
    model::{ClientAuthentication, Dialect, HttpRequest, Presented, ProviderMetadata, RegisteredApplication},
};

/// The kind of client assertions (RFC 7523, section 2.2).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Who asks, and whom: the first argument of every request.
#[derive(Debug, Clone, Copy)]
pub struct ClientContext<'a> {
    /// What the provider publishes.
    pub metadata: &'a ProviderMetadata,
    /// RFC 6749, section 2.2.
    pub client_id: &'a ClientId,
    /// What the client authenticates with.
    pub credential: &'a Presented,
    /// What the application adds to its requests.
    pub options: &'a ApplicationOptions,
}

/// The provider has no such endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the provider publishes no {0}")]
pub struct MissingEndpoint(
    /// Its name in the metadata.
    pub &'static str,
);

impl<'a> ClientContext<'a> {
    /// The client that an application is, with what it shows in this request.
    #[must_use]
    pub fn of(
        application: &'a RegisteredApplication,
        metadata: &'a ProviderMetadata,
        credential: &'a Presented,
    ) -> Self {
        Self { metadata, client_id: &application.client_id, credential, options: &application.options }
    }

    /// A form for the token endpoint, authenticated.
    pub(in crate::flow) fn post_to_token_endpoint(self, form: Form<'a>, id: CorrelationId) -> HttpRequest {
        let grant_type = form.grant_type().to_owned();
        let form = if self.is_microsoft() { form.with("client_info", "1") } else { form };
        self.post_extended(&self.metadata.token_endpoint, form, (&grant_type, id))
    }

    /// A form for an endpoint, authenticated, with what the application adds to its requests.
    pub(in crate::flow) fn post_extended(
        self,
        endpoint: &Url,
        form: Form<'a>,
        (grant_type, id): (&str, CorrelationId),
    ) -> HttpRequest {
        let extended = Form::new().with_extra(&self.options.extra_query).extend(endpoint);
        let mut request = self.post(&extended, form.with_extra(&self.options.extra_body), id);
        if self.is_microsoft() {
            telemetry::announce(&mut request, grant_type, self.client_id.as_str());
            telemetry::name(&mut request, self.options);
        }
        request
    }

    /// Whether the provider speaks Microsoft's dialect.
    pub(in crate::flow) fn is_microsoft(self) -> bool {
        self.metadata.dialect == Dialect::Microsoft
    }

    /// A form for an endpoint, authenticated.
    pub(in crate::flow) fn post(self, endpoint: &Url, form: Form<'a>, id: CorrelationId) -> HttpRequest {
        match (self.credential, self.metadata.client_authentication) {
            (Presented::Nothing, _) => request::post(endpoint, &self.named(form), id),
            (Presented::Secret(secret), ClientAuthentication::Post) => {
                request::post(endpoint, &self.named(form).with("client_secret", secret.expose()), id)
            }
            (Presented::Secret(secret), ClientAuthentication::Basic) => {
                let mut request = request::post(endpoint, &form, id);
                // Base64 is always a valid header value.
                if let Ok(basic) = self.basic(secret) {
                    request.headers_mut().insert(AUTHORIZATION, basic);
                }
                request
            }
            (Presented::Assertion(assertion), _) => {
                let form = self.named(form).with("client_assertion_type", ASSERTION_TYPE);
                request::post(endpoint, &form.with("client_assertion", assertion.expose()), id)
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

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};
    use token_broker_proto::{
        Secret,
        calls::ApplicationOptions,
        oauth::{Claims, PublicKey, ScopeSet},
    };

    use super::ClientContext;
    use crate::{
        flow::oauth::{
            TokenParameters, client_credentials, device_code,
            on_behalf_of::{
                self,
                token_exchange::{self, Exchange},
            },
            proof_of_possession, refresh_token, revocation, vectors,
        },
        model::{ClientAuthentication, HttpRequest, Presented, RefreshToken, TokenBinding},
    };

    fn request_json(request: &HttpRequest) -> Value {
        let header = |value: &http::HeaderValue| Value::from(value.to_str().unwrap());
        let headers: Map<_, _> =
            request.headers().iter().map(|(name, value)| (name.to_string(), header(value))).collect();
        json!({
            "method": request.method().as_str(),
            "uri": request.uri().to_string(),
            "body": request.body().expose(),
            "headers": headers,
        })
    }

    fn build(case: &Value, client: ClientContext<'_>) -> Option<HttpRequest> {
        let id = vectors::correlation_id();
        let scopes = case["scopes"].as_str().map(|text| ScopeSet::parse([text]).unwrap());
        let claims = case["claims"].as_str().and_then(|text| Claims::parse(text).unwrap());
        let token = RefreshToken::new(Secret::new("rt+/="));
        let binding = match case["public_key"].as_str().map(|key| PublicKey::parse(key).unwrap()) {
            None => TokenBinding::Bearer,
            Some(key) if case["token_type"] == "pop" => proof_of_possession::pop(&key),
            Some(key) => proof_of_possession::ssh_cert(&key),
        };
        let parameters = TokenParameters { scopes: scopes.as_ref(), claims: claims.as_ref(), binding: &binding };
        match vectors::text(case, "flow") {
            "refresh_token" => Some(refresh_token::request(client, &token, parameters, id)),
            "client_credentials" => {
                Some(client_credentials::request(client, parameters, case["fmi_path"].as_str(), id))
            }
            "on_behalf_of" => {
                let assertion = Secret::new(vectors::text(case, "assertion"));
                Some(on_behalf_of::request(client, &assertion, parameters, id))
            }
            "token_exchange" => {
                let (scopes, subject_token) =
                    (scopes.unwrap_or_default(), Secret::new(vectors::text(case, "assertion")));
                let [audience, resource] = ["audience", "resource"].map(|name| case[name].as_str());
                let (scopes, claims) = (&scopes, claims.as_ref());
                let exchange = Exchange { subject_token: &subject_token, scopes, audience, resource, claims };
                Some(token_exchange::request(client, exchange, id))
            }
            "device_code" => device_code::request(client, &scopes?, claims.as_ref(), id).ok(),
            "revocation" => revocation::request(client, &token, id),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn every_vector() {
        vectors::check_all("request", |case| {
            let mut metadata = vectors::metadata();
            let credential = match vectors::text(case, "client") {
                "public" => Presented::Nothing,
                "assertion" => Presented::Assertion(Secret::new("head.claims.signature")),
                _ => Presented::Secret(Secret::new("s&cr:t +")),
            };
            if case["client"] == "post" {
                metadata.client_authentication = ClientAuthentication::Post;
            }
            let client_id = vectors::client_id("my app:1");
            let client = ClientContext {
                metadata: &metadata,
                client_id: &client_id,
                credential: &credential,
                options: &ApplicationOptions::default(),
            };
            let request = build(case, client).unwrap();
            let sensitive = request.headers().get("authorization").is_none_or(http::HeaderValue::is_sensitive);
            assert!(sensitive && !format!("{request:?}").contains("cr%3At"));
            request_json(&request)
        });
    }

    #[test]
    fn what_the_provider_lacks_cannot_be_asked() {
        let mut metadata = vectors::metadata();
        metadata.revocation_endpoint = None;
        metadata.device_authorization_endpoint = None;
        let client_id = vectors::client_id("c");
        let client = ClientContext {
            metadata: &metadata,
            client_id: &client_id,
            credential: &Presented::Nothing,
            options: &ApplicationOptions::default(),
        };
        for flow in ["revocation", "device_code"] {
            assert!(build(&json!({ "flow": flow, "scopes": "a" }), client).is_none());
        }
    }
}
