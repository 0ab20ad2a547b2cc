//! What a federation server publishes of itself, in the form that AD FS has it: policies, bindings and ports of several kinds, of which
//! the ones for a user name and a password are meant. A port over plain http stands first: nobody may take it.

use super::{Organization, Trust};

/// The document.
pub(super) fn document(organization: &Organization) -> String {
    let host = organization.host;
    let (mut policies, mut bindings, mut ports) = (String::new(), String::new(), String::new());
    for version in organization.versions {
        let (number, action) = (version.number(), version.action());
        policies.push_str(&policy(*version));
        bindings.push_str(&binding(&format!("UserNameWSTrustBinding_{number}"), action));
        bindings.push_str(&binding(&format!("CertificateWSTrustBinding_{number}"), action));
        for (name, scheme, path) in [
            ("UserNameWSTrustBinding", "http", "usernamemixed"),
            ("UserNameWSTrustBinding", "https", "usernamemixed"),
            ("CertificateWSTrustBinding", "https", "certificatemixed"),
        ] {
            ports +=
                &port(&format!("{name}_{number}"), &format!("{scheme}://{host}/adfs/services/trust/{number}/{path}"));
        }
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<wsdl:definitions name=\"SecurityTokenService\" \
         targetNamespace=\"http://schemas.microsoft.com/ws/2008/06/identity/securitytokenservice\" \
         xmlns:wsdl=\"http://schemas.xmlsoap.org/wsdl/\" xmlns:wsp=\"http://schemas.xmlsoap.org/ws/2004/09/policy\" \
         xmlns:wsu=\"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd\" \
         xmlns:soap12=\"http://schemas.xmlsoap.org/wsdl/soap12/\" xmlns:wsa10=\"http://www.w3.org/2005/08/addressing\" \
         xmlns:tns=\"http://schemas.microsoft.com/ws/2008/06/identity/securitytokenservice\">{policies}{bindings}\
         <wsdl:service name=\"SecurityTokenService\">{ports}</wsdl:service></wsdl:definitions>"
    )
}

fn port(name: &str, address: &str) -> String {
    format!(
        "<wsdl:port name=\"{name}\" binding=\"tns:{name}\"><soap12:address location=\"{address}\"/>\
         <wsa10:EndpointReference><wsa10:Address>{address}</wsa10:Address></wsa10:EndpointReference></wsdl:port>"
    )
}

fn policy(version: Trust) -> String {
    let (number, namespace, tokens) = match version {
        Trust::V13 => {
            ("13", "http://docs.oasis-open.org/ws-sx/ws-securitypolicy/200702", "SignedEncryptedSupportingTokens")
        }
        Trust::V2005 => ("2005", "http://schemas.xmlsoap.org/ws/2005/07/securitypolicy", "SignedSupportingTokens"),
    };
    let with = |name: &str, asked: &str| {
        format!(
            "<wsp:Policy wsu:Id=\"{name}_{number}_policy\"><wsp:ExactlyOne><wsp:All><sp:TransportBinding xmlns:sp=\"{namespace}\">\
             <wsp:Policy><sp:TransportToken><wsp:Policy><sp:HttpsToken/></wsp:Policy></sp:TransportToken></wsp:Policy>\
             </sp:TransportBinding>{asked}</wsp:All></wsp:ExactlyOne></wsp:Policy>"
        )
    };
    let name_and_password = format!(
        "<sp:{tokens} xmlns:sp=\"{namespace}\"><wsp:Policy><sp:UsernameToken><wsp:Policy><sp:WssUsernameToken10/></wsp:Policy>\
         </sp:UsernameToken></wsp:Policy></sp:{tokens}>"
    );
    let certificate = format!("<sp:EndorsingSupportingTokens xmlns:sp=\"{namespace}\"/>");
    with("CertificateWSTrustBinding", &certificate) + &with("UserNameWSTrustBinding", &name_and_password)
}

fn binding(name: &str, action: &str) -> String {
    format!(
        "<wsdl:binding name=\"{name}\" type=\"tns:IWSTrustAsync\"><wsp:PolicyReference URI=\"#{name}_policy\"/>\
         <soap12:binding transport=\"http://schemas.xmlsoap.org/soap/http\"/><wsdl:operation name=\"TrustIssueAsync\">\
         <soap12:operation soapAction=\"{action}\" style=\"document\"/></wsdl:operation></wsdl:binding>"
    )
}
