//! The token endpoint: who the client is, then the grant. A refresh token serves its client, or every client of the family, for any
//! tenant and any scope; a new one comes with each answer and the old one stays good.

use serde_json::{Map, Value, json};

use super::{
    Application, Asked, Directory, Grant, Session, assertion,
    issue::client_info,
    realm::{Kind, Realm},
    refusal::{changed, refuse},
    scope::{Scopes, application_scope},
};
use crate::authorization_server::wire::Answer;

/// Seconds that an access token lives.
const LIFETIME: i64 = 3600;

impl Directory {
    pub(super) fn token(&mut self, asked: &Asked, realm: &Realm) -> Result<Answer, Value> {
        let application = self.application(asked.parameters.get("client_id"))?.clone();
        authenticate(&application, asked, realm, self.now())?;
        let body = match asked.parameters.get("grant_type") {
            "authorization_code" => {
                let session = self.redeem_code(asked)?;
                self.user_tokens(asked, realm, &session)?
            }
            "refresh_token" => {
                let session = self.refresh(asked, &application)?;
                self.user_tokens(asked, realm, &session)?
            }
            "urn:ietf:params:oauth:grant-type:device_code" | "device_code" => {
                let session = self.poll_device(asked)?;
                self.user_tokens(asked, realm, &session)?
            }
            "password" => {
                let session = self.by_password(asked, realm)?;
                self.user_tokens(asked, realm, &session)?
            }
            "urn:ietf:params:oauth:grant-type:saml1_1-bearer" | "urn:ietf:params:oauth:grant-type:saml2-bearer" => {
                let session = self.by_assertion(asked)?;
                self.user_tokens(asked, realm, &session)?
            }
            "user_fic" => {
                let session = self.by_user_credential(asked, &application)?;
                self.user_tokens(asked, realm, &session)?
            }
            "urn:ietf:params:oauth:grant-type:jwt-bearer" => self.on_behalf_of(asked, realm, &application)?,
            "client_credentials" => self.application_token(asked, realm, &application)?,
            _ => return refuse("unsupported_grant_type", 70_003, "The app requested an unsupported grant type."),
        };
        Ok(Answer::json(200, &Value::Object(changed(body, &asked.plan))))
    }

    fn redeem_code(&mut self, asked: &Asked) -> Result<Session, Value> {
        match self.codes.remove(asked.parameters.get("code")) {
            Some(code) => code.redeemable(&asked.parameters).map(|()| code.session),
            None => refuse("invalid_grant", 54_005, "OAuth2 Authorization code was already redeemed."),
        }
    }

    fn refresh(&self, asked: &Asked, application: &Application) -> Result<Session, Value> {
        let Some(grant) = self.grants.get(asked.parameters.get("refresh_token")) else {
            return refuse("invalid_grant", 9_002_313, "The refresh token is malformed.");
        };
        let own = grant.session.client_id == application.client_id;
        let in_family = grant.is_family && application.is_family;
        if !(own || in_family) {
            return Err(json!({
                "error": "invalid_grant", "suberror": "client_mismatch", "codes": [70_000],
                "description": "The refresh token is of another client.",
            }));
        }
        Ok(Session { client_id: application.client_id.clone(), nonce: String::new(), ..grant.session.clone() })
    }

    /// Access, refresh and id token of a user, as the scopes ask for them.
    pub(super) fn user_tokens(
        &mut self,
        asked: &Asked,
        realm: &Realm,
        session: &Session,
    ) -> Result<Map<String, Value>, Value> {
        let asked_scope = match asked.parameters.get("scope") {
            "" => session.scope.as_str(),
            scope => scope,
        };
        let scopes = Scopes::parse(asked_scope)?;
        let is_family = self.application(&session.client_id)?.is_family;
        let mut body = self.access_token();
        self.bind(asked, &session.username, &mut body)?;
        body.insert("scope".to_owned(), scopes.granted().into());
        if scopes.asks("offline_access") {
            let refresh_token = self.numbered("refresh");
            self.grants.insert(refresh_token.clone(), Grant { session: session.clone(), is_family });
            body.insert("refresh_token".to_owned(), refresh_token.into());
            if is_family {
                body.insert("foci".to_owned(), "1".into());
            }
        }
        if scopes.asks("openid") {
            body.insert("id_token".to_owned(), self.id_token(realm, session).into());
        }
        if asked.parameters.get("client_info") == "1" && realm.kind != Kind::Adfs {
            body.insert("client_info".to_owned(), client_info(&session.username).into());
        }
        Ok(body)
    }

    fn application_token(
        &mut self,
        asked: &Asked,
        realm: &Realm,
        application: &Application,
    ) -> Result<Map<String, Value>, Value> {
        if !application.is_confidential() {
            return refuse("invalid_client", 7_000_216, "A client secret or client assertion is required.");
        }
        if realm.kind == Kind::Entra && realm.tenant.is_none() && asked.tenant != "common" {
            return refuse("invalid_request", 50_059, "No tenant-identifying information found.");
        }
        application_scope(asked.parameters.get("scope"))?;
        let mut body = self.access_token();
        self.bind(asked, &application.client_id, &mut body)?;
        Ok(body)
    }

    fn access_token(&mut self) -> Map<String, Value> {
        let token = self.numbered("access");
        let members = [
            ("token_type", "Bearer".into()),
            ("expires_in", LIFETIME.into()),
            ("ext_expires_in", LIFETIME.into()),
            ("access_token", token.into()),
        ];
        members.into_iter().map(|(name, value): (&str, Value)| (name.to_owned(), value)).collect()
    }
}

/// Whether the client is who it says it is: with its secret or an assertion in the body, or with neither when it is public.
fn authenticate(application: &Application, asked: &Asked, realm: &Realm, now: i64) -> Result<(), Value> {
    let parameters = &asked.parameters;
    let (secret, signed) = (parameters.get("client_secret"), parameters.get("client_assertion"));
    if !application.is_confidential() {
        if secret.is_empty() && signed.is_empty() {
            return Ok(());
        }
        return refuse(
            "invalid_client",
            700_025,
            "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
        );
    }
    if !signed.is_empty() {
        let is_type =
            parameters.get("client_assertion_type") == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        let pem = application.certificate.as_deref().filter(|_| is_type);
        let verified = pem.map(|pem| assertion::verify(signed, pem, &application.client_id, &realm.audiences(), now));
        return verified.unwrap_or_else(|| refuse("invalid_client", 700_021, "No certificate is registered."));
    }
    match (secret, &application.secret) {
        ("", _) => {
            refuse("invalid_client", 7_000_218, "The request body must contain 'client_assertion' or 'client_secret'.")
        }
        (given, Some(known)) if given == known => Ok(()),
        _ => refuse("invalid_client", 7_000_215, "Invalid client secret provided."),
    }
}
