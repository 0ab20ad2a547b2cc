//! Reads the error object of an answer (RFC 6749, section 5.2, with the members that Microsoft Entra ID adds), every text
//! bounded and fit to be shown. What the error means for the caller is in `token_error`.

use http::StatusCode;
use serde_json::Value;
use token_broker_proto::{ProviderError, oauth::Claims};

use super::answer::Answer;

/// Longest `error` and `suberror` in characters.
const MAX_WORD: usize = 128;
/// Longest description in characters.
const MAX_TEXT: usize = 2048;
/// Most `error_codes`.
const MAX_CODES: usize = 16;

/// The error in an answer; `None` if it has no `error` that is a text.
pub(super) fn read(answer: &Answer) -> Option<ProviderError> {
    let codes = answer.member("error_codes").and_then(Value::as_array);
    Some(ProviderError {
        error: answer.readable("error", MAX_WORD)?,
        suberror: answer.readable("suberror", MAX_WORD).or_else(|| additional(answer)),
        error_codes: codes.into_iter().flatten().filter_map(Value::as_i64).take(MAX_CODES).collect(),
        description: answer.readable("error_description", MAX_TEXT),
        // Whole and a JSON object, or not at all: the next sign-in sends it back.
        claims: answer.text("claims").and_then(|text| Claims::parse(text).ok()?).map(|it| it.as_str().to_owned()),
        correlation_id: answer.readable("correlation_id", MAX_WORD),
        error_uri: answer.readable("error_uri", MAX_TEXT),
        trace_id: answer.readable("trace_id", MAX_WORD),
        timestamp: answer.readable("timestamp", MAX_WORD),
    })
}

/// Microsoft says here, too, that a client is not of the family of a refresh token.
fn additional(answer: &Answer) -> Option<String> {
    const MISMATCH: &str = "client_mismatch";
    let said = answer.texts("error_additional_info")?.any(|word| word == MISMATCH);
    said.then(|| MISMATCH.to_owned())
}

/// Stands for a refusal without an OAuth error: `error` is `http_` and the status.
pub(super) fn without_words(status: StatusCode, fault: &str) -> ProviderError {
    ProviderError {
        error: format!("http_{}", status.as_u16()),
        description: Some(format!("The provider {fault}, without an OAuth error.")),
        ..ProviderError::default()
    }
}
