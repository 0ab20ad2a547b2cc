//! Device authorization (RFC 8628): the codes, the page on which a person enters one, and what a poll learns.

use std::time::Duration;

use serde_json::json;
use token_broker_proto::oauth::UnixTime;

use super::{Provider, client::oauth_error, grants::Approval, pages};
use crate::authorization_server::wire::{Answer, Call};

/// A device that waits for its user.
#[derive(Debug)]
pub(super) struct Device {
    user_code: String,
    approval: Approval,
    expires_on: UnixTime,
    interval: u64,
    polled_on: Option<UnixTime>,
    decision: Decision,
}

/// What the user made of it.
#[derive(Debug, PartialEq, Eq)]
enum Decision {
    Open,
    Allowed,
    Declined,
}

/// Letters of a user code: no vowels, nothing that looks like another (RFC 8628 section 6.1).
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

impl Provider {
    pub(super) fn device_authorization(&mut self, call: &Call) -> Answer {
        let client = match self.client(call) {
            Ok(client) => client,
            Err(refusal) => return refusal,
        };
        let now = self.now();
        let scopes = self.known_scopes(call.form.get("scope"));
        let approval = Approval { client_id: client.id, username: None, scopes, nonce: String::new(), auth_time: now };
        let (device_code, user_code) = (self.opaque("device"), self.user_code());
        let (lifetime, interval) = (self.options.device_code_lifetime, self.options.device_interval);
        let body = json!({
            "device_code": device_code, "user_code": user_code, "interval": interval, "expires_in": lifetime.as_secs(),
            "verification_uri": format!("{}/device", self.issuer),
            "verification_uri_complete": format!("{}/device?user_code={user_code}", self.issuer),
        });
        let expires_on = now.plus(lifetime);
        let device = Device { user_code, approval, expires_on, interval, polled_on: None, decision: Decision::Open };
        self.devices.insert(device_code, device);
        Answer::json(200, &body)
    }

    /// The page: a form, and after it the outcome.
    pub(super) fn code_verification(&mut self, call: &Call) -> Answer {
        if !call.post {
            return Answer::html(200, &pages::enter_code(call.query.get("user_code"), ""));
        }
        let username = Some(call.form.get("username")).filter(|_| call.form.get("decision") != "deny");
        if username == Some("") {
            return Answer::html(200, &pages::enter_code(call.form.get("user_code"), "Please say who you are."));
        }
        if !self.decide_device(call.form.get("user_code"), username) {
            return Answer::html(400, &pages::enter_code("", "No device waits with this code."));
        }
        let (title, text) = match username {
            Some(_) => ("You are signed in", "Your device goes on by itself; you can close this page."),
            None => ("Declined", "The device was not let in."),
        };
        Answer::html(200, &pages::message(title, text))
    }

    /// Lets the device with this user code in, as this user, or turns it away; false when none waits.
    pub(in super::super) fn decide_device(&mut self, user_code: &str, username: Option<&str>) -> bool {
        let now = self.now();
        let same = |code: &str| code.replace('-', "").eq_ignore_ascii_case(&user_code.replace([' ', '-'], ""));
        let waits = |device: &&mut Device| {
            device.decision == Decision::Open && device.expires_on > now && same(&device.user_code)
        };
        let Some(device) = self.devices.values_mut().find(waits) else { return false };
        device.decision = if username.is_some() { Decision::Allowed } else { Decision::Declined };
        device.approval.username = username.map(str::to_owned);
        device.approval.auth_time = now;
        true
    }

    /// One poll at the token endpoint; what was approved can be taken once.
    pub(super) fn poll_device(&mut self, device_code: &str, client_id: &str) -> Result<Approval, Answer> {
        let now = self.now();
        let refuse = |error: &str| Err(oauth_error(400, error, "device sign-in"));
        let device = self.devices.get_mut(device_code).filter(|device| device.approval.client_id == client_id);
        let Some(device) = device else { return refuse("invalid_grant") };
        if device.expires_on <= now {
            return refuse("expired_token");
        }
        let earliest = device.polled_on.map(|last| last.plus(Duration::from_secs(device.interval)));
        device.polled_on = Some(now);
        match device.decision {
            Decision::Declined => refuse("access_denied"),
            _ if earliest.is_some_and(|earliest| now < earliest) => {
                device.interval += 5;
                refuse("slow_down")
            }
            Decision::Open => refuse("authorization_pending"),
            Decision::Allowed => {
                let approval = device.approval.clone();
                self.devices.remove(device_code);
                Ok(approval)
            }
        }
    }

    fn user_code(&self) -> String {
        use token_broker::ports::Entropy;
        let mut bytes = [0; 8];
        self.random.fill(&mut bytes);
        let letter = |byte: u8| LETTERS.get(usize::from(byte) % LETTERS.len()).copied().map_or('B', char::from);
        let letters: String = bytes.into_iter().map(letter).collect();
        let (start, end) = letters.split_at(4);
        format!("{start}-{end}")
    }
}
