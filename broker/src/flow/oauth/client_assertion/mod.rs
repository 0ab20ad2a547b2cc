//! Client assertions (RFC 7523, sections 2.2 and 3): a JWT that the client signs with the key of its certificate, in place of a
//! secret. Which algorithm and audience a provider takes; signing itself. Reading certificates and keeping assertions is for others.

mod algorithm;

use std::time::Duration;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::{
    digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest},
    rand::SecureRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
        RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
    },
};
use serde_json::{Map, Value, json};
use token_broker_proto::{
    Secret,
    oauth::{Claims, ClientId, CorrelationId, UnixTime},
};
use zeroize::Zeroizing;

use crate::model::Certificate;

pub use algorithm::{Algorithm, audience, is_reusable};

/// How long an assertion is valid.
const LIFETIME: Duration = Duration::from_secs(600);

/// An assertion cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AssertionError {
    /// The provider takes none that this key could sign.
    #[error("the provider takes no client assertion that a key of this kind can sign ({wanted}; it takes {taken})")]
    NoAlgorithm {
        /// What the key can do.
        wanted: &'static str,
        /// What the provider publishes.
        taken: String,
    },
    /// The stored key does not sign.
    #[error("the private key of the certificate does not sign")]
    Key,
}

/// What an assertion says.
#[derive(Debug, Clone, Copy)]
pub struct Statement<'a> {
    /// Issuer and subject: the client.
    pub client_id: &'a ClientId,
    /// Whom it is for.
    pub audience: &'a str,
    /// When it is made.
    pub now: UnixTime,
    /// Its `jti`.
    pub id: CorrelationId,
    /// What the application says besides, over the above but for the times.
    pub claims: Option<&'a Claims>,
}

/// Makes and signs an assertion. Takes milliseconds with a long RSA key: not for the event loop.
pub fn sign(
    certificate: &Certificate,
    algorithm: Algorithm,
    statement: &Statement<'_>,
    random: &dyn SecureRandom,
) -> Result<Secret, AssertionError> {
    let mut claims = json!({
        "aud": statement.audience,
        "iss": statement.client_id.as_str(),
        "sub": statement.client_id.as_str(),
        "iat": statement.now.seconds(),
        "exp": statement.now.plus(LIFETIME).seconds(),
        "jti": statement.id.to_string(),
    });
    let more = statement.claims.and_then(|claims| serde_json::from_str::<Map<String, Value>>(claims.as_str()).ok());
    if let (Value::Object(claims), Some(more)) = (&mut claims, more) {
        claims.extend(more);
    }
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let input = format!("{}.{}", part(&header(certificate, algorithm)), part(&claims));
    let signature = signature(certificate, algorithm, input.as_bytes(), random).ok_or(AssertionError::Key)?;
    Ok(Secret::new(format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))))
}

fn header(certificate: &Certificate, algorithm: Algorithm) -> Value {
    let mut header = json!({ "alg": algorithm.name(), "typ": "JWT" });
    let (name, hash) = match algorithm {
        Algorithm::Rs256Sha1 => ("x5t", &SHA1_FOR_LEGACY_USE_ONLY),
        Algorithm::Rs256 | Algorithm::Ps256 | Algorithm::Es256 | Algorithm::Es384 => ("x5t#S256", &SHA256),
    };
    let thumbprint = URL_SAFE_NO_PAD.encode(digest(hash, certificate.leaf()));
    if let Some(members) = header.as_object_mut() {
        members.insert(name.to_owned(), thumbprint.into());
        if certificate.send_x5c {
            // Plain base64, not base64url, and no line break (RFC 7515, section 4.1.6).
            let chain: Vec<_> = certificate.chain.iter().map(|der| STANDARD.encode(der)).collect();
            members.insert("x5c".to_owned(), chain.into());
        }
    }
    header
}

fn signature(
    certificate: &Certificate,
    algorithm: Algorithm,
    input: &[u8],
    random: &dyn SecureRandom,
) -> Option<Vec<u8>> {
    let key = Zeroizing::new(STANDARD.decode(certificate.key.secret.expose()).ok()?);
    let elliptic = |curve: &'static EcdsaSigningAlgorithm| {
        let pair = EcdsaKeyPair::from_private_key_and_public_key(curve, &key, &certificate.key.point, random).ok()?;
        Some(pair.sign(random, input).ok()?.as_ref().to_vec())
    };
    let rsa = |padding: &'static dyn RsaEncoding| {
        let pair = RsaKeyPair::from_der(&key).ok()?;
        let mut signature = vec![0; pair.public().modulus_len()];
        pair.sign(padding, random, input, &mut signature).ok()?;
        Some(signature)
    };
    match algorithm {
        Algorithm::Rs256Sha1 | Algorithm::Rs256 => rsa(&RSA_PKCS1_SHA256),
        Algorithm::Ps256 => rsa(&RSA_PSS_SHA256),
        Algorithm::Es256 => elliptic(&ECDSA_P256_SHA256_FIXED_SIGNING),
        Algorithm::Es384 => elliptic(&ECDSA_P384_SHA384_FIXED_SIGNING),
    }
}
