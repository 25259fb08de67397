//! The API on the wire: services, codes, limits, and a log line for each call.

mod adapter;
mod answer;
mod around;
mod log;
mod queue_health;
mod services;

#[cfg(test)]
mod tests;

use std::future::Future;

use anyhow::Context as _;
use stigmer_api::DESCRIPTOR_SET;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::transport::{self, Server, server::TcpIncoming};
use tonic_health::{pb::health_server::HealthServer, server::HealthReporter};

use crate::state::State;
use answer::WireStatus;
use around::AroundLayer;
use log::CallLog;
use queue_health::QueueHealth;

/// Serves the API, health, and reflection on `listener`, until `stopping` is cancelled and the calls
/// in flight are answered.
pub fn serve(
    state: State,
    health: HealthReporter,
    listener: TcpListener,
    stopping: CancellationToken,
) -> anyhow::Result<impl Future<Output = Result<(), transport::Error>> + Send + 'static> {
    let health = HealthServer::new(QueueHealth::new(health, state.connection()));
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let broken = "the descriptors of the contract are not fit for reflection";
    Ok(Server::builder()
        .layer(AroundLayer(CallLog))
        .layer(AroundLayer(WireStatus))
        .add_routes(services::routes(state))
        .add_service(health)
        .add_service(reflection().build_v1().context(broken)?)
        .add_service(reflection().build_v1alpha().context(broken)?)
        .serve_with_incoming_shutdown(
            TcpIncoming::from(listener).with_nodelay(Some(true)),
            stopping.cancelled_owned(),
        ))
}
