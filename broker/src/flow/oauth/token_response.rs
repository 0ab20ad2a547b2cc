//! The answer of the token endpoint (RFC 6749, section 5.1; OpenID Connect Core 1.0, section 3.1.3.3), whatever grant was
//! used. Its ID token is not verified here: `id_token` does that.

use std::time::Duration;

use token_broker_proto::{
    Secret,
    oauth::{ScopeSet, UnixTime},
};

use super::{
    TokenError,
    endpoint::{Answer, is_visible_ascii, read_success, readable},
};
use crate::model::{CachedToken, HttpResponse, RefreshToken, TokenBinding};

/// Lifetime where none is given (MSAL's default).
const DEFAULT_LIFETIME: Duration = Duration::from_secs(600);
/// Longest lifetime that is believed: ten years.
const LONGEST_LIFETIME: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
/// Longest token in bytes.
const MAX_TOKEN: usize = 256 * 1024;
/// Longest `foci` in bytes.
const MAX_FAMILY: usize = 64;
/// Longest `client_info` in bytes.
const MAX_CLIENT_INFO: usize = 4 * 1024;

/// Tokens as issued.
#[derive(Debug)]
pub struct TokenResponse {
    /// The access token: visible ASCII, not empty.
    pub access_token: Secret,
    /// As the provider wrote it; what was asked for, in any case of letters.
    pub token_type: String,
    /// When the answer came.
    pub issued_on: UnixTime,
    /// When the access token expires.
    pub expires_on: UnixTime,
    /// When the provider advises to renew it (`refresh_in`); not after `expires_on`.
    pub refresh_on: Option<UnixTime>,
    /// Granted scopes; the requested ones where the provider names none.
    pub scopes: ScopeSet,
    /// The refresh token. `None` after a refresh: the old one stays.
    pub refresh_token: Option<RefreshToken>,
    /// The ID token, not verified.
    pub id_token: Option<Secret>,
    /// `client_info` of Microsoft Entra ID, in base64url.
    pub client_info: Option<String>,
    /// `foci` of Microsoft Entra ID: the family of clients that the refresh token is for.
    pub family: Option<String>,
    /// `issued_token_type` of a token exchange (RFC 8693, section 2.2.1).
    pub issued_token_type: Option<String>,
}

impl TokenResponse {
    /// The access token as it is kept.
    #[must_use]
    pub fn cached(&self) -> CachedToken {
        CachedToken {
            access_token: self.access_token.clone(),
            token_type: self.token_type.clone(),
            scopes: self.scopes.clone(),
            issued_on: self.issued_on,
            expires_on: self.expires_on,
            refresh_on: self.refresh_on,
            subject: None,
        }
    }
}

/// What was asked for.
#[derive(Debug, Clone, Copy)]
pub struct Requested<'a> {
    /// Scopes.
    pub scopes: &'a ScopeSet,
    /// What the access token must be bound to.
    pub binding: &'a TokenBinding,
}

/// A bearer token with these scopes.
impl<'a> From<&'a ScopeSet> for Requested<'a> {
    fn from(scopes: &'a ScopeSet) -> Self {
        Self { scopes, binding: &TokenBinding::Bearer }
    }
}

/// Reads the answer to a request. A token of another type than was asked for is none: it could be used, or misused, otherwise.
pub fn parse<'a>(
    response: &HttpResponse,
    requested: impl Into<Requested<'a>>,
    now: UnixTime,
) -> Result<TokenResponse, TokenError> {
    read(&mut read_success(response)?, requested.into(), now).map_err(TokenError::Malformed)
}

fn read(answer: &mut Answer, requested: Requested<'_>, now: UnixTime) -> Result<TokenResponse, String> {
    let access_token = token(answer, "access_token")?.ok_or("answered without an access_token")?;
    let lifetime = answer.seconds("expires_in", LONGEST_LIFETIME).unwrap_or(DEFAULT_LIFETIME);
    let refresh_in = answer.seconds("refresh_in", lifetime);
    Ok(TokenResponse {
        access_token,
        token_type: token_type(answer, requested.binding)?,
        issued_on: now,
        expires_on: now.plus(lifetime),
        refresh_on: refresh_in.map(|span| now.plus(span)),
        scopes: granted(answer, requested.scopes)?,
        refresh_token: token(answer, "refresh_token")?.map(RefreshToken::new),
        id_token: token(answer, "id_token")?,
        client_info: answer.text("client_info").filter(|it| is_visible_ascii(it, MAX_CLIENT_INFO)).map(str::to_owned),
        family: answer.text("foci").filter(|it| is_visible_ascii(it, MAX_FAMILY)).map(str::to_owned),
        issued_token_type: answer.text("issued_token_type").map(str::to_owned),
    })
}

fn token(answer: &mut Answer, name: &str) -> Result<Option<Secret>, String> {
    let token = answer.take_secret(name)?;
    match &token {
        Some(text) if !is_visible_ascii(text.expose(), MAX_TOKEN) => {
            Err(format!("answered with {name} that is longer than {MAX_TOKEN} bytes or not visible ASCII"))
        }
        _ => Ok(token),
    }
}

