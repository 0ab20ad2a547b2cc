//! The faces of the daemon: gRPC on the owner's Unix socket. A face attests the caller, parses its wire, calls one verb of a
//! desk and maps the answer; it decides nothing.

mod broker_admin;
mod call;
mod connection;
mod failure;
mod import;
pub mod socket;
mod token_broker;
mod undecodable;
mod watch;
mod whole_request;

use std::sync::Arc;

use token_broker_proto::wire::{
    FILE_DESCRIPTOR_SET,
    v1::{broker_admin_server::BrokerAdminServer, token_broker_server::TokenBrokerServer},
};
use tokio::{net::UnixListener, task::JoinSet};
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;

use self::undecodable::Undecodable;
use crate::{access::Limits, acquire, admin, metrics::Metrics};

/// Largest request in bytes: a user assertion with many groups fits, nothing sensible is larger.
const MAX_REQUEST_BYTES: usize = 256 * 1024;
/// Most calls at once on one connection.
const MAX_STREAMS: u32 = 1024;

/// The desks behind the faces.
#[derive(Clone)]
pub struct Desks {
    /// Tokens and sign-in.
    pub acquire: Arc<acquire::Desk>,
    /// Applications, cache, health.
    pub admin: Arc<admin::Desk>,
}

/// Why the server ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The descriptors for reflection do not read back.
    #[error("server reflection could not be set up: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The transport failed.
    #[error("the gRPC server failed: {0}")]
    Transport(#[from] tonic::transport::Error),
}

/// Serves the owner's door until `stop`; then lets running calls finish.
pub async fn serve(
    listener: UnixListener,
    owner: u32,
    desks: Desks,
    limits: Limits,
    stop: CancellationToken,
) -> Result<(), ServeError> {
    let metrics = Arc::clone(desks.acquire.metrics());
    announce(&metrics, &limits);
    let (health, health_service) = tonic_health::server::health_reporter();
    let broker = TokenBrokerServer::new(token_broker::Face::new(Arc::clone(&desks.acquire)))
        .max_decoding_message_size(MAX_REQUEST_BYTES);
    let administration = BrokerAdminServer::new(broker_admin::Face::new(desks.admin, desks.acquire))
        .max_decoding_message_size(MAX_REQUEST_BYTES);
    health.set_serving::<TokenBrokerServer<token_broker::Face>>().await;
    health.set_serving::<BrokerAdminServer<broker_admin::Face>>().await;
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let mut accepting = JoinSet::new();
    let patience = limits.half_open;
    let connections = connection::accepted(listener, owner, &limits, &metrics, &mut accepting);
    Server::builder()
        .max_concurrent_streams(MAX_STREAMS)
        .add_service(Undecodable { service: broker, patience, metrics: Arc::clone(&metrics) })
        .add_service(Undecodable { service: administration, patience, metrics })
        .add_service(health_service)
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?)
        .serve_with_incoming_shutdown(connections, stop.cancelled_owned())
        .await?;
    Ok(())
}

/// The limits in force, for who watches the metrics.
fn announce(metrics: &Metrics, limits: &Limits) {
    for (limit, bound) in [
        ("connections", limits.connections),
        ("connections_per_process", limits.connections_per_process),
        ("waiting_calls", limits.waiting_calls),
        ("waiting_calls_per_answer", limits.waiting_calls_per_answer()),
        ("provider_exchanges", limits.provider_exchanges),
        ("streams_per_connection", usize::try_from(MAX_STREAMS).unwrap_or(usize::MAX)),
        ("request_bytes", MAX_REQUEST_BYTES),
    ] {
        metrics.limits.set(limit, bound);
    }
    metrics.limits.set(whole_request::LIMIT, usize::try_from(limits.half_open.as_secs()).unwrap_or(usize::MAX));
}
