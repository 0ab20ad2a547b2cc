//! The request for a security token (WS-Trust 1.3, section 3.1; WS-Security `UsernameToken` Profile 1.0): a SOAP envelope that holds the
//! user name and the password, good for ten minutes. Every text in it is escaped.

use std::{mem, time::Duration};

use http::{HeaderName, HeaderValue, header::CONTENT_TYPE};
use token_broker_proto::{
    Secret,
    oauth::{CorrelationId, UnixTime},
};
use zeroize::Zeroizing;

use super::{ADDRESSING, POLICY, SOAP, UTILITY, Version, WsTrustError, mex::Endpoint, takes_anything};
use crate::{
    flow::oauth::{endpoint::post_text, password::ResourceOwner},
    model::HttpRequest,
};

const SECURITY: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
const ANONYMOUS: &str = "http://www.w3.org/2005/08/addressing/anonymous";
/// How long the request is good.
const LIFETIME: Duration = Duration::from_secs(600);
/// Room for everything that is always the same, and for an address.
const ROOM: usize = 4 * 1024;

/// What of a request is its own.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// Whom the assertion is for.
    pub audience: &'a str,
    /// A random name of the message.
    pub message_id: CorrelationId,
    /// When it is made.
    pub now: UnixTime,
}

/// Asks for an assertion about the user.
pub fn request(
    endpoint: &Endpoint,
    owner: ResourceOwner<'_>,
    ask: Ask<'_>,
    correlation_id: CorrelationId,
) -> Result<HttpRequest, WsTrustError> {
    let mut request = post_text(&endpoint.url, envelope(endpoint, owner, ask)?, correlation_id);
    takes_anything(&mut request);
    let headers = request.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/soap+xml; charset=utf-8"));
    headers.insert(HeaderName::from_static("soapaction"), HeaderValue::from_static(endpoint.version.action()));
    Ok(request)
}

/// Written into memory that is taken once, so that no copy of the password stays behind.
fn envelope(endpoint: &Endpoint, owner: ResourceOwner<'_>, ask: Ask<'_>) -> Result<Secret, WsTrustError> {
    let texts = [owner.username, owner.password.expose(), ask.audience, &endpoint.written];
    let room = ROOM + 6 * texts.iter().map(|text| text.len()).sum::<usize>();
    let mut xml = Envelope(Zeroizing::new(String::with_capacity(room)));
    xml.raw(&format!(
        "<s:Envelope xmlns:s='{SOAP}' xmlns:wsa='{ADDRESSING}' xmlns:wsu='{UTILITY}'><s:Header><wsa:Action \
         s:mustUnderstand='1'>{}</wsa:Action><wsa:MessageID>urn:uuid:{}</wsa:MessageID><wsa:ReplyTo><wsa:Address>{ANONYMOUS}\
         </wsa:Address></wsa:ReplyTo><wsa:To s:mustUnderstand='1'>",
        endpoint.version.action(),
        ask.message_id
    ));
    xml.text(&endpoint.written).ok_or(WsTrustError::NoEndpoint)?;
    xml.raw(&format!(
        "</wsa:To><wsse:Security s:mustUnderstand='1' xmlns:wsse='{SECURITY}'><wsu:Timestamp wsu:Id='_0'><wsu:Created>{}\
         </wsu:Created><wsu:Expires>{}</wsu:Expires></wsu:Timestamp><wsse:UsernameToken wsu:Id='user'><wsse:Username>",
        ask.now.date_time(),
        ask.now.plus(LIFETIME).date_time()
    ));
    xml.text(owner.username).ok_or(WsTrustError::Unwritable("the user name"))?;
    xml.raw("</wsse:Username><wsse:Password>");
    xml.text(owner.password.expose()).ok_or(WsTrustError::Unwritable("the password"))?;
    let (namespace, key_type, request_type) = kinds(endpoint.version);
    xml.raw(&format!(
        "</wsse:Password></wsse:UsernameToken></wsse:Security></s:Header><s:Body><wst:RequestSecurityToken \
         xmlns:wst='{namespace}'><wsp:AppliesTo xmlns:wsp='{POLICY}'><wsa:EndpointReference><wsa:Address>"
    ));
    xml.text(ask.audience).ok_or(WsTrustError::NoEndpoint)?;
    xml.raw(&format!(
        "</wsa:Address></wsa:EndpointReference></wsp:AppliesTo><wst:KeyType>{key_type}</wst:KeyType><wst:RequestType>\
         {request_type}</wst:RequestType></wst:RequestSecurityToken></s:Body></s:Envelope>"
    ));
    Ok(Secret::new(mem::take(&mut *xml.0)))
}

