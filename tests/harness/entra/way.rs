//! The daemon's way to the platform when it runs in a test's own process: the port `Http` over a client that knows proxy and
//! certificate. The real programs find both in their environment (tests/it/msal has a test of that).

use std::{future::Future, pin::Pin};

use reqwest::Client;
use token_broker::{
    model::{HttpRequest, HttpResponse},
    ports::http::{Http, HttpError},
};
use token_broker_proto::Secret;

/// Sends with this client.
#[derive(Debug)]
pub(super) struct Way(pub(super) Client);

impl Way {
    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let outgoing = self.0.request(parts.method, parts.uri.to_string()).headers(parts.headers);
        let outgoing = if body.is_empty() { outgoing } else { outgoing.body(body.expose().to_owned()) };
        let failed = |error: reqwest::Error| {
            let is_connect = error.is_connect();
            let text = error.without_url().to_string();
            if is_connect { HttpError::Connect(text) } else { HttpError::Interrupted(text) }
        };
        let answer = outgoing.send().await.map_err(failed)?;
        let mut response = http::Response::builder().status(answer.status());
        if let Some(headers) = response.headers_mut() {
            headers.extend(answer.headers().clone());
        }
        let text = answer.text().await.map_err(failed)?;
        Ok(response.body(Secret::new(text)).expect("an answer is a response"))
    }
}

impl Http for Way {
    fn send(&self, request: HttpRequest) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + '_>> {
        Box::pin(self.exchange(request))
    }
}
