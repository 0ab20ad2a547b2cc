//! A certificate with its chain and its private key, as the broker keeps it. Plain facts: the room `certificate` reads files into
//! it and checks that they fit, `flow` signs with it.

use token_broker_proto::{Secret, oauth::UnixTime};

/// A certificate and what goes with it.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// DER, the client's own first, then whoever signed the one before.
    pub chain: Vec<Vec<u8>>,
    /// The key of the first.
    pub key: PrivateKey,
    /// When the first ends.
    pub not_after: UnixTime,
    /// Whether the chain goes along in the header `x5c` (RFC 7515, section 4.1.6): a provider that trusts a subject name and an
    /// issuer needs it.
    pub send_x5c: bool,
}

/// A private key.
#[derive(Debug, Clone)]
pub struct PrivateKey {
    /// Which kind.
    pub kind: KeyKind,
    /// Base64 of an `RSAPrivateKey` in DER (RFC 8017, appendix A.1.2), or of the private scalar of an elliptic curve.
    pub secret: Secret,
    /// The public point of an elliptic curve, uncompressed; empty for RSA.
    pub point: Vec<u8>,
}

/// Kinds of keys that the broker signs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA of 2048 to 4096 bits.
    Rsa,
    /// Elliptic curve P-256.
    P256,
    /// Elliptic curve P-384.
    P384,
}

impl Certificate {
    /// The client's own certificate, DER.
    #[must_use]
    pub fn leaf(&self) -> &[u8] {
        self.chain.first().map_or(&[], Vec::as_slice)
    }

    /// Whether both are the same; one certificate has one key.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.chain == other.chain && self.send_x5c == other.send_x5c
    }
}
