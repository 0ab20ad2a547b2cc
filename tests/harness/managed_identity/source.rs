//! What each source answers: a token where the request is as Microsoft documents it, else the error in the form of that source. What
//! they check is what tells a right request from a wrong one: version, resource, proof, and the names of an identity.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Asked, Host, Shared};

pub(super) const IMDS: &str = "/metadata/identity/oauth2/token";
pub(super) const APP_SERVICE: &str = "/app-service/msi/token";
pub(super) const MACHINE_LEARNING: &str = "/machine-learning/msi/token";
pub(super) const FABRIC: &str = "/fabric/metadata/identity/oauth2/token";
pub(super) const ARC: &str = "/arc/metadata/identity/oauth2/token";
pub(super) const CLOUD_SHELL: &str = "/cloud-shell/oauth2/token";

/// Status, headers, body.
pub(super) type Answer = (u16, Vec<(String, String)>, Vec<u8>);

pub(super) fn answer(shared: &Shared, asked: &Asked) -> Answer {
    match asked.path.as_str() {
        IMDS => imds(shared, asked),
        APP_SERVICE => app_service(shared, asked),
        MACHINE_LEARNING => machine_learning(shared, asked),
        FABRIC => fabric(shared, asked),
        ARC => arc(shared, asked),
        CLOUD_SHELL => cloud_shell(shared, asked),
        _ => json_of(404, &json!({ "error": "not_found" })),
    }
}

/// Only what is named here may be asked: a parameter of another source would be ignored silently, and the wrong identity answer.
fn is_right(asked: &Asked, method: &str, version: &str, selectors: &[&str], others: &[&str]) -> bool {
    let names: Vec<_> = asked.parameters.keys().map(String::as_str).collect();
    let known =
        |name: &str| matches!(name, "api-version" | "resource") || selectors.contains(&name) || others.contains(&name);
    asked.method == method
        && asked.parameter("api-version") == version
        && !asked.parameter("resource").is_empty()
        && names.iter().all(|name| known(name))
        && names.iter().filter(|name| selectors.contains(name)).count() <= 1
}

fn imds(shared: &Shared, asked: &Asked) -> Answer {
    let right = is_right(asked, "GET", "2018-02-01", &["client_id", "msi_res_id", "object_id"], &[]);
    if asked.header("metadata") != "true" || !right {
        let error =
            json!({ "error": "invalid_request", "error_description": "Required metadata header not specified" });
        return json_of(400, &error);
    }
    let (token, lifetime, end) = issue(shared);
    let answer = json!({
        "access_token": token, "client_id": "c-1", "expires_in": lifetime.to_string(), "expires_on": end.to_string(),
        "ext_expires_in": lifetime.to_string(), "not_before": "0", "resource": asked.parameter("resource"),
        "token_type": "Bearer",
    });
    given(shared, answer)
}

fn app_service(shared: &Shared, asked: &Asked) -> Answer {
    let right = is_right(asked, "GET", "2019-08-01", &["client_id", "mi_res_id", "object_id"], &[]);
    if asked.header("x-identity-header") != Host::SECRET || !right {
        return json_of(400, &json!({ "statusCode": 400, "message": "The request is not right." }));
    }
    let (token, _, end) = issue(shared);
    let resource = asked.parameter("resource");
    let answer = json!({
        "access_token": token, "expires_on": end.to_string(), "resource": resource, "token_type": "Bearer",
        "client_id": "c-1",
    });
    given(shared, answer)
}

fn machine_learning(shared: &Shared, asked: &Asked) -> Answer {
    let right = is_right(asked, "GET", "2017-09-01", &["clientid", "msi_res_id", "object_id"], &[]);
    if asked.header("secret") != Host::SECRET || !right {
        return json_of(400, &json!({ "error": { "code": "BadRequest", "message": "The request is not right." } }));
    }
    let (token, _, end) = issue(shared);
    let resource = asked.parameter("resource");
    given(shared, json!({ "access_token": token, "expires_on": end, "resource": resource, "token_type": "Bearer" }))
}

