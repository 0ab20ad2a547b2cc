//! A claims request or claims challenge: a JSON object (OpenID Connect Core 1.0, section 5.5).

use serde_json::{Map, Value, json};

use crate::Invalid;

/// Longest claims object in bytes.
const MAX_BYTES: usize = 16 * 1024;

/// A JSON object of requested claims, in the text form it came in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Claims(Box<str>);

impl Claims {
    /// Reads a JSON object; an empty text is no claims.
    pub fn parse(text: &str) -> Result<Option<Self>, Invalid> {
        if text.is_empty() {
            return Ok(None);
        }
        if text.len() > MAX_BYTES {
            return Err(Invalid::new("claims", format!("at most {MAX_BYTES} bytes are allowed")));
        }
        match serde_json::from_str::<Map<String, Value>>(text) {
            Ok(_) => Ok(Some(Self(text.into()))),
            Err(_) => Err(Invalid::new("claims", "must be a JSON object (OpenID Connect Core 1.0, section 5.5)")),
        }
    }

    /// The claims to send: those asked for, with the client capabilities among them (`xms_cc` of Microsoft Entra ID). Without
    /// capabilities the text stays as it came.
    #[must_use]
    pub fn with_capabilities(asked: Option<&Self>, capabilities: &[String]) -> Option<Self> {
        if capabilities.is_empty() {
            return asked.cloned();
        }
        let mut claims: Map<String, Value> =
            asked.and_then(|claims| serde_json::from_str(claims.as_str()).ok()).unwrap_or_default();
        let of_token = claims.entry("access_token").or_insert_with(|| json!({}));
        if !of_token.is_object() {
            *of_token = json!({});
        }
        if let Value::Object(of_token) = of_token {
            of_token.insert("xms_cc".to_owned(), json!({ "values": capabilities }));
        }
        Some(Self(Value::Object(claims).to_string().into()))
    }

    /// Whether a member of this name is asked for or said.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        serde_json::from_str::<Map<String, Value>>(self.as_str()).is_ok_and(|members| members.contains_key(name))
    }

    /// Both in one: objects are merged member by member, elsewhere the second one wins. Of one alone the text stays as it came.
    #[must_use]
    pub fn merged(first: Option<Self>, second: Option<&Self>) -> Option<Self> {
        let (Some(first), Some(second)) = (&first, second) else { return first.or_else(|| second.cloned()) };
        let members = |claims: &Self| serde_json::from_str(claims.as_str()).unwrap_or_default();
        let mut merged: Map<String, Value> = members(first);
        merge(&mut merged, members(second));
        Some(Self(Value::Object(merged).to_string().into()))
    }

    /// Asks for a Kerberos ticket for this service in the ID token, as Microsoft Entra ID gives it.
    #[must_use]
    pub fn kerberos_ticket(service_principal: &str) -> Self {
        let ticket = json!({ "essential": "false", "value": service_principal });
        Self(json!({ "id_token": { "xms_as_rep": ticket } }).to_string().into())
    }

    /// The JSON text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The second one's members over the first one's. Parsing has bounded how deep they go.
fn merge(members: &mut Map<String, Value>, over: Map<String, Value>) {
    for (name, value) in over {
        match (members.get_mut(&name), value) {
            (Some(Value::Object(own)), Value::Object(value)) => merge(own, value),
            (_, value) => {
                members.insert(name, value);
            }
        }
    }
}

/// Reads client capabilities, such as `CP1`: letters, digits, `_` and `-`, at most 16.
pub fn client_capabilities(texts: Vec<String>) -> Result<Vec<String>, Invalid> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let is_good = |text: &String| (1..=64).contains(&text.len()) && text.chars().all(allowed);
    if texts.len() <= 16 && texts.iter().all(is_good) {
        Ok(texts)
    } else {
        Err(Invalid::new("client_capabilities", "must be words such as cp1, at most 16"))
    }
}

#[cfg(test)]
mod tests {
    use super::Claims;

    fn sent(asked: &str, capabilities: &[&str]) -> Option<String> {
        let asked = Claims::parse(asked).expect("claims");
        let capabilities: Vec<String> = capabilities.iter().map(ToString::to_string).collect();
        Claims::with_capabilities(asked.as_ref(), &capabilities).map(|claims| claims.as_str().to_owned())
    }

    #[test]
    fn capabilities_are_merged_and_never_replace_what_was_asked() {
        let challenge = r#"{"access_token":{"nbf":{"essential":true}},"id_token":{"a":null}}"#;
        assert_eq!(sent(challenge, &[]).as_deref(), Some(challenge));
        assert_eq!(sent("", &[]), None);
        assert_eq!(sent("", &["CP1"]).as_deref(), Some(r#"{"access_token":{"xms_cc":{"values":["CP1"]}}}"#));
        let both =
            r#"{"access_token":{"nbf":{"essential":true},"xms_cc":{"values":["CP1","x"]}},"id_token":{"a":null}}"#;
        assert_eq!(sent(challenge, &["CP1", "x"]).as_deref(), Some(both));
    }

    #[test]
    fn two_are_merged_member_by_member() {
        let merged = |first: &str, second: &str| {
            let [first, second] = [first, second].map(|text| Claims::parse(text).expect("claims"));
            Claims::merged(first, second.as_ref()).map(|claims| claims.as_str().to_owned())
        };
        assert_eq!(merged("", ""), None);
        assert_eq!(merged("{ }", "").as_deref(), Some("{ }"));
        assert_eq!(merged("", "{ }").as_deref(), Some("{ }"));
        let both = merged(r#"{"a":{"x":{"v":1},"y":[1]},"b":1}"#, r#"{"a":{"x":{"w":2},"y":[2]},"b":{}}"#);
        assert_eq!(both.as_deref(), Some(r#"{"a":{"x":{"v":1,"w":2},"y":[2]},"b":{}}"#));
    }

    #[test]
    fn a_kerberos_ticket_is_asked_for_in_the_id_token() {
        let text = Claims::kerberos_ticket(r#"HTTP/a"b"#);
        assert_eq!(text.as_str(), r#"{"id_token":{"xms_as_rep":{"essential":"false","value":"HTTP/a\"b"}}}"#);
    }
}
