//! User assertions: access tokens that this platform has issued to a client for a service, which the service hands over for one of
//! another service (the on-behalf-of flow). Signed with the platform's key, for one audience, for a time.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use super::super::{
    Application, Asked, Directory, Session,
    issue::{home_tenant, object_id},
    realm::Realm,
    refusal::refuse,
};

impl Directory {
    /// The access token of this user for that service, good for so many seconds from now.
    pub(in crate::entra) fn user_assertion(&self, username: &str, audience: &str, lifetime: i64) -> String {
        let now = self.now();
        let tenant = home_tenant(username);
        self.key.sign(&json!({
            "aud": audience, "iss": format!("https://login.microsoftonline.com/{tenant}/v2.0"), "iat": now, "nbf": now,
            "exp": now + lifetime, "oid": object_id(username), "tid": tenant, "scp": "access_as_user", "ver": "2.0",
            "preferred_username": username,
        }))
    }

    /// The tokens of another service for the user of an assertion.
    pub(in crate::entra::directory) fn on_behalf_of(
        &mut self,
        asked: &Asked,
        realm: &Realm,
        application: &Application,
    ) -> Result<Map<String, Value>, Value> {
        if !application.is_confidential() {
            return refuse("invalid_client", 7_000_216, "A client secret or client assertion is required.");
        }
        if asked.parameters.get("requested_token_use") != "on_behalf_of" {
            return refuse("invalid_request", 900_144, "The request body must contain 'requested_token_use'.");
        }
        let claims = self.verified(asked.parameters.get("assertion"), &application.client_id)?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let session = Session {
            client_id: application.client_id.clone(),
            username: text("preferred_username"),
            nonce: String::new(),
            scope: asked.parameters.get("scope").to_owned(),
            auth_time: self.now(),
        };
        self.user_tokens(asked, realm, &session)
    }

    fn verified(&self, assertion: &str, client_id: &str) -> Result<Value, Value> {
        let Some((input, signature)) = assertion.rsplit_once('.').filter(|(input, _)| input.contains('.')) else {
            return refuse("invalid_request", 50_027, "JWT token is invalid or malformed.");
        };
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
        if !self.key.has_signed(input.as_bytes(), &signature) {
            return refuse("invalid_grant", 50_013, "Assertion failed signature validation.");
        }
        let payload = input.rsplit('.').next().and_then(|part| BASE64_URL_SAFE_NO_PAD.decode(part).ok());
        let claims: Value = serde_json::from_slice(&payload.unwrap_or_default()).unwrap_or_default();
        if claims.get("aud").and_then(Value::as_str) != Some(client_id) {
            let description = "Assertion audience does not match the Client app presenting the assertion.";
            return refuse("invalid_grant", 50_013, description);
        }
        if claims.get("exp").and_then(Value::as_i64).unwrap_or_default() <= self.now() {
            return refuse("invalid_grant", 500_133, "Assertion is not within its valid time range.");
        }
        Ok(claims)
    }
}
