//! Whether an access token is good: a JWT (RFC 9068; Entra ID's are like it) signed by the issuer with a key that it publishes, for
//! this audience, not expired. Owns the issuer's keys, which are read when a token is signed with one that is not known yet.

use std::sync::Mutex;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde_json::Value;

use super::{AUDIENCE, text};
use crate::http;

/// The issuer and what it has published.
pub(super) struct Keys {
    issuer: String,
    known: Mutex<Vec<Value>>,
}

/// What a good token says.
#[derive(Debug)]
pub(super) struct Verified {
    /// Who the user is.
    pub(super) user: String,
    scopes: Vec<String>,
}

impl Verified {
    /// Whether the user has consented to this.
    pub(super) fn has(&self, scope: &str) -> bool {
        self.scopes.iter().any(|granted| granted == scope)
    }
}

impl Keys {
    pub(super) fn of(issuer: &str) -> Self {
        Self { issuer: issuer.to_owned(), known: Mutex::default() }
    }

    /// Checks a token; an error says in a word what is wrong with it.
    pub(super) async fn verify(&self, token: &str, now: i64) -> Result<Verified, &'static str> {
        let parts: Vec<_> = token.split('.').collect();
        let [header, claims, signature] = parts.as_slice() else { return Err("it is not a JWT") };
        let (header, body) = (decoded(header)?, decoded(claims)?);
        let key = self.key(&text(&header, "kid")).await.ok_or("it is signed with a key that was not published")?;
        let signed = token.rsplit_once('.').map_or("", |(signed, _)| signed);
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).map_err(|_| "its signature is not base64url")?;
        is_signed(&text(&header, "alg"), &key, signed.as_bytes(), &signature)?;
        self.read(&body, now)
    }

    fn read(&self, claims: &Value, now: i64) -> Result<Verified, &'static str> {
        let for_us = match claims.get("aud") {
            Some(Value::Array(all)) => all.iter().any(|one| one == AUDIENCE),
            one => one.is_some_and(|one| one == AUDIENCE),
        };
        if text(claims, "iss") != self.issuer {
            return Err("it is of another issuer");
        }
        if !for_us {
            return Err("it is for another audience");
        }
        if claims.get("exp").and_then(Value::as_i64).is_none_or(|expires_on| expires_on <= now) {
            return Err("it has expired");
        }
        // `scp` at Entra ID, `scope` in RFC 9068.
        let scopes = format!("{} {}", text(claims, "scp"), text(claims, "scope"));
        let scopes = scopes.split_whitespace().map(str::to_owned).collect();
        let name = text(claims, "preferred_username");
        Ok(Verified { user: if name.is_empty() { text(claims, "sub") } else { name }, scopes })
    }

    /// The key of this id, of those known or of those published now.
    async fn key(&self, id: &str) -> Option<Value> {
        let find = |keys: &[Value]| keys.iter().find(|key| text(key, "kid") == id).cloned();
        if let Some(known) = find(&self.known.lock().unwrap()) {
            return Some(known);
        }
        let metadata = http::get(&format!("{}/.well-known/openid-configuration", self.issuer)).await;
        let published = http::get(&metadata.text("jwks_uri")).await.json();
        let published = published.get("keys").and_then(Value::as_array).cloned().unwrap_or_default();
        let found = find(&published);
        *self.known.lock().unwrap() = published;
        found
    }
}

fn decoded(part: &str) -> Result<Value, &'static str> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| "a part of it is not base64url")?;
    serde_json::from_slice(&bytes).map_err(|_| "a part of it is not JSON")
}

/// RFC 7515 with ES256 or RS256, the key as a JWK (RFC 7517).
fn is_signed(algorithm: &str, key: &Value, signed: &[u8], signature: &[u8]) -> Result<(), &'static str> {
    let part = |name: &str| BASE64_URL_SAFE_NO_PAD.decode(text(key, name)).unwrap_or_default();
    let checked = match (algorithm, text(key, "kty").as_str()) {
        ("ES256", "EC") => {
            let point = [vec![4], part("x"), part("y")].concat();
            UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point).verify(signed, signature)
        }
        ("RS256", "RSA") => {
            let key = RsaPublicKeyComponents { n: part("n"), e: part("e") };
            key.verify(&signature::RSA_PKCS1_2048_8192_SHA256, signed, signature)
        }
        _ => return Err("its algorithm is not that of the key"),
    };
    checked.map_err(|_| "its signature is wrong")
}