fn fabric(shared: &Shared, asked: &Asked) -> Answer {
    let right = is_right(asked, "GET", "2019-07-01-preview", &[], &["token_sha256_to_refresh", "xms_cc"]);
    if asked.header("secret") != Host::SECRET {
        let error = json!({ "correlationId": "7f30f4d3-0f3a-41e0-a417-527f21b3848f", "code": "SecretHeaderNotFound",
            "message": "Secret is not found in the request headers." });
        return json_of(400, &json!({ "error": error }));
    }
    if !right {
        let error = json!({ "code": "ArgumentNullOrEmpty", "message": "A parameter is not right." });
        return json_of(400, &json!({ "error": error }));
    }
    let (token, _, end) = issue(shared);
    let resource = asked.parameter("resource");
    given(shared, json!({ "token_type": "Bearer", "access_token": token, "expires_on": end, "resource": resource }))
}

fn arc(shared: &Shared, asked: &Asked) -> Answer {
    let right = is_right(asked, "GET", "2020-06-01", &["client_id", "msi_res_id", "object_id"], &[]);
    if asked.header("metadata") != "true" || !right {
        return json_of(400, &json!({ "error": "invalid_request", "error_description": "The request is not right." }));
    }
    if asked.header("authorization") != format!("Basic {}", Host::ARC_KEY) {
        let planned = shared.state.lock().unwrap().challenge.clone();
        let key = shared.keys.path().join("agent.key");
        let challenge = planned.unwrap_or_else(|| format!("Basic realm={}", key.display()));
        return (401, vec![("www-authenticate".to_owned(), challenge)], Vec::new());
    }
    let (token, lifetime, end) = issue(shared);
    let mut answer = json!({
        "access_token": token, "expires_in": lifetime.to_string(), "expires_on": end.to_string(),
        "resource": asked.parameter("resource"), "token_type": "Bearer",
    });
    // A new agent says whose token it is; that it spells names its own way must not matter.
    let selectors = ["client_id", "msi_res_id", "object_id"];
    let asked_for = asked.parameters.iter().filter(|(name, _)| selectors.contains(&name.as_str()));
    let said = asked_for.map(|(name, value)| (name.clone(), Value::from(value.to_uppercase())));
    if let Some(members) = answer.as_object_mut() {
        members.extend(said);
    }
    given(shared, answer)
}

fn cloud_shell(shared: &Shared, asked: &Asked) -> Answer {
    let only_resource = asked.parameters.keys().all(|name| name == "resource");
    if asked.method != "POST" || asked.header("metadata") != "true" || !only_resource || asked.parameters.is_empty() {
        return json_of(400, &json!({ "error": { "code": "BadRequest", "message": "The request is not right." } }));
    }
    let (token, lifetime, end) = issue(shared);
    let answer = json!({
        "access_token": token, "refresh_token": "", "expires_in": lifetime.to_string(), "expires_on": end.to_string(),
        "not_before": "0", "resource": asked.parameter("resource"), "token_type": "Bearer",
    });
    given(shared, answer)
}

/// A new token, its lifetime, and its end.
fn issue(shared: &Shared) -> (String, u64, i64) {
    let mut state = shared.state.lock().unwrap();
    state.issued += 1;
    let lifetime = state.lifetime.unwrap_or(86_399);
    let end = shared.clock.now().seconds().saturating_add(i64::try_from(lifetime).unwrap_or(i64::MAX));
    (format!("marker-mi-token-{}", state.issued), lifetime, end)
}

/// The answer, with what a test has planned.
fn given(shared: &Shared, mut answer: Value) -> Answer {
    let with: BTreeMap<_, _> = shared.state.lock().unwrap().with.clone().into_iter().collect();
    if let Some(members) = answer.as_object_mut() {
        members.extend(with);
        members.retain(|_, value| !value.is_null());
    }
    json_of(200, &answer)
}

fn json_of(status: u16, body: &Value) -> Answer {
    (status, vec![("content-type".to_owned(), "application/json".to_owned())], body.to_string().into_bytes())
}
