//! The signature algorithms that are accepted (RFC 7518, section 3.1; RFC 8037, section 3.1; RFC 9864). Everything else is
//! refused by its name: `none` above all, and the symmetric ones, whose key would be known to both sides.

use crate::flow::oauth::endpoint::readable;

/// An accepted algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// The Edwards curve Ed25519; called `EdDSA` or `Ed25519`.
    Ed25519,
}

/// The algorithm is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AlgorithmError {
    /// `none`.
    #[error("it is not signed (alg none)")]
    Unsigned,
    /// `HS256` and its kin.
    #[error("it is signed with the symmetric {0}")]
    Symmetric(String),
    /// Any other name.
    #[error("it is signed with {0:?}, which is not supported")]
    Unsupported(String),
}

impl Algorithm {
    /// Reads the name of an accepted algorithm; names are case-sensitive.
    pub fn parse(name: &str) -> Result<Self, AlgorithmError> {
        match name {
            "RS256" => Ok(Self::Rs256),
            "RS384" => Ok(Self::Rs384),
            "RS512" => Ok(Self::Rs512),
            "PS256" => Ok(Self::Ps256),
            "PS384" => Ok(Self::Ps384),
            "PS512" => Ok(Self::Ps512),
            "ES256" => Ok(Self::Es256),
            "ES384" => Ok(Self::Es384),
            "EdDSA" | "Ed25519" => Ok(Self::Ed25519),
            _ if name.eq_ignore_ascii_case("none") => Err(AlgorithmError::Unsigned),
            "HS256" | "HS384" | "HS512" => Err(AlgorithmError::Symmetric(name.to_owned())),
            _ => Err(AlgorithmError::Unsupported(readable(name, 32))),
        }
    }

    /// Its name in `alg`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Ed25519 => "EdDSA",
        }
    }
}
