//! What is issued besides access tokens: id tokens signed with RS256, `client_info`, and the published key.

use base64::{Engine, prelude::BASE64_STANDARD};
use ring::{
    digest,
    rand::SystemRandom,
    rsa::{KeyPair, PublicKeyComponents},
    signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey},
};
use serde_json::{Value, json};

use super::{
    Directory, Session,
    realm::{CONTOSO, Kind, PERSONAL, Realm},
};
use crate::{authorization_server::wire::Answer, jose::encode};

/// The platform's signing key.
#[derive(Debug)]
pub(super) struct SigningKey(KeyPair);

/// Its `kid`.
const KEY_ID: &str = "token-broker-tests";

impl SigningKey {
    /// The one that stands beside this file: making an RSA key takes longer than a test.
    pub(super) fn of_the_tests() -> Self {
        Self(key_pair(include_str!("../signing_key.pem")))
    }

    /// Whether a signature by RS256 is its own.
    pub(super) fn has_signed(&self, input: &[u8], signature: &[u8]) -> bool {
        let key = self.0.public().as_ref().to_vec();
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key).verify(input, signature).is_ok()
    }

    /// The answer at `jwks_uri`.
    pub(super) fn published(&self) -> Answer {
        let public = PublicKeyComponents::<Vec<u8>>::from(self.0.public());
        let key = json!({
            "kty": "RSA", "use": "sig", "kid": KEY_ID, "alg": "RS256", "n": encode(&public.n), "e": encode(&public.e),
        });
        Answer::json(200, &json!({ "keys": [key] }))
    }

    /// A JWT of these claims.
    pub(super) fn sign(&self, claims: &Value) -> String {
        let header = json!({"typ": "JWT", "alg": "RS256", "kid": KEY_ID});
        let input = format!("{}.{}", encode(&header.to_string()), encode(&claims.to_string()));
        format!("{input}.{}", encode(&self.signature(input.as_bytes())))
    }

    /// The signature of any bytes, by RS256.
    #[expect(clippy::disallowed_methods, reason = "ring blinds RSA only from its own source")]
    pub(super) fn signature(&self, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.0.public().modulus_len()];
        self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).expect("the key signs");
        signature
    }

    /// Modulus and exponent.
    pub(super) fn public(&self) -> (Vec<u8>, Vec<u8>) {
        let public = PublicKeyComponents::<Vec<u8>>::from(self.0.public());
        (public.n, public.e)
    }
}

/// The first private key of a PEM text.
pub(super) fn key_pair(pem: &str) -> KeyPair {
    KeyPair::from_pkcs8(&pem_block(pem, "PRIVATE KEY")).expect("an RSA key in PKCS#8")
}

/// The bytes of the first block with this label.
pub(super) fn pem_block(pem: &str, label: &str) -> Vec<u8> {
    let begin = format!("-----BEGIN {label}-----");
    let text = pem.split(&begin).nth(1).and_then(|rest| rest.split("-----END").next()).expect("the block is there");
    let joined: String = text.split_whitespace().collect();
    BASE64_STANDARD.decode(joined).expect("PEM is base64")
}

/// The object identifier of a user: always the same for the same name.
pub(super) fn object_id(username: &str) -> String {
    let hash = digest::digest(&digest::SHA256, username.as_bytes());
    let number = hash.as_ref().iter().take(6).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    format!("00000000-0000-4000-8000-{number:012x}")
}

/// The tenant where a user is at home.
pub(super) fn home_tenant(username: &str) -> &'static str {
    if username.ends_with("@outlook.example") { PERSONAL } else { CONTOSO }
}

/// `client_info` of a user: the identifier at home, and that home.
pub(super) fn client_info(username: &str) -> String {
    encode(&json!({"uid": object_id(username), "utid": home_tenant(username)}).to_string())
}

impl Directory {
    /// The id token of a user in this realm; at a federation server without the directory's own claims.
    pub(super) fn id_token(&self, realm: &Realm, session: &Session) -> String {
        let now = self.now();
        let tenant = realm.tenant.unwrap_or_else(|| home_tenant(&session.username));
        let name = session.username.split('@').next().unwrap_or_default();
        let mut claims = json!({
            "aud": session.client_id,
            "iss": realm.issuer(tenant),
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "auth_time": session.auth_time,
            "sub": encode(&digest::digest(&digest::SHA256, format!("{}{}", session.username, session.client_id).as_bytes())),
        });
        let own = match realm.kind {
            Kind::Adfs => json!({"upn": session.username, "unique_name": format!("CONTOSO\\{name}")}),
            Kind::B2c => json!({"oid": object_id(&session.username), "name": name, "tfp": "b2c_1_signin", "ver": "1.0",
                "preferred_username": session.username, "tid": tenant}),
            Kind::Entra | Kind::External => json!({"oid": object_id(&session.username), "name": name, "tid": tenant,
                "preferred_username": session.username, "ver": "2.0", "uti": "dGVzdHM", "rh": "0.AAAA"}),
        };
        if let (Value::Object(claims), Value::Object(own)) = (&mut claims, own) {
            claims.extend(own);
            if !session.nonce.is_empty() {
                claims.insert("nonce".to_owned(), session.nonce.clone().into());
            }
        }
        self.key.sign(&claims)
    }
}
