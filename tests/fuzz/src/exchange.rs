//! An answer of a provider as a text that people can read in a corpus: the status, header lines, an empty line, the body. The
//! HTTP port lets through only what is UTF-8, so what is not makes no answer here either.

use http::{HeaderName, HeaderValue};
use token_broker::model::{ClientAuthentication, Dialect, HttpResponse, ProviderMetadata};
use token_broker_proto::{
    Secret,
    oauth::{ClientId, UnixTime},
};
use url::Url;

/// The time of every target.
pub(crate) const NOW: UnixTime = UnixTime::from_seconds(1_700_000_000);

/// The answer, if the bytes make one.
pub(crate) fn response(bytes: &[u8]) -> Option<HttpResponse> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let mut builder = http::Response::builder().status(lines.next()?.parse::<u16>().ok()?);
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let name = HeaderName::try_from(name).ok()?;
        builder = builder.header(name, HeaderValue::try_from(value.trim()).ok()?);
    }
    builder.body(Secret::new(body)).ok()
}

/// The provider of every target.
pub(crate) fn metadata() -> Option<ProviderMetadata> {
    let url = |path: &str| Url::parse(&format!("https://id.example{path}")).ok();
    Some(ProviderMetadata {
        issuer: "https://id.example".to_owned(),
        authorization_endpoint: url("/auth"),
        token_endpoint: url("/token")?,
        device_authorization_endpoint: url("/device"),
        revocation_endpoint: url("/revoke"),
        jwks_uri: url("/jwks"),
        offers_offline_access: true,
        sends_issuer_parameter: false,
        client_authentication: ClientAuthentication::Basic,
        assertion_algorithms: Vec::new(),
        dialect: Dialect::Standard,
        aliases: Vec::new(),
        fetched_on: NOW,
    })
}

/// The client of every target.
pub(crate) fn client_id() -> Option<ClientId> {
    ClientId::parse("client").ok()
}

/// What is shown to people holds no control character and is no page long.
pub(crate) fn assert_showable(text: &str) {
    assert!(!text.chars().any(char::is_control), "a control character is shown: {text:?}");
    assert!(text.len() < 16 * 1024, "{} bytes are shown", text.len());
}
