//! Requests to a provider and its answers as values, so that flows stay free of input and output. Bodies are secret: they
//! carry codes and tokens.

use token_broker_proto::Secret;

/// A request that a flow wants sent.
pub type HttpRequest = http::Request<Secret>;

/// The answer to it; the body is UTF-8 text within the size limit of the port.
pub type HttpResponse = http::Response<Secret>;

/// How a request reaches its host, where that is not the usual way; rides along as an extension of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// An endpoint of the machine itself or of its host: by no proxy.
    Machine,
    /// The same, over TLS with the one server whose certificate has this SHA-1 thumbprint, whoever signed it.
    Pinned([u8; 20]),
}
