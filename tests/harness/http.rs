//! Plain HTTP for the harness: one request, one answer, no redirect followed, no proxy, no cookie unless a caller sends it.

use reqwest::{Client, RequestBuilder, header::HeaderMap, redirect::Policy};
use serde_json::Value;
use url::{Url, form_urlencoded};

/// An answer, read to its end.
#[derive(Debug)]
pub struct Reply {
    /// The address that was asked.
    pub url: Url,
    /// HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: String,
}

impl Reply {
    /// The body as JSON; `Null` when it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// A string member of the JSON body; empty when it is not there.
    #[must_use]
    pub fn text(&self, member: &str) -> String {
        self.json().get(member).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// Where a redirect points to.
    #[must_use]
    pub fn location(&self) -> Option<Url> {
        let header = self.headers.get("location")?.to_str().ok()?;
        (300..400).contains(&self.status).then(|| self.url.join(header).ok()).flatten()
    }
}

/// A client without any memory, which leaves no connection open behind it. The daemon's features are compiled in as well, so that its TLS provider must be chosen even
/// though only plain HTTP is spoken here.
#[must_use]
pub fn client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default(); // an error: somebody has done it already
    Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .pool_max_idle_per_host(0)
        .build()
        .expect("a plain client builds")
}

/// Sends and reads the whole answer.
///
/// # Panics
/// When there is no answer.
pub async fn send(request: RequestBuilder) -> Reply {
    let answer = request.send().await.expect("the server answers");
    let (url, status, headers) = (answer.url().clone(), answer.status().as_u16(), answer.headers().clone());
    let body = answer.bytes().await.expect("the answer is complete");
    Reply { url, status, headers, body: String::from_utf8_lossy(&body).into_owned() }
}

/// GET.
pub async fn get(url: &str) -> Reply {
    send(client().get(url)).await
}

/// POST of a form (application/x-www-form-urlencoded).
pub async fn post(url: &str, fields: &[(&str, &str)]) -> Reply {
    send(form(client().post(url), fields)).await
}

/// POST of a form with HTTP Basic, both parts form-encoded first (RFC 6749 section 2.3.1).
pub async fn post_as(url: &str, fields: &[(&str, &str)], (id, secret): (&str, &str)) -> Reply {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    send(form(client().post(url), fields).basic_auth(encode(id), Some(encode(secret)))).await
}

/// Puts a form into a request.
pub fn form(request: RequestBuilder, fields: &[(&str, &str)]) -> RequestBuilder {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    request.header("content-type", "application/x-www-form-urlencoded").body(body)
}
