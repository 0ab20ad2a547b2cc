//! The scopes that a sign-in asks for beyond the requested ones, so that there is an ID token and a refresh token (OpenID
//! Connect Core 1.0, sections 3.1.2.1 and 11). Only for sign-in: client credentials and refreshes add nothing.

use token_broker_proto::oauth::{Authority, ScopeSet};

use crate::model::ProviderMetadata;

/// The scopes to ask for and the `prompt` to send.
///
/// OpenID Connect: `openid` always; `offline_access` where it is advertised, then with `prompt=consent` unless a prompt was
/// given, since section 11 wants the consent. Microsoft Entra ID: `openid profile offline_access`, as MSAL does, and no
/// prompt. Endpoints given by hand: nothing, plain OAuth 2.0 knows none of these.
#[must_use]
pub fn sign_in_scopes(
    authority: &Authority,
    metadata: &ProviderMetadata,
    requested: &ScopeSet,
    prompt: Option<&str>,
) -> (ScopeSet, Option<String>) {
    let prompt = prompt.map(str::to_owned);
    match authority {
        Authority::OpenIdConnect { .. } if metadata.offers_offline_access => {
            (requested.with("openid").with("offline_access"), prompt.or_else(|| Some("consent".to_owned())))
        }
        Authority::OpenIdConnect { .. } => (requested.with("openid"), prompt),
        Authority::Microsoft(_) => (requested.with("openid").with("profile").with("offline_access"), prompt),
        Authority::Endpoints(_) | Authority::ManagedIdentity(_) => (requested.clone(), prompt),
    }
}

#[cfg(test)]
mod tests {
    use token_broker_proto::oauth::{Authority, ScopeSet};

    use super::sign_in_scopes;
    use crate::flow::oauth::vectors;

    fn asked(authority: &str, offline: bool, prompt: Option<&str>) -> (String, Option<String>) {
        let authority = Authority::from_url(authority).unwrap();
        let mut metadata = vectors::metadata();
        metadata.offers_offline_access = offline;
        let requested = ScopeSet::parse(["api.read"]).unwrap();
        let (scopes, prompt) = sign_in_scopes(&authority, &metadata, &requested, prompt);
        (scopes.to_string(), prompt)
    }

    #[test]
    fn each_authority_gets_what_it_needs() {
        let oidc = "https://id.example";
        let entra = "https://login.microsoftonline.com/common";
        let consent = Some("consent".to_owned());
        assert_eq!(asked(oidc, false, None), ("api.read openid".into(), None));
        assert_eq!(asked(oidc, true, None), ("api.read offline_access openid".into(), consent));
        assert_eq!(asked(oidc, true, Some("login")).1.as_deref(), Some("login"));
        assert_eq!(asked(entra, true, None), ("api.read offline_access openid profile".into(), None));
    }
}
