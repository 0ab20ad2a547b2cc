//! The HTTP client: reqwest over rustls. Limits on time and size, no redirects, the configured network. It is built at the first
//! request, since parsing the system's root certificates takes milliseconds that a cached token must not wait for.

use std::{error::Error as StdError, future::Future, pin::Pin, sync::OnceLock, time::Duration};

use token_broker_proto::Secret;

use super::{Http, HttpError, Network, pinned};
use crate::model::{HttpRequest, HttpResponse, Route};

/// To connect to an endpoint of the machine itself: where there is none, that should not take long to learn.
const CONNECT_TO_MACHINE: Duration = Duration::from_secs(3);

/// Limits on what a provider may do to us.
#[derive(Debug, Clone, Copy)]
pub struct HttpLimits {
    /// From the first byte sent to the last byte read.
    pub total: Duration,
    /// To connect, TLS included.
    pub connect: Duration,
    /// Bytes of an answer, after decompression.
    pub body_bytes: usize,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self { total: Duration::from_secs(30), connect: Duration::from_secs(10), body_bytes: 1024 * 1024 }
    }
}

/// How providers are asked.
#[derive(Debug, Clone, Default)]
pub struct HttpSettings {
    /// What a provider may do to us.
    pub limits: HttpLimits,
    /// The way there.
    pub network: Network,
}

impl From<HttpLimits> for HttpSettings {
    fn from(limits: HttpLimits) -> Self {
        Self { limits, ..Self::default() }
    }
}

/// Sends requests with reqwest.
#[derive(Debug, Default)]
pub struct HttpClient {
    limits: HttpLimits,
    network: Network,
    client: OnceLock<reqwest::Client>,
    /// The one for endpoints of the machine itself, which uses no proxy.
    direct: OnceLock<reqwest::Client>,
}

impl HttpClient {
    /// A client with these settings.
    #[must_use]
    pub fn new(settings: impl Into<HttpSettings>) -> Self {
        let HttpSettings { limits, network } = settings.into();
        Self { limits, network, ..Self::default() }
    }

    /// The client of this way, built now if it was not. A failure (an unreadable file of certificate authorities) is tried again next time.
    fn client(&self, host: &str, route: Option<Route>) -> Result<reqwest::Client, HttpError> {
        let kept = match route {
            None => &self.client,
            Some(Route::Machine) => &self.direct,
            // Once an hour: a client that is kept would keep its connection to a server that may be another one by then.
            Some(Route::Pinned(_)) => return self.build(host, route),
        };
        if let Some(client) = kept.get() {
            return Ok(client.clone());
        }
        let built = self.build(host, route)?;
        Ok(kept.get_or_init(|| built).clone())
    }

    fn build(&self, host: &str, route: Option<Route>) -> Result<reqwest::Client, HttpError> {
        let builder = reqwest::Client::builder()
            .user_agent(concat!("token-broker/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .timeout(self.limits.total)
            .connect_timeout(self.limits.connect);
        let direct = |builder: reqwest::ClientBuilder| {
            builder.no_proxy().connect_timeout(self.limits.connect.min(CONNECT_TO_MACHINE))
        };
        let cannot = |what: String| HttpError::Tls(format!("{host} cannot be asked: {what}"));
        let builder = match route {
            None => self.network.apply(builder).map_err(cannot)?,
            Some(Route::Machine) => direct(builder),
            Some(Route::Pinned(thumbprint)) => {
                let trust = pinned::trust(thumbprint).map_err(|error| cannot(error.to_string()))?;
                direct(builder).https_only(true).tls_backend_preconfigured(trust)
            }
        };
        builder.build().map_err(|error| cannot(no_client(&error)))
    }

    /// Whether a client can be built.
    pub(super) fn check(&self) -> Result<(), String> {
        self.client("providers", None).map(drop).map_err(|error| error.to_string())
    }

    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let host = parts.uri.authority().map(ToString::to_string).unwrap_or_default();
        let client = self.client(&host, parts.extensions.get().copied())?;
        let mut outgoing = client.request(parts.method, parts.uri.to_string()).headers(parts.headers);
        if !body.is_empty() {
            outgoing = outgoing.body(body.expose().to_owned());
        }
        let answer = outgoing.send().await.map_err(|error| self.classify(&host, &error))?;
        let mut response = http::Response::builder().status(answer.status());
        if let Some(headers) = response.headers_mut() {
            headers.extend(answer.headers().clone());
        }
        let text = self.read(&host, answer).await?;
        response.body(text).map_err(|error| HttpError::Interrupted(format!("{host}: {error}")))
    }

    async fn read(&self, host: &str, mut answer: reqwest::Response) -> Result<Secret, HttpError> {
        let mut body = zeroize::Zeroizing::new(Vec::new());
        while let Some(chunk) = answer.chunk().await.map_err(|error| self.classify(host, &error))? {
            if body.len() + chunk.len() > self.limits.body_bytes {
                return Err(HttpError::TooLarge { host: host.to_owned(), limit: self.limits.body_bytes });
            }
            body.extend_from_slice(&chunk);
        }
        match str::from_utf8(&body) {
            Ok(text) => Ok(Secret::new(text)),
            Err(_) => Err(HttpError::NotText(host.to_owned())),
        }
    }

    /// The kind of a failure, and its cause in words that name the host and never the URL: a query may carry secrets.
    fn classify(&self, host: &str, error: &reqwest::Error) -> HttpError {
        let causes = causes(error);
        if error.is_timeout() && !error.is_connect() {
            return HttpError::Timeout { host: host.to_owned(), limit: self.limits.total };
        }
        match (tls_cause(error), error.is_connect()) {
            (Some(cause), _) => HttpError::Tls(format!("{host} cannot be trusted, TLS failed: {cause}")),
            (None, true) => HttpError::Connect(format!("{host} cannot be reached: {causes}")),
            (None, false) => HttpError::Interrupted(format!("{host} broke the connection off: {causes}")),
        }
    }
}

impl Http for HttpClient {
    fn send(&self, request: HttpRequest) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + '_>> {
        Box::pin(self.exchange(request))
    }

