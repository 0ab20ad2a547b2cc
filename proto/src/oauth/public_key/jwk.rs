//! A public key as a JWK (RFC 7517, section 4; RFC 7518, section 6; RFC 8037, section 2). Members beside the key itself (`kid`, `use`)
//! take no part: the key is named by its thumbprint.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::{Curve, PublicKey, invalid, is_private};
use crate::Invalid;

/// Members of private keys (RFC 7518, sections 6.2.2, 6.3.2 and 6.4).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

pub(super) fn parse(text: &str) -> Result<PublicKey, Invalid> {
    let members: Map<String, Value> =
        serde_json::from_str(text).map_err(|_| invalid("is no JSON object (RFC 7517)"))?;
    if PRIVATE.iter().any(|name| members.contains_key(*name)) {
        return Err(is_private());
    }
    let word = |name: &str| members.get(name).and_then(Value::as_str).unwrap_or_default();
    let bytes = |name: &str| {
        let decoded = URL_SAFE_NO_PAD.decode(word(name)).ok().filter(|bytes| !bytes.is_empty());
        decoded.ok_or_else(|| invalid(format!("is a JWK whose member {name} is missing or not base64url")))
    };
    match word("kty") {
        "RSA" => PublicKey::rsa(&bytes("n")?, &bytes("e")?),
        "EC" => match Curve::named(word("crv")) {
            Some(curve) => PublicKey::elliptic_curve(curve, &bytes("x")?, &bytes("y")?),
            None => Err(invalid("is a JWK of another curve than P-256, P-384 and P-521")),
        },
        "OKP" if word("crv") == "Ed25519" => PublicKey::ed25519(&bytes("x")?),
        _ => Err(invalid("is a JWK of another kind than RSA, EC and OKP with Ed25519")),
    }
}
