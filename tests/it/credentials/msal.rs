//! The client assertions of MSAL Python 1.39.0 beside ours, for the same certificate: header by header, claim by claim. Recorded
//! by a scripted `http_client` in place of the network (`tests/vectors/msal/client_assertion`); the differences are listed here.

use std::fs;

use serde_json::{Value, json};
use token_broker::{
    certificate::read,
    flow::oauth::client_assertion::{Algorithm, Statement, is_reusable, sign},
    model::{Certificate, ClientAuthentication, Dialect, KeyKind, ProviderMetadata},
    ports::entropy,
};
use token_broker_client::oauth::{Authority, ClientId, CorrelationId, UnixTime};
use token_broker_tests::{folder, jose};

fn case(name: &str) -> Value {
    let path = folder("vectors/msal/client_assertion").join(format!("{name}.json"));
    serde_json::from_str(&fs::read_to_string(path).expect("a vector")).expect("JSON")
}

fn text<'a>(case: &'a Value, name: &str) -> &'a str {
    case[name].as_str().expect(name)
}

fn metadata(case: &Value) -> ProviderMetadata {
    ProviderMetadata {
        issuer: text(case, "authority").to_owned(),
        authorization_endpoint: None,
        token_endpoint: text(case, "token_endpoint").parse().expect("a URL"),
        device_authorization_endpoint: None,
        revocation_endpoint: None,
        jwks_uri: None,
        offers_offline_access: false,
        sends_issuer_parameter: false,
        client_authentication: ClientAuthentication::Post,
        assertion_algorithms: Vec::new(),
        dialect: Dialect::Microsoft,
        aliases: Vec::new(),
        fetched_on: UnixTime::from_seconds(0),
    }
}

/// Our assertion in the same situation, made in the second in which MSAL made its own.
fn ours(case: &Value) -> String {
    let random = entropy::for_signing();
    let certificate = read(text(case, "certificate").as_bytes(), None, &random).expect("a certificate");
    let send_x5c = case["header"].get("x5c").is_some();
    let certificate = Certificate { send_x5c, ..certificate };
    let authority = Authority::from_url(text(case, "authority")).expect("an authority");
    let metadata = metadata(case);
    assert!(is_reusable(&authority) == case["reused"].as_bool().expect("whether MSAL sent it again"));
    let algorithm = Algorithm::choose(KeyKind::Rsa, &authority, &metadata).expect("an algorithm");
    #[expect(clippy::cast_possible_truncation, reason = "MSAL's seconds have fractions")]
    let now = case["claims"]["iat"].as_f64().expect("iat") as i64;
    let client_id = ClientId::parse(text(case, "client_id")).expect("a client id");
    let statement = Statement {
        client_id: &client_id,
        audience: token_broker::flow::oauth::client_assertion::audience(&authority, &metadata),
        now: UnixTime::from_seconds(now),
        id: CorrelationId::from_random([7; 16]),
        claims: None,
    };
    sign(&certificate, algorithm, &statement, &random).expect("signed").expose().to_owned()
}

/// MSAL's own, without what is meant to differ: whole seconds, base64url without padding (RFC 7515, section 2), a chain without
/// line breaks (section 4.1.6), and a `jti` of its own.
fn expected(case: &Value) -> (Value, Value) {
    let (mut header, mut claims) = (case["header"].clone(), case["claims"].clone());
    for name in ["x5t", "x5t#S256"] {
        if let Some(thumbprint) = header.get(name).and_then(Value::as_str) {
            header[name] = json!(thumbprint.trim_end_matches('='));
        }
    }
    if let Some(chain) = header.get("x5c").and_then(Value::as_array) {
        header["x5c"] = chain.iter().map(|der| json!(der.as_str().expect("text").replace('\n', ""))).collect();
    }
    let iat = claims["iat"].as_f64().expect("iat").floor();
    assert!((claims["exp"].as_f64().expect("exp") - claims["iat"].as_f64().expect("iat") - 600.0).abs() < 1.0);
    #[expect(clippy::cast_possible_truncation, reason = "Unix seconds")]
    let iat = iat as i64;
    claims["iat"] = json!(iat);
    claims["exp"] = json!(iat + 600);
    (header, claims)
}

#[test]
fn trap_14_our_assertion_says_what_msal_says() {
    for name in ["entra_certificate", "entra_pfx_with_x5c", "ad_fs"] {
        let case = case(name);
        let (header, mut claims) = expected(&case);
        let assertion = ours(&case);
        let mut actual = jose::claims(&assertion);
        assert_ne!(actual["jti"], claims["jti"], "{name}");
        for claims in [&mut actual, &mut claims] {
            claims["jti"] = json!("its own");
        }
        assert_eq!(actual, claims, "{name}");
        assert_eq!(jose::header(&assertion), header, "{name}");
        assert!(!assertion.contains('=') && !assertion.contains('\n'), "{name}");
    }
}
