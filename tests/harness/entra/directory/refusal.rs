//! Errors in the form that Entra ID gives them: an AADSTS sentence with trace and correlation ids and a time inside the
//! description, the same again as members, and `suberror` and `claims` where they help the client on.

use serde_json::{Map, Value, json};

use crate::authorization_server::wire::Answer;

/// When the directory's clock is of no matter.
const TIMESTAMP: &str = "2026-11-20 16:00:00Z";
/// Every request has one; nothing depends on it.
const TRACE_ID: &str = "7a0de7a0-0000-4000-8000-000000000000";

/// The answer that these members plan: `error`, and `status`, `codes`, `description`, `suberror`, `claims`, `retry_after`.
pub(super) fn answer(plan: &Value, correlation_id: &str) -> Answer {
    let text = |name: &str| plan.get(name).and_then(Value::as_str);
    let error = text("error").unwrap_or("server_error");
    let usual = if error == "invalid_client" { 401 } else { 400 };
    let status =
        plan.get("status").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok()).unwrap_or(usual);
    let codes = plan.get("codes").cloned().unwrap_or_else(|| json!([90000]));
    let code = codes.get(0).and_then(Value::as_u64).unwrap_or_default();
    let sentence = text("description").unwrap_or("Planned by a test.");
    let mut body = json!({
        "error": error,
        "error_description": format!(
            "AADSTS{code}: {sentence} Trace ID: {TRACE_ID} Correlation ID: {correlation_id} Timestamp: {TIMESTAMP}"
        ),
        "error_codes": codes,
        "timestamp": TIMESTAMP,
        "trace_id": TRACE_ID,
        "correlation_id": correlation_id,
        "error_uri": format!("https://login.microsoftonline.com/error?code={code}"),
    });
    for name in ["suberror", "claims"] {
        if let (Some(value), Value::Object(body)) = (plan.get(name), &mut body) {
            body.insert(name.to_owned(), value.clone());
        }
    }
    let mut answer = Answer::json(status, &body);
    if let Some(seconds) = plan.get("retry_after") {
        answer.headers.push(("retry-after".to_owned(), seconds.to_string()));
    }
    answer
}

/// The answer that is planned to the last byte: `body`, with `status` and `type`.
pub(in crate::entra) fn raw(plan: &Value) -> Option<Answer> {
    let text = |name: &str| plan.get(name).and_then(Value::as_str);
    let body = text("body")?.as_bytes().to_vec();
    let status = plan.get("status").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
    let headers = vec![("content-type".to_owned(), text("type").unwrap_or("text/html").to_owned())];
    Some(Answer { status: status.unwrap_or(200), headers, body })
}

/// A refusal that nobody planned: the error, its code, and a sentence.
pub(super) fn refuse<T>(error: &str, code: u32, description: &str) -> Result<T, Value> {
    Err(json!({"error": error, "codes": [code], "description": description}))
}

/// The usual answer with the members that were planned over its own; `null` removes one.
pub(super) fn changed(mut body: Map<String, Value>, plan: &Value) -> Map<String, Value> {
    for (name, value) in plan.get("with").and_then(Value::as_object).into_iter().flatten() {
        if value.is_null() {
            body.remove(name);
        } else {
            body.insert(name.clone(), value.clone());
        }
    }
    body
}
