//! What a provider takes: the algorithm of a client assertion (RFC 7518, section 3.1), whom it is for, and whether it may be sent
//! again.

use token_broker_proto::oauth::{Authority, MicrosoftAuthority, MicrosoftKind};

use super::AssertionError;
use crate::model::{KeyKind, ProviderMetadata};

/// How an assertion is signed, and how its header names the certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RS256 with the SHA-1 thumbprint `x5t`: AD FS knows no other.
    Rs256Sha1,
    /// RS256 with `x5t#S256`.
    Rs256,
    /// PS256 with `x5t#S256`.
    Ps256,
    /// ES256 with `x5t#S256`.
    Es256,
    /// ES384 with `x5t#S256`.
    Es384,
}

/// Whom an assertion is for: the issuer identifier (draft-ietf-oauth-rfc7523bis), so that no other provider can use it; the token
/// endpoint at Microsoft Entra ID and where no issuer is known (RFC 7523, section 3). A provider that publishes another's name, as
/// one of Microsoft's under its customer's domain does, gets no assertion for that other one.
#[must_use]
pub fn audience<'a>(authority: &Authority, metadata: &'a ProviderMetadata) -> &'a str {
    match authority {
        Authority::OpenIdConnect { text, .. } if metadata.issuer == *text => &metadata.issuer,
        _ => metadata.token_endpoint.as_str(),
    }
}

/// Whether an assertion may be sent again while it is valid. Elsewhere its `jti` is good for one request (RFC 7523, section 3).
#[must_use]
pub fn is_reusable(authority: &Authority) -> bool {
    matches!(authority, Authority::Microsoft(_))
}

impl Algorithm {
    /// The one to use at this provider with a key of this kind.
    pub fn choose(kind: KeyKind, authority: &Authority, metadata: &ProviderMetadata) -> Result<Self, AssertionError> {
        let taken = &metadata.assertion_algorithms;
        let lists = |name: &str| taken.iter().any(|it| it == name);
        let refused = |wanted| AssertionError::NoAlgorithm { wanted, taken: taken.join(", ") };
        match (kind, authority) {
            (KeyKind::Rsa, _) if is_ad_fs(authority) => Ok(Self::Rs256Sha1),
            (KeyKind::Rsa, Authority::Microsoft(_)) => Ok(Self::Ps256),
            (_, Authority::Microsoft(_)) => {
                let taken = "PS256".to_owned();
                Err(AssertionError::NoAlgorithm { wanted: "ES256 or ES384", taken })
            }
            (KeyKind::Rsa, _) if lists("PS256") => Ok(Self::Ps256),
            // Every server should take RS256 (RFC 8414, section 2), and most that publish nothing do.
            (KeyKind::Rsa, _) if taken.is_empty() || lists("RS256") => Ok(Self::Rs256),
            (KeyKind::P256, _) if taken.is_empty() || lists("ES256") => Ok(Self::Es256),
            (KeyKind::P384, _) if taken.is_empty() || lists("ES384") => Ok(Self::Es384),
            (KeyKind::Rsa, _) => Err(refused("PS256 or RS256")),
            (KeyKind::P256, _) => Err(refused("ES256")),
            (KeyKind::P384, _) => Err(refused("ES384")),
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Rs256Sha1 | Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
        }
    }
}

fn is_ad_fs(authority: &Authority) -> bool {
    matches!(authority, Authority::Microsoft(MicrosoftAuthority { kind: MicrosoftKind::AdFs, .. }))
}

#[cfg(test)]
mod tests {
    use token_broker_proto::oauth::Authority;

    use super::audience;
    use crate::{flow::oauth::vectors, model::ProviderMetadata};

    #[test]
    fn an_assertion_is_for_no_issuer_but_the_configured_one() {
        let authority = Authority::from_issuer("https://id.example").unwrap();
        let publishing = |issuer: &str| ProviderMetadata { issuer: issuer.to_owned(), ..vectors::metadata() };
        let own = publishing("https://id.example");
        assert_eq!(audience(&authority, &own), "https://id.example");
        let of_another = publishing("https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0");
        assert_eq!(audience(&authority, &of_another), of_another.token_endpoint.as_str());
    }
}
