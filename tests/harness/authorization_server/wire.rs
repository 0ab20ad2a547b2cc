//! Requests and answers as the protocol sees them: parameters, who the client says it is, and a status with headers and bytes.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;
use url::{Url, form_urlencoded};

/// A request, taken apart.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) post: bool,
    pub(crate) query: Params,
    pub(crate) form: Params,
    /// HTTP Basic: id and secret, form-decoded (RFC 6749 section 2.3.1).
    pub(crate) basic: Option<(String, String)>,
}

/// Parameters of a query or a form.
#[derive(Debug, Clone, Default)]
pub(crate) struct Params(pub(crate) Vec<(String, String)>);

impl Params {
    pub(crate) fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// The value of that name; empty when it is not there.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

/// Id and secret of an `authorization` header.
pub(crate) fn basic(header: Option<&str>) -> Option<(String, String)> {
    let bytes = BASE64_STANDARD.decode(header?.strip_prefix("Basic ")?).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (id, secret) = text.split_once(':')?;
    let decode = |text: &str| Params::parse(format!("x={text}").as_bytes()).get("x").to_owned();
    Some((decode(id), decode(secret)))
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        let headers = [("content-type", "application/json"), ("cache-control", "no-store")];
        Self { status, headers: owned(&headers), body: body.to_string().into_bytes() }
    }

    pub(crate) fn html(status: u16, body: &str) -> Self {
        Self { status, headers: owned(&[("content-type", "text/html; charset=utf-8")]), body: body.as_bytes().to_vec() }
    }

    pub(crate) fn redirect(to: &Url) -> Self {
        Self { status: 303, headers: owned(&[("location", to.as_str())]), body: Vec::new() }
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }
}

fn owned(headers: &[(&str, &str)]) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
