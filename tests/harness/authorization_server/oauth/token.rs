//! The token endpoint: authorization code with PKCE, refresh with rotation and reuse detection, client credentials, device code,
//! password.

use serde_json::{Map, Value};

use super::{
    Provider,
    client::oauth_error,
    grants::{Approval, Family},
};
use crate::{
    authorization_server::{
        options::Client,
        wire::{Answer, Call, Params},
    },
    jose,
};

type Body = Map<String, Value>;

impl Provider {
    pub(super) fn token(&mut self, call: &Call) -> Answer {
        let client = match self.client(call) {
            Ok(client) => client,
            Err(refusal) => return refusal,
        };
        let body = match call.form.get("grant_type") {
            "authorization_code" => self.redeem_code(&call.form, &client),
            "refresh_token" => self.refresh(&call.form, &client),
            "password" => self.by_password(&call.form, &client),
            "client_credentials" => self.client_credentials(&call.form, &client),
            "urn:ietf:params:oauth:grant-type:token-exchange" => self.exchange(&call.form, &client),
            "urn:ietf:params:oauth:grant-type:device_code" => {
                let approval = self.poll_device(call.form.get("device_code"), &client.id);
                approval.map(|approval| self.first_tokens(&approval).0)
            }
            _ => refuse("unsupported_grant_type", "not offered here"),
        };
        body.map_or_else(|refusal| refusal, |body| Answer::json(200, &Value::Object(body)))
    }

    fn redeem_code(&mut self, form: &Params, client: &Client) -> Result<Body, Answer> {
        let now = self.now();
        let Some(code) = self.codes.get(form.get("code")) else { return refuse("invalid_grant", "unknown code") };
        if let Some(family) = code.family {
            self.revoke_family(family);
            return refuse("invalid_grant", "this code was used before; what came of it is revoked");
        }
        let expected = code.approval.client_id == client.id && code.redirect_uri == form.get("redirect_uri");
        if !expected || code.expires_on <= now {
            return refuse("invalid_grant", "expired, or of another client or redirect address");
        }
        if jose::code_challenge(form.get("code_verifier")) != code.code_challenge {
            return refuse("invalid_grant", "the code verifier does not match");
        }
        let (body, family) = self.first_tokens(&code.approval.clone());
        if let Some(code) = self.codes.get_mut(form.get("code")) {
            code.family = Some(family);
        }
        Ok(body)
    }

    /// The tokens of a sign-in; a refresh token only with `offline_access`.
    fn first_tokens(&mut self, approval: &Approval) -> (Body, usize) {
        let family = self.new_family(approval.clone());
        let mut body = self.tokens(approval, Some(family));
        if approval.scopes.iter().any(|scope| scope == "offline_access") {
            body.insert("refresh_token".to_owned(), self.new_refresh_token(family).into());
        }
        (body, family)
    }

    fn refresh(&mut self, form: &Params, client: &Client) -> Result<Body, Answer> {
        let now = self.now();
        let Some(token) = self.refresh_tokens.get(form.get("refresh_token")) else {
            return refuse("invalid_grant", "unknown refresh token");
        };
        let (family, spent, expired) = (token.family, token.spent, token.expires_on <= now);
        if spent {
            self.revoke_family(family);
            return refuse("invalid_grant", "this refresh token was used before; the grant is revoked");
        }
        let good = self.family(family).filter(|family| family.approval.client_id == client.id && !expired);
        let Some(approval) = good.map(|family| Approval { nonce: String::new(), ..family.approval.clone() }) else {
            return refuse("invalid_grant", "expired, revoked, or of another client");
        };
        let approval = narrowed(approval, form.get("scope"), self.families.get(family))?;
        let mut body = self.tokens(&approval, Some(family));
        if self.options.rotation {
            if let Some(token) = self.refresh_tokens.get_mut(form.get("refresh_token")) {
                token.spent = true;
            }
            body.insert("refresh_token".to_owned(), self.new_refresh_token(family).into());
        }
        Ok(body)
    }

    /// RFC 6749 section 4.3.
    fn by_password(&mut self, form: &Params, client: &Client) -> Result<Body, Answer> {
        let username = form.get("username");
        if username.is_empty() || form.get("password") != self.options.password {
            return refuse("invalid_grant", "wrong user name or password");
        }
        let (scopes, auth_time) = (self.known_scopes(form.get("scope")), self.now());
        let (client_id, username) = (client.id.clone(), Some(username.to_owned()));
        Ok(self.first_tokens(&Approval { client_id, username, scopes, nonce: String::new(), auth_time }).0)
    }

    fn client_credentials(&mut self, form: &Params, client: &Client) -> Result<Body, Answer> {
        if client.secret.is_none() {
            return refuse("unauthorized_client", "a public client has no credentials");
        }
        let scopes = self.known_scopes(form.get("scope"));
        if scopes.is_empty() && !form.get("scope").is_empty() {
            return refuse("invalid_scope", "no scope is known here");
        }
        let (client_id, auth_time) = (client.id.clone(), self.now());
        let approval = Approval { client_id, username: None, scopes, nonce: String::new(), auth_time };
        Ok(self.tokens(&approval, None))
    }
}

impl Provider {
    /// Token exchange (RFC 8693): any user's access token of this server, for any service but `unknown`.
    fn exchange(&mut self, form: &Params, client: &Client) -> Result<Body, Answer> {
        const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
        if client.secret.is_none() {
            return refuse("unauthorized_client", "a public client may not exchange tokens");
        }
        if ["subject_token_type", "requested_token_type"].map(|name| form.get(name)) != [ACCESS_TOKEN; 2] {
            return refuse("invalid_request", "access tokens are exchanged for access tokens");
        }
        let subject = form.get("subject_token");
        let good = self.is_active(subject);
        let Some(token) = self.access_tokens.get(subject).filter(|token| good && token.approval.username.is_some())
        else {
            return refuse("invalid_request", "the subject token is not good");
        };
        let username = token.approval.username.clone();
        if form.get("audience") == "unknown" {
            return refuse("invalid_target", "no such service");
        }
        let (client_id, auth_time, scopes) = (client.id.clone(), self.now(), self.known_scopes(form.get("scope")));
        let approval = Approval { client_id, username, scopes, nonce: String::new(), auth_time };
        let mut body = self.tokens(&approval, None);
        body.insert("issued_token_type".to_owned(), ACCESS_TOKEN.into());
        Ok(body)
    }
}

/// The approval with fewer scopes, when a refresh asks for fewer (RFC 6749 section 6).
fn narrowed(approval: Approval, asked: &str, family: Option<&Family>) -> Result<Approval, Answer> {
    if asked.is_empty() {
        return Ok(approval);
    }
    let scopes: Vec<_> = asked.split(' ').map(str::to_owned).collect();
    let granted = |scope: &String| family.is_some_and(|family| family.approval.scopes.contains(scope));
    if !scopes.iter().all(granted) {
        return refuse("invalid_scope", "more than was granted").map(|_| approval);
    }
    Ok(Approval { scopes, ..approval })
}

fn refuse(error: &str, description: &str) -> Result<Body, Answer> {
    Err(oauth_error(400, error, description))
}
