//! Client assertions (RFC 7523, section 3) as the platform checks them: signed with the registered key by RS256 or PS256, naming the
//! certificate by its thumbprint, for this token endpoint, and not expired.

mod user;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::{digest, signature};
use serde_json::Value;

use super::{
    issue::{key_pair, pem_block},
    refusal::refuse,
};
use crate::jose::encode;

/// Whether the assertion is good for this client now.
pub(super) fn verify(jwt: &str, pem: &str, client_id: &str, audiences: &[String], now: i64) -> Result<(), Value> {
    let parts: Vec<_> = jwt.split('.').collect();
    let [header, claims, signature] = parts.as_slice() else {
        return refuse("invalid_request", 50_027, "The assertion is not a JWT.");
    };
    let (head, body) = (decoded(header), decoded(claims));
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let certificate = pem_block(pem, "CERTIFICATE");
    let algorithm: &dyn signature::VerificationAlgorithm = match text(&head, "alg").as_str() {
        "PS256" => &signature::RSA_PSS_2048_8192_SHA256,
        "RS256" => &signature::RSA_PKCS1_2048_8192_SHA256,
        _ => return refuse("invalid_client", 50_012, "The algorithm of the assertion is not supported."),
    };
    let thumbprints = [
        ("x5t", encode(&digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &certificate))),
        ("x5t#S256", encode(&digest::digest(&digest::SHA256, &certificate))),
    ];
    if !thumbprints.iter().any(|(name, thumbprint)| text(&head, name).trim_end_matches('=') == thumbprint) {
        return refuse(
            "invalid_client",
            700_027,
            "The certificate with identifier used to sign the client assertion is not registered.",
        );
    }
    let key = key_pair(pem);
    let key = signature::UnparsedPublicKey::new(algorithm, key.public().as_ref().to_vec());
    let signed = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
    if key.verify(format!("{header}.{claims}").as_bytes(), &signed).is_err() {
        return refuse("invalid_client", 700_027, "Client assertion failed signature validation.");
    }
    if !audiences.contains(&text(&body, "aud")) {
        return refuse("invalid_client", 700_023, "Client assertion audience claim does not match Realm issuer.");
    }
    in_time(&body, client_id, now)
}

/// Whether its claims are of this client and of now.
fn in_time(claims: &Value, client_id: &str, now: i64) -> Result<(), Value> {
    let is = |name: &str| claims.get(name).and_then(Value::as_str) == Some(client_id);
    let expires_on = claims.get("exp").and_then(Value::as_f64).unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit a double")]
    let good = expires_on > now as f64 && is("iss") && is("sub");
    if good {
        return Ok(());
    }
    let description = "Client assertion is not within its valid time range, or of another client.";
    refuse("invalid_client", 700_024, description)
}

fn decoded(part: &str) -> Value {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}
