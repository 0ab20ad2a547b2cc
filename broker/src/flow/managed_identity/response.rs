//! What a source answers: a token with its end as a number or a text, in seconds from now or since 1970; or an error in one of four
//! forms. Nothing of a body is quoted but the error's own words, and those without the secrets that were sent.

use std::time::Duration;

use http::StatusCode;
use serde_json::Value;
use token_broker_proto::{
    ProviderError, Secret,
    oauth::{ManagedIdentityId, ManagedIdentitySource, UnixTime},
};

use super::Question;
use crate::{
    flow::oauth::{
        TokenError,
        endpoint::{Answer, is_visible_ascii, readable, redirected_to, retry_after},
    },
    model::{CachedToken, HttpResponse},
};

/// Lifetime where none is given (MSAL's default).
const DEFAULT_LIFETIME: Duration = Duration::from_secs(600);
/// Longest lifetime that is believed: ten years.
const LONGEST_LIFETIME: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
/// A token that lives this long is renewed at half its life (MSAL).
const LONG_LIFE: Duration = Duration::from_secs(7200);
/// Longest token in bytes.
const MAX_TOKEN: usize = 256 * 1024;
/// Longest `error` in characters.
const MAX_WORD: usize = 128;
/// Longest description in characters.
const MAX_TEXT: usize = 1024;

/// Reads the answer of a source to a question.
pub fn parse(
    response: &HttpResponse,
    source: ManagedIdentitySource,
    question: &Question<'_>,
    now: UnixTime,
) -> Result<CachedToken, TokenError> {
    let status = response.status();
    if !status.is_success() {
        return Err(refusal(response));
    }
    let mut answer = Answer::read(response).map_err(TokenError::Malformed)?;
    if answer.member("error").is_some() {
        // Some say so with status 200.
        return Err(TokenError::Refused(Box::new(words(&answer, status))));
    }
    if source == ManagedIdentitySource::AzureArc {
        confirm(&answer, question.id)?;
    }
    token(&mut answer, question, now).map_err(TokenError::Malformed)
}

fn token(answer: &mut Answer, question: &Question<'_>, now: UnixTime) -> Result<CachedToken, String> {
    let access_token = answer.take_secret("access_token")?.ok_or("answered without an access_token")?;
    if !is_visible_ascii(access_token.expose(), MAX_TOKEN) {
        return Err(format!("answered with access_token that is longer than {MAX_TOKEN} bytes or not visible ASCII"));
    }
    let token_type = match answer.member("token_type").map(Value::as_str) {
        None => "Bearer".to_owned(),
        Some(Some(name)) if name.eq_ignore_ascii_case("Bearer") => name.to_owned(),
        Some(_) => return Err("answered with token_type that is not Bearer".to_owned()),
    };
    let lifetime = lifetime(answer, now).unwrap_or(DEFAULT_LIFETIME);
    if lifetime.is_zero() {
        return Err("answered with a token that has expired already: is the clock right?".to_owned());
    }
    let half = Some(lifetime / 2).filter(|_| lifetime >= LONG_LIFE);
    let refresh_in = answer.seconds("refresh_in", lifetime).or(half);
    Ok(CachedToken {
        access_token,
        token_type,
        scopes: question.resource.clone(),
        issued_on: now,
        expires_on: now.plus(lifetime),
        refresh_on: refresh_in.map(|span| now.plus(Duration::from_secs(span.as_secs()))),
        subject: None,
    })
}

/// From now; what counts from now goes before what counts from 1970, which takes two clocks that agree.
fn lifetime(answer: &Answer, now: UnixTime) -> Option<Duration> {
    let from_now = answer.seconds("expires_in", LONGEST_LIFETIME);
    from_now.or_else(|| {
        let since_1970 = answer.seconds("expires_on", Duration::from_secs(u64::from(u32::MAX) * 64))?;
        let end = UnixTime::from_seconds(i64::try_from(since_1970.as_secs()).ok()?);
        Some(end.since(now).min(LONGEST_LIFETIME))
    })
}

