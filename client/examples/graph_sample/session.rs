//! What is kept for a browser: in its cookie, signed with a key that is new at each start, so that a change is noticed. Signed is not
//! hidden: nothing in it is a secret.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::{
    hmac::{self, Key},
    rand::SystemRandom,
};
use serde::{Deserialize, Serialize};

use crate::Failed;

const NAME: &str = "session";

/// What one browser's session holds.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Session {
    /// A sign-in under way.
    pub(crate) flow: Option<Flow>,
    /// Who is signed in.
    pub(crate) account: Option<Kept>,
    /// The page for which the user has just signed in again.
    pub(crate) again: Option<String>,
}

/// A sign-in under way.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Flow {
    /// What must come back with the browser.
    pub(crate) state: String,
    /// The page that was wanted.
    pub(crate) page: String,
    /// Whether the page was wanted by somebody who is signed in.
    pub(crate) again: bool,
}

/// What is kept of an account.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// `home_account_id`.
    pub(crate) id: String,
    /// To be shown.
    pub(crate) username: String,
}

/// Signs cookies and reads them.
pub(crate) struct Cookies {
    key: Key,
    attributes: &'static str,
}

impl Cookies {
    /// With a new key; `secure` when the site is served by https.
    #[expect(clippy::disallowed_methods, reason = "an example has no entropy port")]
    pub(crate) fn new(secure: bool) -> Result<Self, Failed> {
        let key = Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).map_err(|_| "there is no randomness")?;
        let attributes =
            if secure { "Path=/; HttpOnly; SameSite=Lax; Secure" } else { "Path=/; HttpOnly; SameSite=Lax" };
        Ok(Self { key, attributes })
    }

    /// The session of a `cookie` header; an empty one if there is none of ours.
    pub(crate) fn read(&self, header: &str) -> Session {
        let own = header.split("; ").find_map(|cookie| cookie.strip_prefix(NAME)?.strip_prefix('='));
        own.and_then(|value| self.verified(value)).unwrap_or_default()
    }

    /// The `set-cookie` header.
    pub(crate) fn write(&self, session: &Session) -> Result<String, Failed> {
        let text = serde_json::to_vec(session)?;
        let [text, tag] =
            [&text[..], hmac::sign(&self.key, &text).as_ref()].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part));
        Ok(format!("{NAME}={text}.{tag}; {}", self.attributes))
    }

    /// Whether two texts are the same, in a time that does not tell where they differ.
    pub(crate) fn same(&self, one: &str, other: &str) -> bool {
        hmac::verify(&self.key, one.as_bytes(), hmac::sign(&self.key, other.as_bytes()).as_ref()).is_ok()
    }

    fn verified(&self, value: &str) -> Option<Session> {
        let (text, tag) = value.split_once('.')?;
        let [text, tag] = [text, tag].map(|part| BASE64_URL_SAFE_NO_PAD.decode(part).ok());
        let (text, tag) = (text?, tag?);
        hmac::verify(&self.key, &text, &tag).ok()?;
        serde_json::from_slice(&text).ok()
    }
}
