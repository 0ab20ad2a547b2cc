//! One public key of a provider (RFC 7517, section 4; RFC 7518, section 6; RFC 8037, section 2) and checking a signature with
//! it. Keys that are no signing keys, too small or of an unknown kind are no keys here.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde_json::{Value, json};

use super::{Algorithm, base64url};

/// Longest key id in bytes; one that is longer names no key here.
const MAX_KEY_ID: usize = 512;

/// A public key that signatures are checked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Jwk {
    /// `kid`.
    pub(super) key_id: Option<String>,
    /// `alg`: the only algorithm it is for.
    algorithm: Option<Algorithm>,
    key: PublicKey,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum PublicKey {
    /// Modulus and exponent, big-endian without leading zeros.
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    /// Uncompressed point.
    P256(Vec<u8>),
    /// Uncompressed point.
    P384(Vec<u8>),
    /// RFC 8032, section 5.1.5.
    Ed25519(Vec<u8>),
}

impl Jwk {
    /// Reads a key; `None` if it is none that the broker can use.
    pub(super) fn read(value: &Value) -> Option<Self> {
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        let verifies = |list: &Vec<Value>| list.iter().any(|operation| operation == "verify");
        if text("use").is_some_and(|purpose| purpose != "sig")
            || value.get("key_ops").and_then(Value::as_array).is_some_and(|list| !verifies(list))
        {
            return None;
        }
        let key_id = match text("kid") {
            Some(key_id) if key_id.len() > MAX_KEY_ID => return None,
            key_id => key_id.map(str::to_owned),
        };
        let jwk = Self {
            key_id,
            algorithm: text("alg").map(Algorithm::parse).transpose().ok()?,
            key: PublicKey::read(text)?,
        };
        jwk.algorithm.is_none_or(|algorithm| jwk.key.is_for(algorithm)).then_some(jwk)
    }

    /// The key as JSON, with what the broker keeps of it.
    pub(super) fn to_json(&self) -> Value {
        let mut json = self.key.to_json();
        if let Some(members) = json.as_object_mut() {
            let mut add = |name: &str, text: Option<&str>| {
                text.map(|text| members.insert(name.to_owned(), text.into()));
            };
            add("kid", self.key_id.as_deref());
            add("alg", self.algorithm.map(Algorithm::name));
        }
        json
    }

    /// Whether a signature of this algorithm can be checked with it.
    pub(super) fn is_for(&self, algorithm: Algorithm) -> bool {
        self.key.is_for(algorithm) && self.algorithm.is_none_or(|own| own == algorithm)
    }

    /// Whether the signature is this key's.
    pub(super) fn signed(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let outcome = match &self.key {
            PublicKey::Rsa { modulus: n, exponent: e } => {
                rsa(algorithm).map(|rsa| RsaPublicKeyComponents { n, e }.verify(rsa, message, signature))
            }
            PublicKey::P256(point) => (algorithm == Algorithm::Es256)
                .then(|| UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature)),
            PublicKey::P384(point) => (algorithm == Algorithm::Es384)
                .then(|| UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point).verify(message, signature)),
            PublicKey::Ed25519(point) => (algorithm == Algorithm::Ed25519)
                .then(|| UnparsedPublicKey::new(&ED25519, point).verify(message, signature)),
        };
        matches!(outcome, Some(Ok(())))
    }
}

impl PublicKey {
    fn read<'a>(text: impl Fn(&str) -> Option<&'a str>) -> Option<Self> {
        let bytes = |name: &str, length: usize| base64url(text(name)?).filter(|bytes| bytes.len() == length);
        let point = |length: usize| Some([vec![4], bytes("x", length)?, bytes("y", length)?].concat());
        match (text("kty")?, text("crv")) {
            ("RSA", _) => {
                let (modulus, exponent) = (integer(text("n")?)?, integer(text("e")?)?);
                let known = (2048..=8192).contains(&bits(&modulus)) && (2..=33).contains(&bits(&exponent));
                known.then_some(Self::Rsa { modulus, exponent })
            }
            ("EC", Some("P-256")) => point(32).map(Self::P256),
            ("EC", Some("P-384")) => point(48).map(Self::P384),
            ("OKP", Some("Ed25519")) => bytes("x", 32).map(Self::Ed25519),
            _ => None,
        }
    }

    fn to_json(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let curve = |name: &str, point: &[u8]| {
            let coordinates = point.get(1..).unwrap_or_default();
            let (x, y) = coordinates.split_at(coordinates.len() / 2);
            json!({ "kty": "EC", "crv": name, "x": text(x), "y": text(y) })
        };
        match self {
            Self::Rsa { modulus, exponent } => json!({ "kty": "RSA", "n": text(modulus), "e": text(exponent) }),
            Self::P256(point) => curve("P-256", point),
            Self::P384(point) => curve("P-384", point),
            Self::Ed25519(point) => json!({ "kty": "OKP", "crv": "Ed25519", "x": text(point) }),
        }
    }

    fn is_for(&self, algorithm: Algorithm) -> bool {
        match self {
            Self::Rsa { .. } => rsa(algorithm).is_some(),
            Self::P256(_) => algorithm == Algorithm::Es256,
            Self::P384(_) => algorithm == Algorithm::Es384,
            Self::Ed25519(_) => algorithm == Algorithm::Ed25519,
        }
    }
}

fn rsa(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    match algorithm {
        Algorithm::Rs256 => Some(&RSA_PKCS1_2048_8192_SHA256),
        Algorithm::Rs384 => Some(&RSA_PKCS1_2048_8192_SHA384),
        Algorithm::Rs512 => Some(&RSA_PKCS1_2048_8192_SHA512),
        Algorithm::Ps256 => Some(&RSA_PSS_2048_8192_SHA256),
        Algorithm::Ps384 => Some(&RSA_PSS_2048_8192_SHA384),
        Algorithm::Ps512 => Some(&RSA_PSS_2048_8192_SHA512),
        Algorithm::Es256 | Algorithm::Es384 | Algorithm::Ed25519 => None,
    }
}

/// A big-endian integer; some servers put zeros in front, which ring does not take.
fn integer(text: &str) -> Option<Vec<u8>> {
    let bytes = base64url(text)?;
    Some(bytes.into_iter().skip_while(|byte| *byte == 0).collect())
}

fn bits(integer: &[u8]) -> usize {
    integer.first().map_or(0, |first| integer.len() * 8 - first.leading_zeros() as usize)
}
