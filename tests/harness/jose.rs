//! An ES256 key of our own: signs id tokens, shows itself as a JWK (RFC 7517) and as PEM for servers that want files.

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use ring::{
    digest,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value, json};

/// A P-256 key pair with a key id.
#[derive(Debug)]
pub struct SigningKey {
    pkcs8: Vec<u8>,
    pair: EcdsaKeyPair,
    random: SystemRandom,
    id: String,
}

/// The start of a `SubjectPublicKeyInfo` for an uncompressed P-256 point (RFC 5480); the point follows.
const P256_PUBLIC_KEY: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

impl SigningKey {
    /// Makes a new key.
    ///
    /// # Panics
    /// When the operating system gives no randomness.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "ring makes keys only from its own source")]
    pub fn generate() -> Self {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap().as_ref().to_vec();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8, &random).unwrap();
        let id = encode(&digest::digest(&digest::SHA256, pair.public_key().as_ref()).as_ref().split_at(8).0);
        Self { pkcs8, pair, random, id }
    }

    /// Its key id (`kid`).
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its public half as a JWK.
    #[must_use]
    pub fn jwk(&self) -> Value {
        let (_, point) = self.pair.public_key().as_ref().split_at(1);
        let (x, y) = point.split_at(32);
        json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.id, "x": encode(&x), "y": encode(&y)})
    }

    /// A signed JWT in compact form.
    ///
    /// # Panics
    /// When the operating system gives no randomness.
    #[must_use]
    pub fn sign(&self, claims: &Value) -> String {
        let header = json!({"alg": "ES256", "typ": "JWT", "kid": self.id});
        let input = format!("{}.{}", encode(&header.to_string()), encode(&claims.to_string()));
        let signature = self.pair.sign(&self.random, input.as_bytes()).unwrap();
        format!("{input}.{}", encode(&signature))
    }

    /// The private key, PKCS#8 in PEM.
    #[must_use]
    pub fn private_pem(&self) -> String {
        pem("PRIVATE KEY", &self.pkcs8)
    }

    /// The public key, `SubjectPublicKeyInfo` in PEM.
    #[must_use]
    pub fn public_pem(&self) -> String {
        pem("PUBLIC KEY", &[P256_PUBLIC_KEY, self.pair.public_key().as_ref()].concat())
    }
}

/// The claims of a JWT, read without any check: for looking at what a server issued.
///
/// # Panics
/// When this is no JWT.
#[must_use]
pub fn claims(jwt: &str) -> Value {
    part(jwt, 1)
}

/// The header of a JWT, read without any check.
///
/// # Panics
/// When this is no JWT.
#[must_use]
pub fn header(jwt: &str) -> Value {
    part(jwt, 0)
}

fn part(jwt: &str, place: usize) -> Value {
    let part = jwt.split('.').nth(place).expect("a JWT has three parts");
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).expect("its parts are base64url")).expect("it is JSON")
}

/// The S256 code challenge of a verifier (RFC 7636 section 4.2).
#[must_use]
pub fn code_challenge(verifier: &str) -> String {
    encode(&digest::digest(&digest::SHA256, verifier.as_bytes()))
}

/// base64url without padding.
#[must_use]
pub fn encode(bytes: &impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
