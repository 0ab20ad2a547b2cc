//! The two requests that flows make: a form sent with POST (RFC 6749, appendix B) and a document asked for with GET. Every
//! one carries the correlation id as `client-request-id`.

use std::borrow::Cow;

use http::{
    HeaderMap, HeaderValue, Method, Uri,
    header::{ACCEPT, CONTENT_TYPE},
};
use token_broker_proto::{
    Secret,
    oauth::{Claims, CorrelationId, ExtraParameters, ScopeSet},
};
use url::{Url, form_urlencoded};

use crate::{
    flow::oauth::proof_of_possession,
    model::{HttpRequest, TokenBinding},
};

/// Parameters of a request, in order.
#[derive(Default)]
pub(in crate::flow) struct Form<'a>(Vec<(&'a str, Cow<'a, str>)>);

impl<'a> Form<'a> {
    /// No parameter yet.
    pub(in crate::flow) fn new() -> Self {
        Self::default()
    }

    /// The form of a token request (RFC 6749, section 4).
    pub(in crate::flow) fn grant(grant_type: &'static str) -> Self {
        Self::new().with("grant_type", grant_type)
    }

    /// One parameter more.
    pub(in crate::flow) fn with(mut self, name: &'static str, value: impl Into<Cow<'a, str>>) -> Self {
        self.0.push((name, value.into()));
        self
    }

    /// One parameter more, if there is a value.
    pub(in crate::flow) fn with_some(self, name: &'static str, value: Option<impl Into<Cow<'a, str>>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The parameters that an application adds, but for those that are there.
    pub(in crate::flow) fn with_extra(mut self, extra: &'a ExtraParameters) -> Self {
        for (name, value) in extra.iter() {
            if !self.0.iter().any(|(there, _)| *there == name) {
                self.0.push((name, value.into()));
            }
        }
        self
    }

    /// The endpoint with these parameters after those of its query.
    pub(in crate::flow) fn extend(&self, endpoint: &Url) -> Url {
        let mut url = endpoint.clone();
        if !self.0.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.0);
        }
        url
    }

    /// The `grant_type`, of the form of a token request.
    pub(super) fn grant_type(&self) -> &str {
        self.0.iter().find(|(name, _)| *name == "grant_type").map_or("", |(_, value)| value)
    }

    /// The encoded text. Its memory is taken once and is large enough, so that no copy of a secret stays behind.
    pub(in crate::flow) fn encode(&self) -> Secret {
        let room = self.0.iter().map(|(name, value)| name.len() + 3 * value.len() + 2).sum();
        let mut body = String::with_capacity(room);
        for (name, value) in &self.0 {
            if !body.is_empty() {
                body.push('&');
            }
            body.push_str(name);
            body.push('=');
            body.extend(form_urlencoded::byte_serialize(value.as_bytes()));
        }
        Secret::new(body)
    }
}

/// What access token a request asks for, whatever the grant.
#[derive(Debug, Clone, Copy)]
pub struct TokenParameters<'a> {
    /// RFC 6749, section 3.3; none or no scope at all: what the provider gives by itself.
    pub scopes: Option<&'a ScopeSet>,
    /// OpenID Connect Core 1.0, section 5.5.
    pub claims: Option<&'a Claims>,
    /// What it shall be bound to.
    pub binding: &'a TokenBinding,
}

impl<'a> TokenParameters<'a> {
    /// The parameters behind those of the grant.
    pub(in crate::flow) fn add_to(self, form: Form<'a>) -> Form<'a> {
        let scopes = self.scopes.filter(|scopes| !scopes.is_empty());
        let form = form
            .with_some("scope", scopes.map(ScopeSet::to_string))
            .with_some("claims", self.claims.map(Claims::as_str));
        proof_of_possession::add_to(form, self.binding)
    }
}

/// A form for an endpoint.
pub(super) fn post(endpoint: &Url, form: &Form<'_>, correlation_id: CorrelationId) -> HttpRequest {
    let mut request = plain(Method::POST, endpoint, form.encode(), correlation_id);
    let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers_mut().insert(CONTENT_TYPE, form_type);
    request
}

/// A text for an endpoint; what type it has is for the caller to say.
pub(in crate::flow) fn post_text(endpoint: &Url, text: Secret, correlation_id: CorrelationId) -> HttpRequest {
    plain(Method::POST, endpoint, text, correlation_id)
}

/// A document of a provider.
pub(super) fn get(url: &Url, correlation_id: CorrelationId) -> HttpRequest {
    plain(Method::GET, url, Secret::new(""), correlation_id)
}

fn plain(method: Method, url: &Url, body: Secret, correlation_id: CorrelationId) -> HttpRequest {
    let mut request = HttpRequest::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = uri(url).unwrap_or_default();
    insert(request.headers_mut(), correlation_id);
    request
}

fn insert(headers: &mut HeaderMap, correlation_id: CorrelationId) {
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    if let Ok(id) = HeaderValue::from_str(&correlation_id.to_string()) {
        headers.insert("client-request-id", id);
    }
}

/// The same URL for `http`, which knows fewer characters in a host and less length. Published endpoints are checked with
/// this when they are read; one given by hand that fails becomes `/`, which has no host and is refused before anything is
/// sent.
pub(in crate::flow) fn uri(url: &Url) -> Option<Uri> {
    url.as_str().parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::form_urlencoded;

    use token_broker_proto::oauth::ExtraParameters;

    use super::Form;

    #[test]
    fn a_form_reads_back() {
        let form =
            Form::grant("refresh_token").with("refresh_token", "a b&c=d%\u{e9}+").with_some("scope", None::<&str>);
        let body = form.encode();
        assert_eq!(body.expose(), "grant_type=refresh_token&refresh_token=a+b%26c%3Dd%25%C3%A9%2B");
        assert_eq!(form_urlencoded::parse(body.expose().as_bytes()).count(), 2);
    }

    #[test]
    fn what_an_application_adds_takes_the_place_of_nothing() {
        let pairs = [("audience", "https://api.example/?a=b"), ("prompt_hint", "x y")];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let extra = ExtraParameters::parse("extra_query", pairs).unwrap();
        let form = Form::new().with("prompt_hint", "own").with_extra(&extra);
        assert_eq!(form.encode().expose(), "prompt_hint=own&audience=https%3A%2F%2Fapi.example%2F%3Fa%3Db");
        let endpoint = "https://id.example/token?p=b2c_1".parse().unwrap();
        let extended = Form::new().with_extra(&extra).extend(&endpoint).to_string();
        assert_eq!(
            extended,
            "https://id.example/token?p=b2c_1&audience=https%3A%2F%2Fapi.example%2F%3Fa%3Db&prompt_hint=x+y"
        );
        assert_eq!(Form::new().extend(&endpoint), endpoint);
    }

    proptest! {
        #[test]
        fn any_values_read_back(one in "\\PC{0,24}", other in any::<String>()) {
            let body = Form::new().with("one", one.as_str()).with("other", other.as_str()).encode();
            let read: Vec<_> = form_urlencoded::parse(body.expose().as_bytes()).into_owned().collect();
            prop_assert_eq!(read, [("one".to_owned(), one), ("other".to_owned(), other)]);
        }
    }
}
