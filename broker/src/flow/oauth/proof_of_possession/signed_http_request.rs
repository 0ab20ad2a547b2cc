//! A signed HTTP request (draft-ietf-oauth-signed-http-request-03, sections 3 and 7.5, with the members that MSAL and Microsoft's
//! servers know): the key that signs, and what is signed. The key is ES256 on P-256: Microsoft Entra ID sees nothing of it but its
//! thumbprint, so its kind is between us and the resource, which is told the key; ring makes and uses it, and it takes microseconds.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    digest::{SHA256, digest},
    rand::SecureRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use serde_json::{Map, Value, json};
use token_broker_proto::{
    Secret,
    calls::HttpRequestToSign,
    oauth::{Curve, PublicKey, UnixTime},
};
use url::Url;

use super::{jwk, thumbprint};
use crate::model::TokenBinding;

/// The key cannot be made, or does not sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key for signed HTTP requests could not be made or used")]
pub struct SigningError;

/// A key that signs HTTP requests. It is made in this process and never leaves it.
pub struct PopKey {
    pair: EcdsaKeyPair,
    public: PublicKey,
    key_id: String,
}

impl PopKey {
    /// A new key.
    pub fn generate(random: &dyn SecureRandom) -> Result<Self, SigningError> {
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, random).map_err(|_| SigningError)?;
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), random).map_err(|_| SigningError)?;
        let [4, point @ ..] = pair.public_key().as_ref() else { return Err(SigningError) };
        let (x, y) = point.split_at(point.len() / 2);
        let public = PublicKey::EllipticCurve { curve: Curve::P256, x: x.to_vec(), y: y.to_vec() };
        Ok(Self { key_id: thumbprint(&public), pair, public })
    }

    /// Its thumbprint.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// What a token for it is bound to.
    #[must_use]
    pub fn binding(&self) -> TokenBinding {
        TokenBinding::Pop { key_id: self.key_id.clone() }
    }
}

impl fmt::Debug for PopKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PopKey").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

/// What is signed besides the request itself.
#[derive(Debug, Clone, Copy)]
pub struct Signing<'a> {
    /// The access token that is bound to the key.
    pub access_token: &'a Secret,
    /// The nonce where the server gave none.
    pub nonce: &'a str,
    /// When it is signed.
    pub now: UnixTime,
}

/// Signs a request: the value of its `Authorization` header.
pub fn sign(
    key: &PopKey,
    http: &HttpRequestToSign,
    signing: &Signing<'_>,
    random: &dyn SecureRandom,
) -> Result<Secret, SigningError> {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = json!({ "alg": "ES256", "kid": key.key_id, "typ": "pop" });
    let input = format!("{}.{}", part(&header), part(&claims(key, http, signing)));
    let signature = key.pair.sign(random, input.as_bytes()).map_err(|_| SigningError)?;
    Ok(Secret::new(format!("PoP {input}.{}", URL_SAFE_NO_PAD.encode(signature))))
}

fn claims(key: &PopKey, http: &HttpRequestToSign, signing: &Signing<'_>) -> Value {
    let url = http.url();
    let mut claims = json!({
        "at": signing.access_token.expose(),
        "ts": signing.now.seconds(),
        "m": http.method(),
        "u": host_and_port(url),
        "p": url.path(),
        "nonce": http.nonce().unwrap_or(signing.nonce),
        "cnf": { "jwk": jwk(&key.public, None) },
    });
    if let Some(claims) = claims.as_object_mut() {
        query(url).map(|query| claims.insert("q".to_owned(), query));
        // A text, not an object, as MSAL sends it.
        http.client_claims().map(|own| claims.insert("client_claims".to_owned(), own.into()));
    }
    claims
}

