//! Reads the test vectors of `tests/vectors`: a folder for each noun, a file for each case. Only for tests.

use std::path::PathBuf;

use serde_json::Value;
use token_broker_proto::{
    Secret,
    oauth::{ClientId, CorrelationId, UnixTime},
};

use crate::model::{ClientAuthentication, Dialect, HttpResponse, ProviderMetadata};

/// Runs every case of a noun; `check` gives what came of it, which must be what the case expects.
pub(super) fn check_all(noun: &str, check: impl Fn(&Value) -> Value) {
    check_all_of("oauth", noun, check);
}

/// The same for the vectors of another room.
pub(in crate::flow) fn check_all_of(room: &str, noun: &str, check: impl Fn(&Value) -> Value) {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors")).join(room).join(noun);
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
pub(in crate::flow) fn read(path: &str) -> Value {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/oauth"));
    serde_json::from_str(&std::fs::read_to_string(folder.join(path)).unwrap()).unwrap()
}

/// An answer: `status`, `headers` and a `body` that is sent as it is if it is a text, else as JSON.
pub(in crate::flow) fn response(value: &Value) -> HttpResponse {
    let status = u16::try_from(value["status"].as_u64().unwrap()).unwrap();
    let mut builder = http::Response::builder().status(status);
    for (name, text) in value["headers"].as_object().unwrap() {
        builder = builder.header(name, text.as_str().unwrap());
    }
    let body = value["body"].as_str().map_or_else(|| value["body"].to_string(), str::to_owned);
    builder.body(Secret::new(body)).unwrap()
}

pub(in crate::flow) fn text<'a>(case: &'a Value, name: &str) -> &'a str {
    case[name].as_str().unwrap()
}

pub(in crate::flow) fn time(value: &Value) -> UnixTime {
    UnixTime::from_seconds(value.as_i64().unwrap())
}

pub(in crate::flow) fn correlation_id() -> CorrelationId {
    CorrelationId::from_random([0; 16])
}

pub(in crate::flow) fn client_id(text: &str) -> ClientId {
    ClientId::parse(text).unwrap()
}

/// A provider with every endpoint.
pub(in crate::flow) fn metadata() -> ProviderMetadata {
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
        dialect: Dialect::Standard,
        aliases: Vec::new(),
        fetched_on: UnixTime::from_seconds(1_700_000_000),
    }
}