/// An old agent of Azure Arc knows no user-assigned identities and gives out the machine's own; a new one says whose token it is.
fn confirm(answer: &Answer, id: &ManagedIdentityId) -> Result<(), TokenError> {
    let (asked, said) = match id {
        ManagedIdentityId::SystemAssigned => return Ok(()),
        ManagedIdentityId::ClientId(id) => (id, answer.text("client_id")),
        ManagedIdentityId::ObjectId(id) => (id, answer.text("object_id")),
        ManagedIdentityId::ResourceId(id) => (id, answer.text("msi_res_id").or_else(|| answer.text("mi_res_id"))),
    };
    if said.is_some_and(|said| said.eq_ignore_ascii_case(asked.as_str())) {
        Ok(())
    } else {
        let what =
            "did not confirm the user-assigned identity that was asked for: the agent may be too old to know any";
        Err(TokenError::Malformed(what.to_owned()))
    }
}

/// Why there is no token.
fn refusal(response: &HttpResponse) -> TokenError {
    let status = response.status();
    if let Some(host) = redirected_to(response) {
        return TokenError::Malformed(format!("answered {} with a redirect to {host}", status.as_u16()));
    }
    let read = Answer::read(response);
    let passes = matches!(status.as_u16(), 404 | 408 | 410 | 429) || status.is_server_error();
    if passes {
        let provider = read.ok().map(|answer| words(&answer, status));
        let said = provider.as_ref().and_then(|words| words.description.as_deref());
        return TokenError::Unavailable {
            what: said.map_or_else(|| format!("answered {status}"), |said| format!("answered {status}: {said}")),
            retry_after: retry_after(response.headers()),
            provider: provider.map(Box::new),
        };
    }
    if !status.is_client_error() {
        return TokenError::Malformed(format!("answered {status}"));
    }
    TokenError::Refused(Box::new(match read {
        Ok(answer) => words(&answer, status),
        Err(fault) => ProviderError {
            error: format!("http_{}", status.as_u16()),
            description: Some(format!("The source {fault}.")),
            ..ProviderError::default()
        },
    }))
}

/// The words of an error: as OAuth has them (the Instance Metadata Service), an object `error` with `code` and `message` (Service
/// Fabric, Cloud Shell), or `message` alone (App Service).
fn words(answer: &Answer, status: StatusCode) -> ProviderError {
    let inner = |name: &str| answer.member("error").and_then(|error| error.get(name)).and_then(Value::as_str);
    let shown = |text: Option<&str>, limit| text.map(|text| readable(text, limit)).filter(|text| !text.is_empty());
    let error = answer.readable("error", MAX_WORD).or_else(|| shown(inner("code"), MAX_WORD));
    ProviderError {
        error: error.unwrap_or_else(|| format!("http_{}", status.as_u16())),
        description: answer
            .readable("error_description", MAX_TEXT)
            .or_else(|| shown(inner("message"), MAX_TEXT))
            .or_else(|| answer.readable("message", MAX_TEXT)),
        correlation_id: answer.readable("correlation_id", MAX_WORD).or_else(|| shown(inner("correlationId"), MAX_WORD)),
        ..ProviderError::default()
    }
}

impl super::Source {
    /// The error without the secret that this source was asked with, should it have sent it back.
    #[must_use]
    pub fn without_secret(&self, error: TokenError) -> TokenError {
        let (Self::ServiceFabric { header: secret, .. }
        | Self::AppService { header: secret, .. }
        | Self::MachineLearning { secret, .. }) = self
        else {
            return error;
        };
        scrubbed(error, secret)
    }
}

/// The error without this text anywhere in it.
fn scrubbed(error: TokenError, secret: &Secret) -> TokenError {
    let clean = |text: String| text.replace(secret.expose(), "[redacted]");
    let words = |mut words: Box<ProviderError>| {
        words.error = clean(words.error);
        words.description = words.description.map(clean);
        words.correlation_id = words.correlation_id.map(clean);
        words
    };
    match error {
        TokenError::Refused(refusal) => TokenError::Refused(words(refusal)),
        TokenError::Unavailable { what, retry_after, provider } => {
            TokenError::Unavailable { what: clean(what), retry_after, provider: provider.map(words) }
        }
        TokenError::Malformed(what) => TokenError::Malformed(clean(what)),
        TokenError::Busy(_) | TokenError::NotSent(_) | TokenError::Lost(_) => error,
    }
}
