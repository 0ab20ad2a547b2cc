//! The user in the claims of a verified ID token (OpenID Connect Core 1.0, section 5.1; MSAL's account), bounded and fit to be
//! shown.

use serde_json::{Map, Value};

use crate::{
    flow::oauth::{
        endpoint::{Answer, is_visible_ascii, readable},
        jose::base64url,
    },
    model::User,
};

/// Longest name in characters.
const MAX_NAME: usize = 320;
/// Longest identifier in bytes.
const MAX_ID: usize = 255;
/// Longest `client_info` in bytes.
const MAX_CLIENT_INFO: usize = 4 * 1024;

/// Reads the user.
pub(super) fn read(subject: &str, claims: &Map<String, Value>, client_info: Option<&str>) -> User {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let shown = |name: &str| text(name).map(|text| readable(text, MAX_NAME)).filter(|text| !text.is_empty());
    let id = |name: &str| text(name).filter(|text| is_visible_ascii(text, MAX_ID)).map(str::to_owned);
    User {
        home_account_id: client_info.and_then(home_account_id).unwrap_or_else(|| subject.to_owned()),
        username: ["preferred_username", "upn", "email"].into_iter().find_map(shown).unwrap_or_default(),
        name: shown("name"),
        local_account_id: id("oid").unwrap_or_else(|| subject.to_owned()),
        tenant: id("tid").unwrap_or_default(),
    }
}

/// `{uid}.{utid}` of `client_info`, if it holds both.
pub(in crate::flow) fn home_account_id(client_info: &str) -> Option<String> {
    if client_info.len() > MAX_CLIENT_INFO {
        return None;
    }
    let bytes = base64url(client_info.trim_end_matches('='))?;
    let info = Answer::from_text(std::str::from_utf8(&bytes).ok()?).ok()?;
    let id = |name: &str| info.text(name).filter(|text| is_visible_ascii(text, MAX_ID));
    Some(format!("{}.{}", id("uid")?, id("utid")?))
}
