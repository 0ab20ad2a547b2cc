//! A minimal client of OAuth 2.0 in plain HTTP, with its metadata from discovery: what the daemon will do, in its simplest form.

use serde_json::Value;
use token_broker_tests::{
    http::{self, Reply},
    jose,
};
use url::Url;

/// A client at one provider.
pub(super) struct RelyingParty {
    issuer: String,
    client_id: &'static str,
    secret: Option<&'static str>,
    pub(super) redirect_uri: String,
    metadata: Value,
}

/// Long enough for RFC 7636 section 4.1.
const VERIFIER: &str = "0123456789-0123456789-0123456789-0123456789";
const STATE: &str = "the state";
const NONCE: &str = "the-nonce";

impl RelyingParty {
    /// A public client.
    pub(super) async fn public(issuer: &str, client_id: &'static str) -> Self {
        let reply = http::get(&format!("{issuer}/.well-known/openid-configuration")).await;
        assert_eq!(reply.text("issuer"), issuer, "{}", reply.body);
        let redirect_uri = "http://127.0.0.1:9/cb".to_owned();
        Self { issuer: issuer.to_owned(), client_id, secret: None, redirect_uri, metadata: reply.json() }
    }

    /// A confidential one.
    pub(super) async fn confidential(issuer: &str, (client_id, secret): (&'static str, &'static str)) -> Self {
        Self { secret: Some(secret), ..Self::public(issuer, client_id).await }
    }

    /// Where the user goes to sign in.
    pub(super) fn authorization_url(&self, scope: &str, more: &[(&str, &str)]) -> String {
        let mut url = Url::parse(self.endpoint("authorization_endpoint")).unwrap();
        url.query_pairs_mut()
            .extend_pairs([
                ("response_type", "code"),
                ("client_id", self.client_id),
                ("redirect_uri", &self.redirect_uri),
            ])
            .extend_pairs([("scope", scope), ("state", STATE), ("nonce", NONCE), ("code_challenge_method", "S256")])
            .append_pair("code_challenge", &jose::code_challenge(VERIFIER))
            .extend_pairs(more);
        url.into()
    }

    /// The code in a redirect, once its state and issuer are seen to be right.
    pub(super) fn code(&self, redirect: &Url) -> String {
        let value =
            |name: &str| redirect.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned());
        assert_eq!(value("state").as_deref(), Some(STATE), "{redirect}");
        assert_eq!(value("iss").as_deref(), Some(self.issuer.as_str()), "{redirect}");
        value("code").unwrap_or_else(|| panic!("no code in {redirect}"))
    }

    /// Tokens for a code.
    pub(super) async fn redeem(&self, code: &str) -> Reply {
        let fields = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", &self.redirect_uri)];
        let reply = self.token(&[&fields[..], &[("code_verifier", VERIFIER)]].concat()).await;
        if reply.status == 200 {
            assert_eq!(jose::claims(&reply.text("id_token"))["nonce"], NONCE);
        }
        reply
    }

    /// Tokens for a code, with a verifier that is not the one.
    pub(super) async fn redeem_with(&self, code: &str, verifier: &str) -> Reply {
        let fields = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", &self.redirect_uri)];
        self.token(&[&fields[..], &[("code_verifier", verifier)]].concat()).await
    }

    /// Tokens for a refresh token.
    pub(super) async fn refresh(&self, refresh_token: &str) -> Reply {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", refresh_token)]).await
    }

    /// A token for the client itself.
    pub(super) async fn app_only(&self, scope: &str) -> Reply {
        self.token(&[("grant_type", "client_credentials"), ("scope", scope)]).await
    }

    /// The same, with the secret in the body.
    pub(super) async fn app_only_in_body(&self, scope: &str) -> Reply {
        let fields = [("grant_type", "client_credentials"), ("scope", scope), ("client_id", self.client_id)];
        let secret = [("client_secret", self.secret.unwrap())];
        http::post(self.endpoint("token_endpoint"), &[&fields[..], &secret].concat()).await
    }

    /// Starts a device sign-in.
    pub(super) async fn start_device(&self, scope: &str) -> Reply {
        let reply = self.post("device_authorization_endpoint", &[("scope", scope)]).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply
    }

    /// One poll.
    pub(super) async fn poll(&self, device: &Reply) -> Reply {
        let grant = "urn:ietf:params:oauth:grant-type:device_code";
        self.token(&[("grant_type", grant), ("device_code", &device.text("device_code"))]).await
    }

    /// Revokes a token.
    pub(super) async fn revoke(&self, token: &str) -> Reply {
        self.post("revocation_endpoint", &[("token", token)]).await
    }

    async fn token(&self, fields: &[(&str, &str)]) -> Reply {
        self.post("token_endpoint", fields).await
    }

    async fn post(&self, endpoint: &str, fields: &[(&str, &str)]) -> Reply {
        let url = self.endpoint(endpoint);
        match self.secret {
            Some(secret) => http::post_as(url, fields, (self.client_id, secret)).await,
            None => http::post(url, &[fields, &[("client_id", self.client_id)]].concat()).await,
        }
    }

    fn endpoint(&self, name: &str) -> &str {
        self.metadata[name].as_str().unwrap_or_else(|| panic!("the metadata have no {name}"))
    }
}
