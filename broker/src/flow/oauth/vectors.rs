//! Reads the test vectors of `tests/vectors/oauth`: a folder for each noun, a file for each case. Only for tests.

use std::path::PathBuf;

use serde_json::Value;
use token_broker_proto::{
    Secret,
    oauth::{ClientId, CorrelationId, UnixTime},
};

use crate::model::{ClientAuthentication, HttpResponse, ProviderMetadata};

/// Runs every case of a noun; `check` gives what came of it, which must be what the case expects.
pub(super) fn check_all(noun: &str, check: impl Fn(&Value) -> Value) {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/oauth")).join(noun);
    let mut paths: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    for path in paths {
        let case: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let actual = check(&case);
        assert_eq!(actual, case["expected"], "{}: {}", path.display(), case["about"]);
    }
}

/// One file.
pub(super) fn read(path: &str) -> Value {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/oauth"));
    serde_json::from_str(&std::fs::read_to_string(folder.join(path)).unwrap()).unwrap()
}

/// An answer: `status`, `headers` and a `body` that is sent as it is if it is a text, else as JSON.
pub(super) fn response(value: &Value) -> HttpResponse {
    let status = u16::try_from(value["status"].as_u64().unwrap()).unwrap();
    let mut builder = http::Response::builder().status(status);
    for (name, text) in value["headers"].as_object().unwrap() {
        builder = builder.header(name, text.as_str().unwrap());
    }
    let body = value["body"].as_str().map_or_else(|| value["body"].to_string(), str::to_owned);
    builder.body(Secret::new(body)).unwrap()
}

pub(super) fn text<'a>(case: &'a Value, name: &str) -> &'a str {
    case[name].as_str().unwrap()
}

pub(super) fn time(value: &Value) -> UnixTime {
    UnixTime::from_seconds(value.as_i64().unwrap())
}

pub(super) fn correlation_id() -> CorrelationId {
    CorrelationId::from_random([0; 16])
}

pub(super) fn client_id(text: &str) -> ClientId {
    ClientId::parse(text).unwrap()
}

/// A provider with every endpoint.
pub(super) fn metadata() -> ProviderMetadata {
    let url = |path: &str| format!("https://id.example{path}").parse().unwrap();
    ProviderMetadata {
        issuer: "https://id.example".into(),
        authorization_endpoint: Some(url("/auth")),
        token_endpoint: url("/token"),
        device_authorization_endpoint: Some(url("/device")),
        revocation_endpoint: Some(url("/revoke")),
        jwks_uri: Some(url("/jwks")),
        offers_offline_access: true,
        sends_issuer_parameter: false,
        client_authentication: ClientAuthentication::Basic,
        assertion_algorithms: Vec::new(),
        fetched_on: UnixTime::from_seconds(1_700_000_000),
    }
}
