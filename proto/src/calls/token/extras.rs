//! What a token request may ask for beyond its scopes, where the flow has it. A token that was asked for with any of this answers
//! requests with the very same only: MSAL's extended cache key.

use url::Url;

use super::{OnBehalfOf, Subject, given};
use crate::{Invalid, oauth::Claims, wire::v1};

/// Longest text in bytes.
const MAX_TEXT: usize = 2 * 1024;

/// What goes along with a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extras {
    /// `audience` of a token exchange (RFC 8693, section 2.1).
    pub audience: Option<String>,
    /// `resource` of a token exchange (RFC 8693, section 2.1).
    pub resource: Option<String>,
    /// `fmi_path` of Microsoft Entra ID, for the application itself.
    pub fmi_path: Option<String>,
    /// The service that a Kerberos ticket is asked for, for a user at Microsoft Entra ID.
    pub kerberos_service_principal: Option<String>,
    /// Claims of the application's own wish; they do not bypass the cache.
    pub client_claims: Option<Claims>,
}

impl Extras {
    pub(super) fn parse(wire: &v1::GetTokenRequest, subject: &Subject) -> Result<Self, Invalid> {
        let exchanged = matches!(subject, Subject::OnBehalfOf(OnBehalfOf::Assertion(_)));
        let rule_of_exchange = "goes along with on_behalf_of, and without session_key";
        let client_claims =
            Claims::parse(&wire.client_claims).map_err(|Invalid { rule, .. }| Invalid::new("client_claims", rule))?;
        Ok(Self {
            audience: text("audience", &wire.audience, exchanged, rule_of_exchange)?,
            resource: text("resource", &wire.resource, exchanged, rule_of_exchange)?.map(uri).transpose()?,
            fmi_path: text(
                "fmi_path",
                &wire.fmi_path,
                matches!(subject, Subject::Application),
                "goes along with app_only",
            )?,
            kerberos_service_principal: text(
                "kerberos_service_principal",
                &wire.kerberos_service_principal,
                matches!(subject, Subject::User(_)),
                "is for the token of a signed-in user",
            )?,
            client_claims,
        })
    }

    pub(super) fn write(&self, wire: &mut v1::GetTokenRequest) {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        wire.audience = text(&self.audience);
        wire.resource = text(&self.resource);
        wire.fmi_path = text(&self.fmi_path);
        wire.kerberos_service_principal = text(&self.kerberos_service_principal);
        wire.client_claims = self.client_claims.as_ref().map(|claims| claims.as_str().to_owned()).unwrap_or_default();
    }
}

/// A text that fits this kind of request.
fn text(field: &'static str, value: &str, fits: bool, rule: &'static str) -> Result<Option<String>, Invalid> {
    let Some(value) = given(value.to_owned()) else { return Ok(None) };
    if !fits {
        return Err(Invalid::new(field, rule));
    }
    if value.len() > MAX_TEXT || value.chars().any(char::is_control) {
        return Err(Invalid::new(field, format!("must be at most {MAX_TEXT} bytes without control characters")));
    }
    Ok(Some(value))
}

/// RFC 8693, section 2.1: an absolute URI without a fragment.
fn uri(text: String) -> Result<String, Invalid> {
    match Url::parse(&text) {
        Ok(url) if url.fragment().is_none() => Ok(text),
        _ => Err(Invalid::new("resource", "must be an absolute URI without a fragment (RFC 8693, section 2.1)")),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::TokenRequest, Extras};
    use crate::wire::v1::GetTokenRequest;

    type Change = fn(GetTokenRequest) -> GetTokenRequest;

    fn parse(wire: GetTokenRequest) -> Result<Extras, &'static str> {
        let wire = GetTokenRequest { application: "a".into(), ..wire };
        TokenRequest::try_from(wire).map(|request| request.extras).map_err(|invalid| invalid.field)
    }

    #[test]
    fn each_goes_along_with_its_flow_alone() {
        let exchange = || GetTokenRequest { on_behalf_of: "t".into(), ..GetTokenRequest::default() };
        let app_only = || GetTokenRequest { app_only: true, ..GetTokenRequest::default() };
        let user = GetTokenRequest::default;
        let audience: Change = |wire| GetTokenRequest { audience: "files".into(), ..wire };
        let resource: Change = |wire| GetTokenRequest { resource: "https://files.example/".into(), ..wire };
        let fmi: Change = |wire| GetTokenRequest { fmi_path: "a/b".into(), ..wire };
        let kerberos: Change = |wire| GetTokenRequest { kerberos_service_principal: "HTTP/x".into(), ..wire };
        for (change, fits) in [
            (audience, [true, false, false]),
            (resource, [true, false, false]),
            (fmi, [false, true, false]),
            (kerberos, [false, false, true]),
        ] {
            let taken = [exchange(), app_only(), user()].map(|wire| parse(change(wire)).is_ok());
            assert_eq!(taken, fits);
        }
        assert_eq!(parse(GetTokenRequest { session_key: Some("k".into()), ..audience(exchange()) }), Err("audience"));
    }

    #[test]
    fn what_breaks_a_rule_is_named() {
        let exchange = || GetTokenRequest { on_behalf_of: "t".into(), ..GetTokenRequest::default() };
        for uri in ["files", "https://x.example/#a", "/x"] {
            assert_eq!(parse(GetTokenRequest { resource: uri.into(), ..exchange() }), Err("resource"), "{uri}");
        }
        assert_eq!(parse(GetTokenRequest { audience: "a\nb".into(), ..exchange() }), Err("audience"));
        assert_eq!(parse(GetTokenRequest { audience: "x".repeat(2049), ..exchange() }), Err("audience"));
        assert_eq!(parse(GetTokenRequest { client_claims: "[]".into(), ..exchange() }), Err("client_claims"));
    }
}
