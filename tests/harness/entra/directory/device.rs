//! The device authorization grant (RFC 8628): a code is handed out, and the user agrees at the first poll unless polls are planned
//! to be answered otherwise.

use serde_json::{Value, json};

use super::{
    Asked, Directory, Session,
    realm::{Kind, Realm},
    refusal::{changed, refuse},
    scope::Scopes,
};
use crate::authorization_server::wire::Answer;

/// Seconds until it expires.
const LIFETIME: i64 = 900;

/// A device that waits.
#[derive(Debug)]
pub(super) struct Device {
    session: Session,
    expires_on: i64,
}

impl Directory {
    pub(super) fn begin_device(&mut self, asked: &Asked, realm: &Realm) -> Result<Answer, Value> {
        if realm.kind == Kind::B2c {
            return refuse("invalid_request", 90_000, "There is no device authorization at policies.");
        }
        let client_id = asked.parameters.get("client_id");
        self.application(client_id)?;
        Scopes::parse(asked.parameters.get("scope"))?;
        let (device_code, now) = (self.numbered("device"), self.now());
        let username = asked.plan.get("username").and_then(Value::as_str).unwrap_or("ada@contoso.example");
        let session = Session {
            client_id: client_id.to_owned(),
            username: username.to_owned(),
            nonce: String::new(),
            scope: asked.parameters.get("scope").to_owned(),
            auth_time: now,
        };
        let user_code = format!("C0DE{:04}", self.devices.len());
        self.devices.insert(device_code.clone(), Device { session, expires_on: now + LIFETIME });
        let uri = realm.verification_uri();
        let body = json!({
            "user_code": user_code,
            "device_code": device_code,
            "verification_uri": uri,
            "expires_in": LIFETIME,
            "interval": 5,
            "message": format!("To sign in, use a web browser to open the page {uri} and enter the code {user_code}."),
        });
        let Value::Object(body) = body else { return refuse("server_error", 90_000, "no object") };
        Ok(Answer::json(200, &Value::Object(changed(body, &asked.plan))))
    }

    /// The session of a device whose user has agreed.
    pub(super) fn poll_device(&mut self, asked: &Asked) -> Result<Session, Value> {
        let device_code = asked.parameters.get("device_code");
        match self.devices.get(device_code) {
            Some(device) if device.expires_on <= self.now() => refuse(
                "expired_token",
                70_020,
                "The provided value for the input parameter 'device_code' is not valid. This device code has expired.",
            ),
            Some(device) if device.session.client_id == asked.parameters.get("client_id") => {
                let session = device.session.clone();
                self.devices.remove(device_code);
                Ok(session)
            }
            _ => refuse("bad_verification_code", 70_018, "Invalid verification code."),
        }
    }
}