fn token_type(answer: &Answer, binding: &TokenBinding) -> Result<String, String> {
    let asked = match binding {
        TokenBinding::Bearer => "Bearer",
        TokenBinding::SshCert { .. } | TokenBinding::Pop { .. } => binding.token_type(),
    };
    match (answer.member("token_type"), binding) {
        (None, TokenBinding::Bearer) => Ok(asked.to_owned()),
        (None, _) => Err(format!("answered without token_type, but {asked} was asked for")),
        (Some(value), _) => match value.as_str() {
            Some(name) if name.eq_ignore_ascii_case(asked) => Ok(name.to_owned()),
            Some(name) => Err(format!("answered with token_type {:?}, but {asked} was asked for", readable(name, 40))),
            None => Err("answered with token_type that is not a text".to_owned()),
        },
    }
}

/// An empty `scope` breaks the grammar; it is read as absent, which means "as requested".
fn granted(answer: &Answer, requested: &ScopeSet) -> Result<ScopeSet, String> {
    match answer.member("scope") {
        None => Ok(requested.clone()),
        Some(value) => {
            let text = value.as_str().ok_or("answered with scope that is not a text")?;
            let scopes = ScopeSet::parse([text])
                .map_err(|_| "answered with scope that RFC 6749, section 3.3 does not allow".to_owned())?;
            Ok(if scopes.is_empty() { requested.clone() } else { scopes })
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use token_broker_proto::{
        Secret,
        oauth::{ScopeSet, UnixTime},
    };

    use super::{Requested, TokenResponse, parse};
    use crate::{
        flow::oauth::{TokenError, vectors},
        model::TokenBinding,
    };

    /// What a vector expects of an error.
    pub(in crate::flow::oauth) fn error_json(error: &TokenError) -> Value {
        match error {
            TokenError::Refused(words) => {
                let mut refused = json!({ "error": words.error });
                let mut add = |name: &str, text: &Option<String>| {
                    if let Some(text) = text {
                        refused[name] = json!(text);
                    }
                };
                add("suberror", &words.suberror);
                add("description", &words.description);
                add("claims", &words.claims);
                add("correlation_id", &words.correlation_id);
                add("error_uri", &words.error_uri);
                if !words.error_codes.is_empty() {
                    refused["error_codes"] = json!(words.error_codes);
                }
                json!({ "refused": refused, "needs_interaction": error.needs_interaction() })
            }
            TokenError::Unavailable { what, retry_after, provider } => json!({
                "unavailable": what,
                "retry_after": retry_after.map(|wait| wait.as_secs()),
                "error": provider.as_ref().map(|words| words.error.clone()),
            }),
            TokenError::Busy(limit) => json!({ "busy": limit }),
            TokenError::NotSent(what) => json!({ "not_sent": what }),
            TokenError::Lost(what) => json!({ "lost": what }),
            TokenError::Malformed(what) => json!({ "malformed": what }),
        }
    }

    fn tokens_json(tokens: &TokenResponse) -> Value {
        let issued_on = tokens.issued_on.seconds();
        json!({ "ok": {
            "access_token": tokens.access_token.expose(),
            "token_type": tokens.token_type,
            "lifetime": tokens.expires_on.seconds() - issued_on,
            "refresh_in": tokens.refresh_on.map(|on| on.seconds() - issued_on),
            "scopes": tokens.scopes.to_string(),
            "refresh_token": tokens.refresh_token.as_ref().map(|token| token.secret().expose()),
            "id_token": tokens.id_token.as_ref().map(Secret::expose),
            "client_info": tokens.client_info,
        }})
    }

    #[test]
    fn every_vector() {
        vectors::check_all("token_response", |case| {
            let requested = ScopeSet::parse([vectors::text(case, "requested")]).unwrap();
            let binding = match case["token_type"].as_str() {
                Some("ssh-cert") => TokenBinding::SshCert { key_id: "k".to_owned(), jwk: "{}".to_owned() },
                Some("pop") => TokenBinding::Pop { key_id: "k".to_owned() },
                _ => TokenBinding::Bearer,
            };
            let requested = Requested { scopes: &requested, binding: &binding };
            let outcome = parse(&vectors::response(&case["response"]), requested, vectors::time(&case["now"]));
            match &outcome {
                Ok(tokens) => tokens_json(tokens),
                Err(error) => error_json(error),
            }
        });
    }

    #[test]
    fn nothing_prints_a_token() {
        let body = json!({ "access_token": "M4rker", "refresh_token": "M4rker", "id_token": "M4rker" });
        for status in [200, 302, 400, 500] {
            let mut case = json!({ "status": status, "headers": {}, "body": body });
            for _ in 0..2 {
                let outcome = parse(&vectors::response(&case), &ScopeSet::default(), UnixTime::from_seconds(0));
                assert!(!format!("{outcome:?}").contains("M4rker"), "{status}");
                case["body"] = json!(body.to_string().trim_end_matches('}'));
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(status in 200_u16..600, body in "\\PC*", json in any::<bool>()) {
            let body = if json { format!("{{\"access_token\":{body:?},\"expires_in\":{body}}}") } else { body };
            let response = http::Response::builder().status(status).body(Secret::new(body)).unwrap();
            let _ = parse(&response, &ScopeSet::default(), UnixTime::from_seconds(i64::MAX));
        }
    }
}
