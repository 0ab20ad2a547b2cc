//! Discovery (OpenID Connect Discovery, RFC 8414), the signing key, and what needs no grant: revocation and introspection.

use serde_json::json;

use super::{Provider, client::oauth_error, grants::merge};
use crate::authorization_server::wire::{Answer, Call};

impl Provider {
    pub(super) fn discovery(&self) -> Answer {
        let at = |path: &str| format!("{}{path}", self.issuer);
        let mut metadata = json!({
            "issuer": self.issuer,
            "authorization_endpoint": at("/authorize"),
            "token_endpoint": at("/token"),
            "device_authorization_endpoint": at("/device_authorization"),
            "revocation_endpoint": at("/revoke"),
            "introspection_endpoint": at("/introspect"),
            "jwks_uri": at("/jwks"),
            "scopes_supported": self.options.scopes,
            "response_types_supported": ["code"],
            "response_modes_supported": ["query", "form_post"],
            "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials",
                "urn:ietf:params:oauth:grant-type:device_code"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "subject_types_supported": ["public"],
            "authorization_response_iss_parameter_supported": self.options.iss_in_redirect,
        });
        for (name, value) in &self.options.metadata {
            merge(&mut metadata, name, value);
        }
        Answer::json(200, &metadata)
    }

    pub(super) fn jwks(&self) -> Answer {
        Answer::json(200, &json!({"keys": [self.key.jwk()]}))
    }

    /// RFC 7009: an unknown token is no error; a refresh token takes its whole family along.
    pub(super) fn revocation(&mut self, call: &Call) -> Answer {
        let client = match self.client(call) {
            Ok(client) => client,
            Err(refusal) => return refusal,
        };
        let token = call.form.get("token");
        let of_client = |id: &String| *id == client.id;
        let family = self.refresh_tokens.get(token).map(|token| token.family);
        let family =
            family.filter(|family| self.families.get(*family).is_some_and(|f| of_client(&f.approval.client_id)));
        if let Some(family) = family {
            self.revoke_family(family);
        }
        if let Some(access) = self.access_tokens.get_mut(token).filter(|token| of_client(&token.approval.client_id)) {
            access.revoked = true;
        }
        Answer::empty(200)
    }

    /// RFC 7662, for confidential clients.
    pub(super) fn introspection(&self, call: &Call) -> Answer {
        match self.client(call) {
            Ok(client) if client.secret.is_some() => {
                Answer::json(200, &json!({"active": self.is_active(call.form.get("token"))}))
            }
            Ok(_) => oauth_error(401, "invalid_client", "a public client may not introspect"),
            Err(refusal) => refusal,
        }
    }
}
