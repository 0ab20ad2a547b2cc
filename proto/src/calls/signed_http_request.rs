//! `SignHttpRequest`: the HTTP request that is to be signed, and the header that comes of it
//! (draft-ietf-oauth-signed-http-request-03). What is signed of it is for the daemon.

use url::Url;

use super::{Incomplete, TokenRequest, TokenSource, given};
use crate::{
    Account, Invalid, Secret,
    oauth::{Claims, CorrelationId, ScopeSet, UnixTime},
    wire::v1,
};

/// Longest method in bytes; the longest that is registered has 17.
const MAX_METHOD: usize = 32;
/// Longest URL in bytes.
const MAX_URL: usize = 8 * 1024;
/// Longest nonce in bytes: servers sign theirs.
const MAX_NONCE: usize = 4 * 1024;

/// A request to sign an HTTP request.
#[derive(Debug, Clone)]
pub struct SignHttpRequest {
    /// The token that goes with it; its scheme takes no part.
    pub token: TokenRequest,
    /// What is signed.
    pub http: HttpRequestToSign,
}

/// The parts of an HTTP request that are signed, and what its server asked for.
#[derive(Debug, Clone)]
pub struct HttpRequestToSign {
    method: String,
    url: Url,
    nonce: Option<String>,
    client_claims: Option<Claims>,
}

impl HttpRequestToSign {
    /// Reads method and URL.
    pub fn parse(method: &str, url: &str) -> Result<Self, Invalid> {
        Ok(Self { method: parse_method(method)?, url: parse_url(url)?, nonce: None, client_claims: None })
    }

    /// The same with the server's nonce; an empty one is none.
    pub fn with_nonce(self, nonce: &str) -> Result<Self, Invalid> {
        if nonce.len() > MAX_NONCE || !nonce.bytes().all(|byte| (0x21..=0x7E).contains(&byte)) {
            let rule = format!("must be at most {MAX_NONCE} visible ASCII characters, as the server sent it");
            return Err(Invalid::new("nonce", rule));
        }
        Ok(Self { nonce: given(nonce.to_owned()), ..self })
    }

    /// The same with claims of the caller; an empty text is none.
    pub fn with_client_claims(self, claims: &str) -> Result<Self, Invalid> {
        let client_claims = Claims::parse(claims).map_err(|_| {
            Invalid::new("client_claims", "must be a JSON object of at most 16 KiB, which is signed as it is")
        })?;
        Ok(Self { client_claims, ..self })
    }

    /// The method, in upper case.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The URL, which has a host.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The server's nonce.
    #[must_use]
    pub fn nonce(&self) -> Option<&str> {
        self.nonce.as_deref()
    }

    /// Claims of the caller, JSON.
    #[must_use]
    pub fn client_claims(&self) -> Option<&str> {
        self.client_claims.as_ref().map(Claims::as_str)
    }
}

/// A token of RFC 9110, section 5.6.2.
fn parse_method(method: &str) -> Result<String, Invalid> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if method.is_empty() || method.len() > MAX_METHOD || !method.bytes().all(is_token) {
        return Err(Invalid::new("method", "must be one word such as GET (RFC 9110, section 9)"));
    }
    Ok(method.to_ascii_uppercase())
}

