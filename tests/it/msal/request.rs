//! A recorded request as something that can be compared: its kind, its parameters and headers, with what is random or counts time
//! replaced by the form it has. Codes and tokens stay: the platform numbers them.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;
use token_broker_tests::entra::{Place, Recorded};

/// Headers of the connection and of the HTTP library; they say nothing to the platform.
const TRANSPORT: [&str; 5] = ["host", "user-agent", "accept-encoding", "connection", "content-length"];

/// One request; two are equal when all of it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Request {
    /// Its place, and the grant type at the token endpoint.
    pub(super) kind: String,
    /// Parameters, headers as `header NAME`, and the address as `(url)`.
    pub(super) parameters: BTreeMap<String, String>,
}

/// The requests of one side: exchanges in order, and what metadata was asked for, which either side keeps for a while.
#[derive(Debug)]
pub(super) struct Requests {
    pub(super) exchanges: Vec<Request>,
    pub(super) metadata: BTreeSet<Request>,
}

impl Requests {
    /// Takes what the platform recorded.
    pub(super) fn read(recorded: &[Recorded]) -> Self {
        let is_metadata = |place| matches!(place, Place::Instance | Place::Metadata | Place::Keys);
        let (metadata, exchanges): (Vec<_>, Vec<_>) = recorded.iter().partition(|request| is_metadata(request.place));
        // Headers of metadata requests are of no interest: the document is public.
        let bare = |request: &&Recorded| Recorded { headers: BTreeMap::new(), ..(*request).clone() };
        let metadata = metadata.iter().map(|request| Request::read(&bare(request))).collect();
        Self { exchanges: exchanges.into_iter().map(Request::read).collect(), metadata }
    }
}

impl Request {
    fn read(recorded: &Recorded) -> Self {
        let mut parameters: BTreeMap<_, _> =
            recorded.parameters.iter().map(|(name, value)| (name.clone(), comparable(name, value))).collect();
        parameters
            .insert("(url)".to_owned(), format!("{} https://{}{}", recorded.method, recorded.host, recorded.path));
        if let Some(assertion) = recorded.parameters.get("client_assertion") {
            parameters.remove("client_assertion");
            parameters.extend(members_of(assertion));
        }
        // The browser's own headers are nobody's.
        if recorded.place != Place::Authorize {
            let own = recorded.headers.iter().filter(|(name, _)| !TRANSPORT.contains(&name.as_str()));
            parameters.extend(own.map(|(name, value)| (format!("header {name}"), comparable(name, value))));
        }
        Self { kind: recorded.kind(), parameters }
    }

    /// Its address.
    pub(super) fn url(&self) -> &str {
        self.parameters.get("(url)").map_or("", String::as_str)
    }
}

/// A value without what differs each time.
fn comparable(name: &str, value: &str) -> String {
    match name {
        "state" | "code_challenge" | "code_verifier" if value.len() >= 16 => "(random)".to_owned(),
        "nonce" if value.len() == 64 && value.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            "(SHA-256 in hex)".to_owned()
        }
        "nonce" => "(random)".to_owned(),
        "client-request-id" if value.len() == 36 => "(UUID)".to_owned(),
        "s:Envelope s:Header a:MessageID" if value.len() == 45 => "urn:uuid:(UUID)".to_owned(),
        "redirect_uri" => without_port(value),
        "claims" => serde_json::from_str::<Value>(value).map_or_else(|_| value.to_owned(), |claims| claims.to_string()),
        "x-client-last-telemetry" => value.split(',').map(without_identifier).collect::<Vec<_>>().join(","),
        _ => value.to_owned(),
    }
}

/// A correlation id among other words.
fn without_identifier(word: &str) -> String {
    let (start, rest) = word.split_at_checked(36).unwrap_or((word, ""));
    if start.len() == 36 && start.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-') {
        return format!("(UUID){rest}");
    }
    word.to_owned()
}

/// A loopback address with any port.
fn without_port(uri: &str) -> String {
    let Ok(url) = url::Url::parse(uri) else { return uri.to_owned() };
    match url.port() {
        Some(port) if url.scheme() == "http" => uri.replacen(&port.to_string(), "PORT", 1),
        _ => uri.to_owned(),
    }
}

/// Header and claims of a client assertion; its times as its lifetime.
fn members_of(jwt: &str) -> Vec<(String, String)> {
    let mut parts = jwt.split('.');
    let mut members = Vec::new();
    let mut times = BTreeMap::new();
    for part in ["header", "claim"] {
        let bytes = parts.next().and_then(|text| BASE64_URL_SAFE_NO_PAD.decode(text).ok()).unwrap_or_default();
        let value: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        for (name, value) in value.as_object().into_iter().flatten() {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            match name.as_str() {
                "jti" => members.push(("assertion claim jti".to_owned(), "(random)".to_owned())),
                "iat" | "exp" | "nbf" => {
                    times.insert(name.clone(), value.as_f64().unwrap_or_default());
                }
                _ => members.push((format!("assertion {part} {name}"), text)),
            }
        }
    }
    let lifetime = times.get("exp").zip(times.get("iat")).map(|(exp, iat)| exp - iat);
    members
        .push(("assertion lifetime".to_owned(), lifetime.map_or("none".to_owned(), |seconds| format!("{seconds} s"))));
    members.push(("assertion times".to_owned(), times.into_keys().collect::<Vec<_>>().join(" ")));
    members
}
