//! HTTP to a provider, with a limit on everything that comes back.

mod adjustable;
mod client;
mod limited;
mod network;
mod pinned;

use std::{future::Future, pin::Pin, time::Duration};

pub use adjustable::AdjustableHttp;
pub use client::{HttpClient, HttpLimits, HttpSettings};
pub use limited::LimitedHttp;
pub use network::{Network, Proxy};

use crate::model::{HttpRequest, HttpResponse};

/// Sends requests to providers.
pub trait Http: Send + Sync {
    /// Sends one request and reads the whole answer. Never follows a redirect.
    fn send(&self, request: HttpRequest) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + '_>>;

    /// The way that its requests take, for the diagnosis.
    fn network(&self) -> Network {
        Network::default()
    }
}

/// No usable answer came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The connection could not be made; the text names the host and the cause.
    #[error("{0}")]
    Connect(String),
    /// TLS failed: unknown authority, expired, wrong host...; the text names the host and the cause.
    #[error("{0}")]
    Tls(String),
    /// The request went out, and no answer came within the limit: the provider may have acted on it.
    #[error("{host} did not answer within {} s", .limit.as_secs())]
    Timeout {
        /// Host of the request.
        host: String,
        /// The limit.
        limit: Duration,
    },
    /// The connection broke after the request was sent: the provider may have acted on it.
    #[error("{0}")]
    Interrupted(String),
    /// Too many exchanges with this provider are under way and waiting; nothing was sent.
    #[error("{host} has {limit} exchanges under way and more waiting")]
    Busy {
        /// Host of the request.
        host: String,
        /// Exchanges at once.
        limit: usize,
        /// The name of the limit.
        name: &'static str,
    },
    /// The answer is larger than the limit.
    #[error("{host} answered with more than {limit} bytes")]
    TooLarge {
        /// Host of the request.
        host: String,
        /// The limit in bytes.
        limit: usize,
    },
    /// The answer is not UTF-8 text.
    #[error("{0} answered with bytes that are not text")]
    NotText(String),
}
