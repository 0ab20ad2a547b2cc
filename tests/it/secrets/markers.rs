//! What is searched for: values that stand out, and every code and token that the provider handed out or was sent; each as it is
//! and as it looks in a form, in base64 and in a token.

use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use token_broker_tests::authorization_server::AuthorizationServer;
use url::form_urlencoded::byte_serialize;

use super::evidence::Evidence;

/// Who signs in.
pub(super) const USER: &str = "marker-user@people.test";
/// The `name` claim.
pub(super) const FULL_NAME: &str = "Markerina Fullname";
/// All scopes of the applications.
pub(super) const SCOPES: &str = "marker-scope:read marker-scope:write";
/// A scope that is never asked for at sign-in.
pub(super) const OTHER_SCOPE: &str = "marker-scope:other";
/// The client secret, with the characters that RFC 6749, section 2.3.1 wants encoded.
pub(super) const SECRET: &str = "marker secret: +/%&=?~";
/// A wrong one.
pub(super) const WRONG_SECRET: &str = "marker-secret-wrong";

/// Everybody's password.
pub(super) const PASSWORD: &str = "marker password: +/%&=?~<>";
/// A wrong one.
pub(super) const WRONG_PASSWORD: &str = "marker-password-wrong";
/// A refresh token that nobody issued.
pub(super) const WRONG_TOKEN: &str = "marker-token-wrong";

/// Client identifiers.
pub(super) mod clients {
    pub(crate) const NATIVE: &str = "marker-client-native";
    pub(crate) const CONFIDENTIAL: &str = "marker-client-confidential";
    pub(crate) const SERVICE: &str = "marker-client-service";
}

/// Names of applications.
pub(super) mod apps {
    pub(crate) const MAIL: &str = "marker-app-mail";
    pub(crate) const WEB: &str = "marker-app-web";
    pub(crate) const JOB: &str = "marker-app-job";
    pub(crate) const WRONG: &str = "marker-app-wrong";
}

/// A value with the ways in which it can be written.
pub(super) struct Marker {
    pub(super) value: String,
    pub(super) is_secret: bool,
    forms: Vec<Vec<u8>>,
}

impl Marker {
    pub(super) fn new(value: &str, is_secret: bool) -> Self {
        let mut forms =
            vec![value.as_bytes().to_vec(), byte_serialize(value.as_bytes()).collect::<String>().into_bytes()];
        // At each of the three ways to lie in a longer text, without the ends that depend on the neighbours.
        for lead in 0..3 {
            let shifted = [&b"xx"[..lead], value.as_bytes()].concat();
            let encoded = BASE64_STANDARD_NO_PAD.encode(shifted);
            let inner = encoded.get(lead + 1..encoded.len() - 2).unwrap_or_default();
            forms.extend([inner.to_owned(), inner.replace('+', "-").replace('/', "_")].map(String::into_bytes));
        }
        forms.retain(|form| form.len() >= 6);
        forms.sort();
        forms.dedup();
        Self { value: value.to_owned(), is_secret, forms }
    }

    pub(super) fn is_in(&self, bytes: &[u8]) -> bool {
        self.forms.iter().any(|form| bytes.windows(form.len()).any(|window| window == form))
    }
}

/// All of them.
pub(super) struct Markers(pub(super) Vec<Marker>);

impl Markers {
    /// Those that were known before, what the provider handed out and was sent, and what the programs printed for their user.
    pub(super) fn of(server: &AuthorizationServer, evidence: &Evidence) -> Self {
        let people = ["marker-user", FULL_NAME, "Markerina", "marker-scope", "marker-client", "marker-app"];
        let open = people.into_iter().map(|value| Marker::new(value, false));
        let mut secrets = server.secrets();
        secrets.extend([SECRET, WRONG_SECRET, "marker secret", "at-marker unusable subject"].map(str::to_owned));
        secrets.extend([PASSWORD, WRONG_PASSWORD, "marker password", WRONG_TOKEN].map(str::to_owned));
        secrets.extend(evidence.user_codes.iter().flat_map(|code| [code.clone(), code.replace('-', "")]));
        // A token's parts: one of them alone would be a leak, too.
        secrets.extend(evidence.id_tokens.iter().flat_map(|token| token.split('.').skip(1)).map(str::to_owned));
        secrets.sort();
        secrets.dedup();
        Self(open.chain(secrets.iter().map(|value| Marker::new(value, true))).collect())
    }

    /// The flows have left secrets of every kind.
    pub(super) fn are_complete(&self) {
        let count = |start: &str| self.0.iter().filter(|marker| marker.value.starts_with(start)).count();
        for kind in ["at-", "rt-", "code-", "device-", "eyJ"] {
            assert!(count(kind) > 0, "no secret begins with {kind}");
        }
        let secrets = self.0.iter().filter(|marker| marker.is_secret).count();
        assert!(secrets > 25, "{secrets} secrets only: verifiers, states and nonces are missing");
    }
}

#[test]
fn a_marker_is_found_in_every_form() {
    let marker = Marker::new(SECRET, true);
    for lead in ["", "a", "ab", "id:", "user=x,"] {
        let text = format!("{lead}{SECRET}{lead}");
        assert!(marker.is_in(text.as_bytes()), "{text}");
        let encoded = base64::prelude::BASE64_URL_SAFE.encode(&text);
        assert!(marker.is_in(encoded.as_bytes()), "{encoded}");
    }
    assert!(marker.is_in(b"client_secret=marker+secret%3A+%2B%2F%25%26%3D%3F%7E&x=y"));
    assert!(!marker.is_in(b"client_secret=[redacted]"));
}