fn parse_url(text: &str) -> Result<Url, Invalid> {
    let invalid = |rule: &str| Invalid::new("url", rule);
    if text.len() > MAX_URL {
        return Err(invalid("must be at most 8 KiB long"));
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(invalid("must not contain white space: write it as it goes out, percent-encoded"));
    }
    // What the parser would mend (a missing slash, a backslash) is not what goes out.
    let url = Url::parse(text).map_err(|_| invalid("is no URL: give it whole, such as https://api.example/v1/me"))?;
    let after_scheme = ["https://", "http://"].iter().find_map(|start| {
        let (given, rest) = text.split_at_checked(start.len())?;
        given.eq_ignore_ascii_case(start).then_some(rest)
    });
    let is_whole = after_scheme.is_some_and(|rest| !rest.starts_with(['/', '?', '#', '\\']));
    if !is_whole || url.host_str().is_none_or(str::is_empty) {
        return Err(invalid("must begin with https:// or http:// and have a host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("must have no user name or password in it"));
    }
    Ok(url)
}

impl TryFrom<v1::SignHttpRequestRequest> for SignHttpRequest {
    type Error = Invalid;

    fn try_from(wire: v1::SignHttpRequestRequest) -> Result<Self, Invalid> {
        let mut token = wire.token.ok_or_else(|| Invalid::new("token", "says which token goes with the request"))?;
        match v1::TokenScheme::try_from(token.scheme) {
            Ok(v1::TokenScheme::Unspecified | v1::TokenScheme::Pop) => token.scheme = 0,
            _ => return Err(Invalid::new("scheme", "is pop, if it is given at all: the request is signed")),
        }
        if !token.public_key.is_empty() {
            return Err(Invalid::new("public_key", "must be empty: the daemon signs with a key of its own"));
        }
        if token.include_id_token {
            return Err(Invalid::new("include_id_token", "there is none in the answer; call GetToken for it"));
        }
        if token.session_key.as_deref() == Some("") {
            return Err(Invalid::new("session_key", "give a key of your own: the answer has no place for one"));
        }
        let http = HttpRequestToSign::parse(&wire.method, &wire.url)?;
        let http = http.with_nonce(&wire.nonce)?.with_client_claims(&wire.client_claims)?;
        Ok(Self { token: token.try_into()?, http })
    }
}

impl From<&SignHttpRequest> for v1::SignHttpRequestRequest {
    fn from(request: &SignHttpRequest) -> Self {
        let mut token = v1::GetTokenRequest::from(&request.token);
        token.scheme = v1::TokenScheme::Pop.into();
        let HttpRequestToSign { method, url, nonce, client_claims } = &request.http;
        Self {
            token: Some(token),
            method: method.clone(),
            url: url.to_string(),
            nonce: nonce.clone().unwrap_or_default(),
            client_claims: client_claims.as_ref().map(|claims| claims.as_str().to_owned()).unwrap_or_default(),
        }
    }
}

/// A signed HTTP request.
#[derive(Debug, Clone)]
pub struct SignedHttpRequest {
    /// Value of the `Authorization` header: `PoP` and a signed token.
    pub authorization: Secret,
    /// When the access token in it expires.
    pub expires_on: UnixTime,
    /// The granted scopes.
    pub scopes: ScopeSet,
    /// Whose it is; `None` for an app-only token.
    pub account: Option<Account>,
    /// Where the access token came from.
    pub source: TokenSource,
    /// Thumbprint of the key (RFC 7638).
    pub key_id: String,
    /// Name of the call.
    pub correlation_id: CorrelationId,
}

impl From<SignedHttpRequest> for v1::SignHttpRequestResponse {
    fn from(signed: SignedHttpRequest) -> Self {
        Self {
            authorization: signed.authorization.expose().to_owned(),
            expires_on: signed.expires_on.seconds(),
            scopes: signed.scopes.to_strings(),
            account: signed.account.map(Into::into),
            source: signed.source.to_wire().into(),
            key_id: signed.key_id,
            correlation_id: signed.correlation_id.to_string(),
        }
    }
}

impl TryFrom<v1::SignHttpRequestResponse> for SignedHttpRequest {
    type Error = Incomplete;

    fn try_from(wire: v1::SignHttpRequestResponse) -> Result<Self, Incomplete> {
        Ok(Self {
            authorization: Some(Secret::new(wire.authorization))
                .filter(|header| !header.is_empty())
                .ok_or(Incomplete("authorization"))?,
            expires_on: UnixTime::from_seconds(wire.expires_on),
            scopes: ScopeSet::parse(wire.scopes.iter().map(String::as_str)).map_err(|_| Incomplete("scopes"))?,
            account: wire.account.map(Into::into),
            source: TokenSource::from_wire(wire.source)?,
            key_id: wire.key_id,
            correlation_id: CorrelationId::parse(&wire.correlation_id)
                .ok()
                .flatten()
                .ok_or(Incomplete("correlation_id"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::HttpRequestToSign;

    fn read(method: &str, url: &str) -> Result<String, String> {
        match HttpRequestToSign::parse(method, url) {
            Ok(read) => Ok(format!("{} {}", read.method(), read.url())),
            Err(invalid) => Err(invalid.to_string()),
        }
    }

    #[test]
    fn a_request_is_one_word_and_a_whole_url() {
        let good = "https://api.example:8443/v1/me?a=1&b=%20";
        assert_eq!(read("get", good).as_deref(), Ok("GET https://api.example:8443/v1/me?a=1&b=%20"));
        assert_eq!(read("M-SEARCH", "HTTP://127.0.0.1").as_deref(), Ok("M-SEARCH http://127.0.0.1/"));
        for (method, url, field) in [
            ("GET /", good, "method"),
            ("", good, "method"),
            ("G\u{c9}T", good, "method"),
            (&"A".repeat(33), good, "method"),
            ("GET", "", "url"),
            ("GET", "/v1/me", "url"),
            ("GET", "https:///v1/me", "url"),
            ("GET", "https:api.example", "url"),
            ("GET", "https://", "url"),
            ("GET", "https:\\\\api.example", "url"),
            ("GET", "https://ada:M4rker@api.example/", "url"),
            ("GET", "https://api.example/a b", "url"),
            ("GET", "file:///etc/passwd", "url"),
            ("GET", "urn:a:b", "url"),
            ("GET", &format!("https://api.example/{}", "a".repeat(8192)), "url"),
        ] {
            let error = read(method, url).unwrap_err();
            assert!(error.starts_with(field) && !error.contains("M4rker"), "{method} {url}: {error}");
        }
    }

    #[test]
    fn a_nonce_is_visible_ascii_and_claims_are_an_object() {
        let http = || HttpRequestToSign::parse("GET", "https://api.example/").unwrap();
        assert_eq!(http().with_nonce("eyJ.x-1").unwrap().nonce(), Some("eyJ.x-1"));
        assert_eq!(http().with_nonce("").unwrap().nonce(), None);
        assert!(http().with_nonce("a b").is_err() && http().with_nonce(&"n".repeat(4097)).is_err());
        assert_eq!(http().with_client_claims("{\"a\":1}").unwrap().client_claims(), Some("{\"a\":1}"));
        assert!(http().with_client_claims("[]").is_err());
    }
}
