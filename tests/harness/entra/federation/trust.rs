//! The usernamemixed endpoints: whether a request for a token is right in every part (WS-Trust, WS-Security, WS-Addressing), and the
//! answer: an assertion, or a SOAP fault with status 500, as AD FS sends it.

use super::{Issued, Organization, PASSWORD, Sent, Trust, assertion, soap};

/// What is wrong: the code and the reason of the fault.
type Wrong = (&'static str, String);

impl Trust {
    fn of_path(path: &str) -> Option<Self> {
        match path {
            "/adfs/services/trust/13/usernamemixed" => Some(Self::V13),
            "/adfs/services/trust/2005/usernamemixed" => Some(Self::V2005),
            _ => None,
        }
    }

    pub(super) fn number(self) -> &'static str {
        match self {
            Self::V13 => "13",
            Self::V2005 => "2005",
        }
    }

    /// Short name of the namespace, the action, the kind of key, the wish.
    fn words(self) -> [&'static str; 4] {
        match self {
            Self::V13 => [
                "t13",
                "http://docs.oasis-open.org/ws-sx/ws-trust/200512/RST/Issue",
                "http://docs.oasis-open.org/ws-sx/ws-trust/200512/Bearer",
                "http://docs.oasis-open.org/ws-sx/ws-trust/200512/Issue",
            ],
            Self::V2005 => [
                "t2005",
                "http://schemas.xmlsoap.org/ws/2005/02/trust/RST/Issue",
                "http://schemas.xmlsoap.org/ws/2005/05/identity/NoProofKey",
                "http://schemas.xmlsoap.org/ws/2005/02/trust/Issue",
            ],
        }
    }

    pub(super) fn action(self) -> &'static str {
        let [_, action, ..] = self.words();
        action
    }
}

/// The envelope with an assertion, or the one with a fault.
pub(super) fn issue(organization: &Organization, sent: &Sent<'_>, number: usize) -> Result<(String, Issued), String> {
    if let Some(reason) = sent.plan.get("fault").and_then(serde_json::Value::as_str) {
        return Err(fault("a:FailedAuthentication", reason));
    }
    let spoken = Trust::of_path(sent.path).filter(|version| organization.versions.contains(version));
    let version = spoken.ok_or_else(|| fault("a:InvalidRequest", "No such endpoint."))?;
    let username = checked(version, sent).map_err(|(code, reason)| fault(code, &reason))?;
    let text = assertion::made(organization, &username, number, sent.now);
    let envelope = assertion::in_envelope(version, organization.is_saml_2, &text);
    Ok((envelope, Issued { text, username, is_saml_2: organization.is_saml_2 }))
}

/// The user, if everything is right.
fn checked(version: Trust, sent: &Sent<'_>) -> Result<String, Wrong> {
    let wrong = |what: &str| ("a:InvalidRequest", format!("ID3035: {what}."));
    let parts = soap::parts(sent.body).ok_or_else(|| wrong("the envelope is not well-formed"))?;
    let part = |path: &str| parts.get(&format!("s:Envelope {path}")).map_or("", |text| text.trim());
    let header = |name: &str| sent.headers.get(name).map_or("", String::as_str);
    let [namespace, action, key_type, request_type] = version.words();
    let body = format!("s:Body {namespace}:RequestSecurityToken");
    let applies_to = format!("{body} p:AppliesTo a:EndpointReference a:Address");
    let timestamp = "s:Header o:Security u:Timestamp";
    let (created, expires) = (part(&format!("{timestamp} u:Created")), part(&format!("{timestamp} u:Expires")));
    let rules = [
        ("content-type", header("content-type").starts_with("application/soap+xml")),
        ("SOAPAction", header("soapaction") == action),
        ("Action", part("s:Header a:Action") == action && part("s:Header a:Action @s:mustUnderstand") == "1"),
        ("MessageID", part("s:Header a:MessageID").starts_with("urn:uuid:")),
        ("To", part("s:Header a:To") == format!("https://{}{}", sent.host, sent.path)),
        ("Security", part("s:Header o:Security @s:mustUnderstand") == "1"),
        ("Created", created == assertion::date_time(sent.now)),
        ("Expires", expires == assertion::date_time(sent.now + 600)),
        ("AppliesTo", part(&applies_to) == "urn:federation:MicrosoftOnline"),
        ("KeyType", part(&format!("{body} {namespace}:KeyType")) == key_type),
        ("RequestType", part(&format!("{body} {namespace}:RequestType")) == request_type),
    ];
    if let Some((name, _)) = rules.iter().find(|(_, holds)| !holds) {
        return Err(wrong(name));
    }
    let token = "s:Envelope s:Header o:Security o:UsernameToken";
    let given = |name: &str| parts.get(&format!("{token} {name}")).cloned().unwrap_or_default();
    if given("o:Password") != PASSWORD {
        let reason = "ID3242: The security token could not be authenticated or authorized.".to_owned();
        return Err(("a:FailedAuthentication", reason));
    }
    Ok(given("o:Username"))
}

fn fault(code: &str, reason: &str) -> String {
    format!(
        "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
         xmlns:a=\"http://www.w3.org/2005/08/addressing\"><s:Header><a:Action s:mustUnderstand=\"1\">\
         http://www.w3.org/2005/08/addressing/soap/fault</a:Action></s:Header><s:Body><s:Fault><s:Code><s:Value>s:Sender</s:Value>\
         <s:Subcode><s:Value xmlns:a=\"http://docs.oasis-open.org/ws-sx/ws-trust/200512\">{code}</s:Value></s:Subcode></s:Code>\
         <s:Reason><s:Text xml:lang=\"en-US\">{reason}</s:Text></s:Reason></s:Fault></s:Body></s:Envelope>"
    )
}
