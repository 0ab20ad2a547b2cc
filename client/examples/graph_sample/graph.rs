//! Microsoft Graph with reqwest: a fresh token in every request, one more try with another token when a 401 asks for claims
//! (continuous access evaluation), and its errors as values. Nothing is kept: the daemon answers from its cache.

use base64::{Engine, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};
use reqwest::{Response, StatusCode, header};
use serde_json::Value;
use token_broker_client::{
    ClientError,
    calls::{Subject, TokenRequest},
    oauth::{Claims, ScopeSet},
};

use crate::{routes::Site, visit::Trouble};

/// Most bytes that are read of an answer.
const MAX_BODY: usize = 4 << 20;

/// Why there is no answer.
pub(crate) enum GraphError {
    /// It cannot be reached, or what came is no answer of it.
    Unreachable,
    /// It refused.
    Refused {
        /// HTTP status.
        status: u16,
        /// Its `code`, its `message`, and how long to wait if it said so; for people.
        message: String,
    },
}

/// Reads as one user, with one scope.
pub(crate) struct Reader<'a> {
    /// Where the settings, the daemon and the HTTP client are.
    pub(crate) site: &'a Site,
    /// `home_account_id` of the user.
    pub(crate) account: &'a str,
    /// What the token must allow.
    pub(crate) scope: &'static str,
}

impl Reader<'_> {
    /// What is at this path, as JSON.
    pub(crate) async fn read(&self, path: &str) -> Result<Value, Trouble> {
        let url = format!("{}/{path}", self.site.settings.graph);
        let mut response = self.send(&url, None).await?;
        if let Some(claims) = challenge(&response) {
            response = self.send(&url, Some(claims)).await?;
        }
        let (status, wait) = (response.status(), retry_after(&response));
        let body = body(response).await.ok_or(Trouble::Graph(GraphError::Unreachable))?;
        let json = serde_json::from_slice::<Value>(&body).ok();
        match json {
            Some(json) if status.is_success() => Ok(json),
            _ if status.is_success() => Err(Trouble::Graph(GraphError::Unreachable)),
            json => Err(Trouble::Graph(refusal(status, &json.unwrap_or_default(), wait))),
        }
    }

    async fn send(&self, url: &str, claims: Option<Claims>) -> Result<Response, Trouble> {
        let scopes = ScopeSet::parse([self.scope]).map_err(|invalid| ClientError::Protocol(invalid.to_string()))?;
        let request = TokenRequest {
            subject: Subject::User(Some(self.account.to_owned())),
            scopes: Some(scopes),
            claims,
            ..TokenRequest::new(self.site.settings.application.clone())
        };
        let token = self.site.broker.token(&request).await?.access_token;
        let sent = self.site.http.get(url).bearer_auth(token.expose()).send().await;
        sent.map_err(|_| Trouble::Graph(GraphError::Unreachable))
    }
}

/// The claims of a 401, if another token with them would help.
fn challenge(response: &Response) -> Option<Claims> {
    let header = response.headers().get(header::WWW_AUTHENTICATE)?.to_str().ok()?;
    if response.status() != StatusCode::UNAUTHORIZED || !header.contains(r#"error="insufficient_claims""#) {
        return None;
    }
    let packed = header.split(r#"claims=""#).nth(1)?.split('"').next()?;
    let bytes = BASE64_STANDARD.decode(packed).or_else(|_| BASE64_URL_SAFE_NO_PAD.decode(packed)).ok()?;
    Claims::parse(std::str::from_utf8(&bytes).ok()?).ok()?
}

fn retry_after(response: &Response) -> Option<u64> {
    response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.parse().ok()
}

async fn body(mut response: Response) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await.ok()? {
        if body.len() + part.len() > MAX_BODY {
            return None;
        }
        body.extend_from_slice(&part);
    }
    Some(body)
}

fn refusal(status: StatusCode, json: &Value, wait: Option<u64>) -> GraphError {
    let said =
        |name: &str| json.pointer(&format!("/error/{name}")).and_then(Value::as_str).unwrap_or_default().to_owned();
    let wait = wait.map(|seconds| format!("; try again in {seconds} seconds")).unwrap_or_default();
    let message = format!("Microsoft Graph: {} {}: {}{wait}", status.as_u16(), said("code"), said("message"));
    GraphError::Refused { status: status.as_u16(), message }
}
