//! SAML assertions, written so that whoever writes them anew is found out: the spaces, the quotes and the line ends are signed.

use token_broker_proto::oauth::UnixTime;

use super::{Organization, Trust};

/// An instant as SAML and WS-Security write it.
pub(super) fn date_time(seconds: i64) -> String {
    UnixTime::from_seconds(seconds).date_time()
}

/// A new assertion about a user.
pub(super) fn made(organization: &Organization, username: &str, number: usize, now: i64) -> String {
    let issuer = format!("http://{}/adfs/services/trust", organization.host);
    let (now, until) = (date_time(now), date_time(now + 3600));
    let signature = "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:SignatureValue>c2lnbmVkIGJ5dGVz\r\n\
                     </ds:SignatureValue></ds:Signature>";
    if organization.is_saml_2 {
        format!(
            "<Assertion ID='_{number}'  IssueInstant=\"{now}\" Version=\"2.0\" xmlns=\"urn:oasis:names:tc:SAML:2.0:assertion\">\
             <Issuer>{issuer}</Issuer>{signature}<Subject><NameID>{username}</NameID></Subject>\r\n  <Conditions \
             NotBefore=\"{now}\" NotOnOrAfter=\"{until}\" /></Assertion>"
        )
    } else {
        format!(
            "<saml:Assertion MajorVersion='1'  MinorVersion=\"1\" AssertionID=\"_{number}\" Issuer=\"{issuer}\" \
             IssueInstant=\"{now}\" xmlns:saml=\"urn:oasis:names:tc:SAML:1.0:assertion\"><saml:Conditions NotBefore=\"{now}\" \
             NotOnOrAfter=\"{until}\" />\r\n  <saml:Subject><saml:NameIdentifier>{username}</saml:NameIdentifier></saml:Subject>\
             {signature}</saml:Assertion>"
        )
    }
}

/// The answer with it.
pub(super) fn in_envelope(version: Trust, is_saml_2: bool, assertion: &str) -> String {
    let token_type = match (version, is_saml_2) {
        (Trust::V13, false) => "urn:oasis:names:tc:SAML:1.0:assertion",
        (Trust::V13, true) => "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLV2.0",
        (Trust::V2005, false) => "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLV1.1",
        (Trust::V2005, true) => "urn:oasis:names:tc:SAML:2.0:assertion",
    };
    let (namespace, open, close) = match version {
        Trust::V13 => (
            "http://docs.oasis-open.org/ws-sx/ws-trust/200512",
            "<trust:RequestSecurityTokenResponseCollection xmlns:trust=\"http://docs.oasis-open.org/ws-sx/ws-trust/200512\">",
            "</trust:RequestSecurityTokenResponseCollection>",
        ),
        Trust::V2005 => ("http://schemas.xmlsoap.org/ws/2005/02/trust", "", ""),
    };
    format!(
        "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Header/><s:Body>{open}\
         <t:RequestSecurityTokenResponse xmlns:t=\"{namespace}\"><t:RequestedSecurityToken>{assertion}</t:RequestedSecurityToken>\
         <t:TokenType>{token_type}</t:TokenType></t:RequestSecurityTokenResponse>{close}</s:Body></s:Envelope>"
    )
}
