//! What has been granted: families of refresh tokens, of which one at a time is good; access tokens; id tokens. A refresh token
//! that comes a second time revokes its family (RFC 9700 section 4.14.2).

use serde_json::{Map, Value, json};
use token_broker_proto::oauth::UnixTime;

use super::Provider;

/// What a user, or nobody for an application of its own, let a client have.
#[derive(Debug, Clone)]
pub(super) struct Approval {
    pub(super) client_id: String,
    pub(super) username: Option<String>,
    pub(super) scopes: Vec<String>,
    pub(super) nonce: String,
    pub(super) auth_time: UnixTime,
}

/// All refresh tokens that came one from the other.
#[derive(Debug)]
pub(super) struct Family {
    pub(super) approval: Approval,
    pub(super) revoked: bool,
}

/// A refresh token.
#[derive(Debug)]
pub(super) struct RefreshToken {
    pub(super) family: usize,
    pub(super) spent: bool,
    pub(super) expires_on: UnixTime,
}

/// An access token.
#[derive(Debug)]
pub(super) struct AccessToken {
    /// Its number in the order of issue, from 1.
    number: usize,
    pub(super) family: Option<usize>,
    pub(super) approval: Approval,
    pub(super) revoked: bool,
    pub(super) expires_on: UnixTime,
}

impl Provider {
    /// A new family.
    pub(super) fn new_family(&mut self, approval: Approval) -> usize {
        self.families.push(Family { approval, revoked: false });
        self.families.len() - 1
    }

    pub(super) fn revoke_family(&mut self, family: usize) {
        if let Some(family) = self.families.get_mut(family) {
            family.revoked = true;
        }
    }

    pub(in super::super) fn revoke_all(&mut self) {
        self.families.iter_mut().for_each(|family| family.revoked = true);
    }

    /// Whether the family is known and good.
    pub(super) fn family(&self, family: usize) -> Option<&Family> {
        self.families.get(family).filter(|family| !family.revoked)
    }

    pub(super) fn new_refresh_token(&mut self, family: usize) -> String {
        let token = self.opaque("rt");
        let expires_on = self.now().plus(self.options.refresh_token_lifetime);
        self.refresh_tokens.insert(token.clone(), RefreshToken { family, spent: false, expires_on });
        token
    }

    /// The body of a successful token answer (RFC 6749 section 5.1).
    pub(super) fn tokens(&mut self, approval: &Approval, family: Option<usize>) -> Map<String, Value> {
        let lifetime = self.options.access_token_lifetime;
        let expires_on = self.now().plus(lifetime);
        let token = self.access_token(approval, expires_on);
        let number = self.access_tokens.len() + 1;
        let access = AccessToken { number, family, approval: approval.clone(), revoked: false, expires_on };
        self.access_tokens.insert(token.clone(), access);
        let mut body = Map::new();
        body.insert("access_token".to_owned(), token.into());
        body.insert("token_type".to_owned(), "Bearer".into());
        body.insert("expires_in".to_owned(), lifetime.as_secs().into());
        body.insert("scope".to_owned(), approval.scopes.join(" ").into());
        if let (Some(username), true) = (&approval.username, approval.scopes.iter().any(|scope| scope == "openid")) {
            body.insert("id_token".to_owned(), self.id_token(approval, username).into());
        }
        body
    }

    /// An access token: opaque, or a JWT (RFC 9068 section 2.2) for the resource in the options.
    fn access_token(&self, approval: &Approval, expires_on: UnixTime) -> String {
        let token = self.opaque("at");
        let Some(audience) = &self.options.audience else { return token };
        let user = approval.username.as_deref();
        self.key.sign(&json!({
            "iss": self.issuer, "aud": audience, "sub": user.unwrap_or(&approval.client_id), "preferred_username": user,
            "client_id": approval.client_id, "iat": self.now().seconds(), "exp": expires_on.seconds(), "jti": token,
            "scope": approval.scopes.join(" "),
        }))
    }

    /// OpenID Connect Core section 2.
    fn id_token(&self, approval: &Approval, username: &str) -> String {
        let now = self.now().seconds();
        let mut claims = json!({
            "iss": self.issuer, "sub": format!("sub-{username}"), "aud": approval.client_id, "iat": now, "exp": now + 3600,
            "auth_time": approval.auth_time.seconds(), "preferred_username": username, "name": format!("Test user {username}"),
            "email": format!("{username}@example.test"),
        });
        if !approval.nonce.is_empty() {
            merge(&mut claims, "nonce", &Value::from(approval.nonce.clone()));
        }
        for (name, value) in &self.options.id_token_claims {
            merge(&mut claims, name, value);
        }
        self.key.sign(&claims)
    }

    /// The how-manieth access token that was issued.
    pub(in super::super) fn number_of(&self, access_token: &str) -> Option<usize> {
        self.access_tokens.get(access_token).map(|token| token.number)
    }

    pub(in super::super) fn is_active(&self, token: &str) -> bool {
        let now = self.now();
        let family_good = |family: Option<usize>| family.is_none_or(|family| self.family(family).is_some());
        let access = self.access_tokens.get(token);
        let refresh = self.refresh_tokens.get(token);
        access.is_some_and(|token| !token.revoked && token.expires_on > now && family_good(token.family))
            || refresh.is_some_and(|token| !token.spent && token.expires_on > now && family_good(Some(token.family)))
    }
}

/// Sets a member, or removes it with `null`.
pub(super) fn merge(object: &mut Value, name: &str, value: &Value) {
    let Some(object) = object.as_object_mut() else { return };
    if value.is_null() {
        object.remove(name);
    } else {
        object.insert(name.to_owned(), value.clone());
    }
}
