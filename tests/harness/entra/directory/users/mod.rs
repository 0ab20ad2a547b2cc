//! Users without a page: the realm that decides where a password goes, and the grants that take a password, a federation server's
//! assertion, or a federated identity credential.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{
    Application, Asked, Directory, Session,
    issue::object_id,
    realm::{Kind, Realm},
    refusal::{changed, refuse},
};
use crate::{
    authorization_server::wire::Answer,
    entra::federation::{self, Issued, PASSWORD},
};

/// The federated identity credential that stands for everybody.
pub const USER_CREDENTIAL: &str = "agent-instance-token";
/// Whoever can be named by an object id.
const KNOWN: [&str; 2] = ["ada@contoso.example", "grace@contoso.example"];

impl Directory {
    /// User realm discovery; the name stands in the path.
    pub(super) fn user_realm(asked: &Asked) -> Answer {
        let username = asked.tenant;
        let body = federation::of_user(username).map_or_else(
            || {
                let domain = username.rsplit('@').next().unwrap_or_default();
                let realm = json!({"ver": "1.0", "account_type": "Managed", "domain_name": domain,
                    "cloud_instance_name": "microsoftonline.com", "cloud_audience_urn": "urn:federation:MicrosoftOnline"});
                realm.as_object().cloned().unwrap_or_default()
            },
            |organization| organization.realm(username),
        );
        Answer::json(200, &Value::Object(changed(body, &asked.plan)))
    }

    /// The number of the next assertion.
    pub(in crate::entra) fn next_assertion(&self) -> usize {
        self.assertions.len() + self.used_assertions + 1
    }

    /// Keeps an assertion that a federation server has issued.
    pub(in crate::entra) fn trust(&mut self, issued: Issued) {
        self.assertions.push(issued);
    }

    pub(super) fn by_password(&self, asked: &Asked, realm: &Realm) -> Result<Session, Value> {
        let (username, password) = (asked.parameters.get("username"), asked.parameters.get("password"));
        let is_elsewhere = realm.kind == Kind::Entra && federation::of_user(username).is_some();
        if is_elsewhere || password != PASSWORD {
            return refuse(
                "invalid_grant",
                50_126,
                "Error validating credentials due to invalid username or password.",
            );
        }
        Ok(self.session(asked, username))
    }

    /// An assertion is taken once, and only with each of its bytes.
    pub(super) fn by_assertion(&mut self, asked: &Asked) -> Result<Session, Value> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(asked.parameters.get("assertion")).unwrap_or_default();
        let is_saml_2 = asked.parameters.get("grant_type").ends_with(":saml2-bearer");
        let fits = |issued: &Issued| issued.text.as_bytes() == bytes && issued.is_saml_2 == is_saml_2;
        match self.assertions.iter().position(fits) {
            Some(at) => {
                let issued = self.assertions.swap_remove(at);
                self.used_assertions += 1;
                Ok(self.session(asked, &issued.username))
            }
            None => refuse("invalid_grant", 500_081, "SAML assertion validation failed: the signature is not valid."),
        }
    }

    pub(super) fn by_user_credential(&self, asked: &Asked, application: &Application) -> Result<Session, Value> {
        let parameters = &asked.parameters;
        if !application.is_confidential() {
            return refuse("unauthorized_client", 7_000_216, "A client secret or client assertion is required.");
        }
        if parameters.get("user_federated_identity_credential") != USER_CREDENTIAL {
            return refuse("invalid_grant", 700_211, "No matching federated identity record found.");
        }
        let named = match (parameters.get("username"), parameters.get("user_id")) {
            ("", id) => KNOWN.into_iter().find(|name| object_id(name) == id),
            (name, "") => KNOWN.into_iter().find(|known| *known == name),
            _ => return refuse("invalid_request", 900_144, "Either username or user_id must be given, and not both."),
        };
        match named {
            Some(username) => Ok(self.session(asked, username)),
            None => refuse("invalid_grant", 50_034, "The user account does not exist in the directory."),
        }
    }

    fn session(&self, asked: &Asked, username: &str) -> Session {
        Session {
            client_id: asked.parameters.get("client_id").to_owned(),
            username: username.to_owned(),
            nonce: String::new(),
            scope: asked.parameters.get("scope").to_owned(),
            auth_time: self.now(),
        }
    }
}
