//! The answer to a request for a security token (WS-Trust 1.3, section 3.2): a SAML assertion, kept byte for byte since it is signed, or
//! a SOAP fault. A federation server sends faults with a status 500, so the body is read first.

use token_broker_proto::Secret;

use super::{Fault, SOAP, Version, WsTrustError, error::not_taken, saml_bearer::SamlVersion, xml, xml::Element};
use crate::{flow::oauth::endpoint::readable, model::HttpResponse};

/// Longest reason of a fault in characters.
const MAX_REASON: usize = 1024;
/// Longest code of a fault, and type of a token, in characters.
const MAX_WORD: usize = 128;
/// Stands for a reason that is not told.
const REPEATS: &str = "(its reason repeats the password and is not shown)";
/// What holds the assertion, in either version.
const REQUESTED: &str = "RequestedSecurityToken";

/// An assertion about a user.
#[derive(Debug)]
pub struct SamlAssertion {
    /// Which grant takes it.
    pub version: SamlVersion,
    /// The element with all of its bytes.
    pub text: Secret,
}

/// Reads the assertion. A fault does not repeat the password that was sent.
pub fn parse(response: &HttpResponse, password: &Secret) -> Result<SamlAssertion, WsTrustError> {
    let text = response.body().expose();
    let root = xml::parse(text, REQUESTED).map_err(|error| not_taken(response, error))?;
    let Some(body) = root.at(&[(SOAP, "Body")]).filter(|_| root.is(SOAP, "Envelope")) else {
        let is_success = response.status().is_success();
        return Err(if is_success { WsTrustError::NoToken } else { not_taken(response, xml::XmlError::Malformed) });
    };
    if let Some(fault) = body.at(&[(SOAP, "Fault")]) {
        return Err(WsTrustError::Refused(read_fault(fault, password)));
    }
    let issued = [Version::Trust13, Version::Trust2005].into_iter().find_map(|version| {
        let namespace = version.namespace();
        let answer = body.within(namespace, "RequestSecurityTokenResponse")?;
        Some((answer.at(&[(namespace, "TokenType")])?, answer.at(&[(namespace, REQUESTED)])?))
    });
    let (token_type, token) = issued.ok_or(WsTrustError::NoToken)?;
    let unknown = || WsTrustError::UnknownTokenType(readable(token_type.text(), MAX_WORD));
    let version = SamlVersion::of_token_type(token_type.text()).ok_or_else(unknown)?;
    let assertion = token.only_child().and_then(|assertion| assertion.raw(text)).ok_or(WsTrustError::NoToken)?;
    Ok(SamlAssertion { version, text: Secret::new(assertion) })
}

fn read_fault(fault: &Element, password: &Secret) -> Fault {
    // Looked for in what came, before it is cut and made readable.
    let repeats = |text: &str| !password.is_empty() && text.contains(password.expose());
    let code = fault
        .at(&[(SOAP, "Code"), (SOAP, "Subcode"), (SOAP, "Value")])
        .or_else(|| fault.at(&[(SOAP, "Code"), (SOAP, "Value")]))
        .map_or("Fault", |value| value.text().rsplit(':').next().unwrap_or_default());
    let reason = fault.at(&[(SOAP, "Reason"), (SOAP, "Text")]).map_or("", Element::text);
    Fault {
        code: if repeats(code) { "Fault".to_owned() } else { readable(code, MAX_WORD) },
        reason: if repeats(reason) { REPEATS.to_owned() } else { readable(reason, MAX_REASON) },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use token_broker_proto::Secret;

    use super::parse;
    use crate::flow::{microsoft::ws_trust::WsTrustError, oauth::vectors};

    #[test]
    fn every_vector() {
        vectors::check_all_of("microsoft", "rstr", |case| {
            match parse(&vectors::response(&case["response"]), &Secret::new("M4rker\tpassword")) {
                Ok(assertion) => {
                    assert!(!format!("{assertion:?}").contains("Subject"));
                    json!({ "version": format!("{:?}", assertion.version), "assertion": assertion.text.expose() })
                }
                Err(WsTrustError::Refused(fault)) => json!({ "fault": fault.code, "reason": fault.reason }),
                Err(error) => json!({ "error": error.to_string() }),
            }
        });
    }
}
