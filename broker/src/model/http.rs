//! Requests to a provider and its answers as values, so that flows stay free of input and output. Bodies are secret: they
//! carry codes and tokens.

use token_broker_proto::Secret;

/// A request that a flow wants sent.
pub type HttpRequest = http::Request<Secret>;

/// The answer to it; the body is UTF-8 text within the size limit of the port.
pub type HttpResponse = http::Response<Secret>;