    fn network(&self) -> Network {
        self.network.clone()
    }
}

/// The chain of causes below reqwest's own sentence, which would show the URL.
fn causes(error: &reqwest::Error) -> String {
    let mut texts = Vec::new();
    let mut cause = error.source();
    while let Some(inner) = cause {
        texts.push(inner.to_string());
        cause = inner.source();
    }
    texts.dedup();
    if texts.is_empty() { "no cause given".to_owned() } else { texts.join(": ") }
}

/// Building fails for one reason in practice: the certificate authorities that the environment names cannot be read.
fn no_client(error: &reqwest::Error) -> String {
    let named = ["SSL_CERT_FILE", "SSL_CERT_DIR"].into_iter().filter_map(|name| {
        let path = std::env::var_os(name).filter(|path| !path.is_empty())?;
        // reqwest's own error does not say what the system said.
        let why = std::fs::metadata(&path).err().map(|error| format!(" ({error})")).unwrap_or_default();
        Some(format!("{name}={}{why}", path.display()))
    });
    let named: Vec<_> = named.collect();
    let from = if named.is_empty() { "this machine".to_owned() } else { named.join(" and ") };
    format!("no certificate authorities could be read from {from}: {}", causes(error))
}

/// The TLS failure in people's words, if it is one.
fn tls_cause(error: &reqwest::Error) -> Option<String> {
    let mut cause: Option<&(dyn StdError + 'static)> = error.source();
    while let Some(inner) = cause {
        if let Some(tls) = inner.downcast_ref::<rustls::Error>() {
            return Some(in_words(tls));
        }
        // An I/O error that wraps another gives that one's cause for its own and leaves the other out. They come nested.
        let wrapped = inner.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        cause = wrapped.map(|wrapped| wrapped as &(dyn StdError + 'static)).or_else(|| inner.source());
    }
    None
}

fn in_words(error: &rustls::Error) -> String {
    use rustls::{CertificateError as Certificate, Error};
    match error {
        Error::InvalidCertificate(Certificate::UnknownIssuer) => {
            "its certificate is of a certificate authority that this machine does not trust (SSL_CERT_FILE can name one)".into()
        }
        Error::InvalidCertificate(Certificate::Expired | Certificate::ExpiredContext { .. }) => {
            "its certificate has expired, or this machine's clock is wrong".into()
        }
        Error::InvalidCertificate(Certificate::NotValidForName | Certificate::NotValidForNameContext { .. }) => {
            "its certificate is for another host".into()
        }
        Error::InvalidCertificate(Certificate::BadSignature) => {
            "its certificate is not signed by the certificate authority that it names".into()
        }
        Error::InvalidCertificate(Certificate::ApplicationVerificationFailure) => {
            "its certificate is not the one whose thumbprint was given".into()
        }
        Error::InvalidMessage(_) => "what answers there does not speak TLS".into(),
        other => other.to_string(),
    }
}