/// The host, with the port unless it is the usual one.
fn host_and_port(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// The names of the query parameters, and a hash of all of them as they go out. One that is repeated is left out, as section 7.5
/// wants it; one that is no `name=value` could be read in two ways.
fn query(url: &Url) -> Option<Value> {
    let pairs: Vec<&str> = url.query()?.split('&').collect();
    let name = |pair: &str| pair.split_once('=').map(|(name, _)| name.to_owned());
    let mut times = Map::new();
    for name in pairs.iter().filter_map(|pair| name(pair)) {
        let before = times.get(&name).and_then(Value::as_u64).unwrap_or_default();
        times.insert(name, (before + 1).into());
    }
    let is_covered = |pair: &&str| {
        let named = name(pair).filter(|name| !name.is_empty() && pair.matches('=').count() == 1);
        named.is_some_and(|name| times.get(&name).and_then(Value::as_u64) == Some(1))
    };
    let covered: Vec<&str> = pairs.into_iter().filter(is_covered).collect();
    if covered.is_empty() {
        return None;
    }
    let names: Vec<_> = covered.iter().filter_map(|pair| name(pair)).collect();
    Some(json!([names, URL_SAFE_NO_PAD.encode(digest(&SHA256, covered.join("&").as_bytes()))]))
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use ring::{
        digest::{SHA256, digest},
        rand::SystemRandom,
    };
    use serde_json::{Value, json};
    use token_broker_proto::{Secret, calls::HttpRequestToSign, oauth::UnixTime};

    use super::{PopKey, Signing, sign};
    use crate::flow::oauth::{jose, jwks::JwkSet};

    #[expect(clippy::disallowed_methods, reason = "ring makes keys from its own source only")]
    fn for_signing() -> SystemRandom {
        SystemRandom::new()
    }

    fn signed(key: &PopKey, http: &HttpRequestToSign) -> Value {
        let token = Secret::new("access");
        let signing = Signing { access_token: &token, nonce: "made", now: UnixTime::from_seconds(1_700_000_000) };
        let header = sign(key, http, &signing, &for_signing()).unwrap();
        let token = header.expose().strip_prefix("PoP ").unwrap();
        let [head, claims] = [0, 1].map(|part| {
            let bytes = URL_SAFE_NO_PAD.decode(token.split('.').nth(part).unwrap()).unwrap();
            serde_json::from_slice::<Value>(&bytes).unwrap()
        });
        assert_eq!(head, json!({ "alg": "ES256", "kid": key.key_id(), "typ": "pop" }));
        let keys = JwkSet::from_json(&json!({ "keys": [claims["cnf"]["jwk"]] }).to_string()).unwrap();
        assert!(jose::verify(token, &keys).is_ok());
        claims
    }

    fn hash(text: &str) -> String {
        URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
    }

    #[test]
    fn a_request_is_signed_by_the_key_that_it_names() {
        let key = PopKey::generate(&for_signing()).unwrap();
        let http = HttpRequestToSign::parse("post", "https://api.example:8443/v1/a%20b?x=1&y=%32#part").unwrap();
        let claims = signed(&key, &http);
        let expected = json!({
            "at": "access", "ts": 1_700_000_000, "m": "POST", "u": "api.example:8443", "p": "/v1/a%20b",
            "nonce": "made", "q": [["x", "y"], hash("x=1&y=%32")], "cnf": claims["cnf"],
        });
        assert_eq!(claims, expected);
        let http = HttpRequestToSign::parse("GET", "https://api.example:443").unwrap();
        let http = http.with_nonce("theirs").unwrap().with_client_claims("{\"a\": 1}").unwrap();
        let claims = signed(&key, &http);
        assert_eq!((&claims["u"], &claims["p"], &claims["q"]), (&json!("api.example"), &json!("/"), &Value::Null));
        assert_eq!((&claims["nonce"], &claims["client_claims"]), (&json!("theirs"), &json!("{\"a\": 1}")));
        assert!(!format!("{key:?}").contains("pair"));
    }

    #[test]
    fn a_repeated_query_parameter_is_not_covered() {
        let key = PopKey::generate(&for_signing()).unwrap();
        let q = |query: &str| {
            signed(&key, &HttpRequestToSign::parse("GET", &format!("https://a.example/?{query}")).unwrap())["q"].clone()
        };
        assert_eq!(q("a=1&b=2&a=3"), json!([["b"], hash("b=2")]));
        assert_eq!(q("a=1=2&c&=x&b="), json!([["b"], hash("b=")]));
        assert_eq!(q("a=1&a=1"), Value::Null);
    }
}