/// Namespace, a token without a key of its own, and the wish that it be issued.
fn kinds(version: Version) -> (&'static str, &'static str, &'static str) {
    let (key_type, request_type) = match version {
        Version::Trust13 => (
            "http://docs.oasis-open.org/ws-sx/ws-trust/200512/Bearer",
            "http://docs.oasis-open.org/ws-sx/ws-trust/200512/Issue",
        ),
        Version::Trust2005 => (
            "http://schemas.xmlsoap.org/ws/2005/05/identity/NoProofKey",
            "http://schemas.xmlsoap.org/ws/2005/02/trust/Issue",
        ),
    };
    (version.namespace(), key_type, request_type)
}

/// Wiped when it is given up half-way.
struct Envelope(Zeroizing<String>);

impl Envelope {
    fn raw(&mut self, markup: &str) {
        self.0.push_str(markup);
    }

    /// A text between two tags; `None` for a character that XML 1.0, section 2.2, does not have. A carriage return goes as a
    /// reference, since a reader would make a line feed of it.
    fn text(&mut self, text: &str) -> Option<()> {
        for character in text.chars() {
            match character {
                '&' => self.raw("&amp;"),
                '<' => self.raw("&lt;"),
                '>' => self.raw("&gt;"),
                '"' => self.raw("&quot;"),
                '\'' => self.raw("&apos;"),
                '\r' => self.raw("&#13;"),
                '\t' | '\n' | ' '..='\u{FFFD}' | '\u{10000}'.. => self.0.push(character),
                _ => return None,
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use token_broker_proto::{Secret, oauth::UnixTime};
    use url::Url;

    use super::{Ask, request};
    use crate::flow::{
        microsoft::ws_trust::{WsTrustError, mex::Endpoint, xml},
        oauth::{password::ResourceOwner, vectors},
    };

    fn built(username: &str, password: &str) -> Result<crate::model::HttpRequest, WsTrustError> {
        let url = Url::parse("https://fs.example/adfs/services/trust/13/usernamemixed").unwrap();
        let now = UnixTime::from_seconds(1_700_000_000);
        let ask = Ask { audience: "urn:federation:MicrosoftOnline", message_id: vectors::correlation_id(), now };
        let password = Secret::new(password);
        let owner = ResourceOwner { username, password: &password };
        request(&Endpoint::named(&url).unwrap(), owner, ask, vectors::correlation_id())
    }

    #[test]
    fn a_password_cannot_leave_its_place() {
        let request = built("ada&<x>", "</wsse:Password>]]>'\"&amp;").unwrap();
        let root = xml::parse(request.body().expose(), "").unwrap();
        let security = super::SECURITY;
        let read = |name: &str| root.within(security, name).unwrap().text().to_owned();
        assert_eq!((read("Username"), read("Password")), ("ada&<x>".into(), "</wsse:Password>]]>'\"&amp;".into()));
        assert!(!format!("{request:?}").contains("Password"));
        assert_eq!(request.headers()["soapaction"], "http://docs.oasis-open.org/ws-sx/ws-trust/200512/RST/Issue");
        let times = request.body().expose();
        assert!(times.contains("2023-11-14T22:13:20Z") && times.contains("2023-11-14T22:23:20Z"));
    }

    #[test]
    fn what_xml_cannot_carry_is_named() {
        assert_eq!(built("ada", "a\u{1}b").unwrap_err(), WsTrustError::Unwritable("the password"));
        assert_eq!(built("\u{0}", "a").unwrap_err(), WsTrustError::Unwritable("the user name"));
        let text = built("ada", "a\u{1}b").unwrap_err().to_string();
        assert!(!text.contains("a\u{1}b"), "{text}");
    }

    proptest! {
        #[test]
        fn any_password_reads_back(password in "[ -~\t\r\n\u{e9}\u{1F600}]{1,40}") {
            let request = built("ada", &format!("|{password}|")).unwrap();
            let capacity_held = request.body().expose().len();
            prop_assert!(capacity_held > 0);
            let root = xml::parse(request.body().expose(), "").unwrap();
            let read = root.within(super::SECURITY, "Password").unwrap().text().to_owned();
            prop_assert_eq!(read, format!("|{password}|"));
        }
    }
}
