//! Access tokens that are bound to a key, when a token request says which (`token_type`, `req_cnf`): SSH certificates over the key that
//! came, and tokens with the name of a key in them (`cnf`, RFC 7800).

mod ssh_certificate;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use super::{Asked, Directory, refusal::refuse};

impl Directory {
    /// Puts a bound token in the place of the bearer token, if one was asked for.
    pub(super) fn bind(&self, asked: &Asked, principal: &str, body: &mut Map<String, Value>) -> Result<(), Value> {
        let (token_type, confirmation) = (asked.parameters.get("token_type"), asked.parameters.get("req_cnf"));
        let token = match token_type {
            "" => return Ok(()),
            "ssh-cert" => {
                if asked.parameters.get("key_id").is_empty() {
                    return refuse("invalid_request", 900_144, "The request body must contain 'key_id'.");
                }
                ssh_certificate::issue(&self.key, confirmation, principal, self.now())?
            }
            "pop" => self.confirmed(confirmation, body)?,
            _ => return refuse("invalid_request", 900_023, "The token_type is not supported."),
        };
        body.insert("access_token".to_owned(), token.into());
        body.insert("token_type".to_owned(), token_type.into());
        Ok(())
    }

    /// A token that names the key: the one form of `req_cnf` that the platform takes is `{"kid": ..}` in base64url.
    fn confirmed(&self, confirmation: &str, body: &Map<String, Value>) -> Result<String, Value> {
        let decoded = BASE64_URL_SAFE_NO_PAD.decode(confirmation).unwrap_or_default();
        let named: Value = serde_json::from_slice(&decoded).unwrap_or_default();
        match named.as_object() {
            Some(members) if members.len() == 1 && members.get("kid").is_some_and(Value::is_string) => {
                let claims = json!({"jti": body.get("access_token"), "cnf": named, "exp": self.now() + 3600});
                Ok(self.key.sign(&claims))
            }
            _ => refuse("invalid_request", 1_200_022, "The req_cnf parameter is not valid."),
        }
    }
}
