//! Readiness that means something: a ready file of the right process, and a health service that
//! says SERVING.

use camino::Utf8Path;
use stigmer_process::Ready;
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::harness::with_causes;

/// What the ready file says, or why it says nothing yet.
pub(super) fn read(path: &Utf8Path) -> Result<Ready, String> {
    let text = std::fs::read(path).map_err(|error| format!("no ready file yet ({error})"))?;
    serde_json::from_slice(&text).map_err(|error| format!("{path} is no ready file: {error}"))
}

/// Whether the server at `address` says SERVING for itself and, if asked, for its Temporal workers.
pub(super) async fn serves(address: &str, with_temporal: bool) -> Result<(), String> {
    let endpoint =
        Endpoint::from_shared(format!("http://{address}")).map_err(|error| error.to_string())?;
    let channel = endpoint
        .connect()
        .await
        .map_err(|error| with_causes(&error))?;
    let mut client = HealthClient::new(channel);
    for service in std::iter::once("").chain(with_temporal.then_some("temporal")) {
        let status = health(&mut client, service).await?;
        if status != ServingStatus::Serving {
            return Err(format!("health of {service:?} is {}", status.as_str_name()));
        }
    }
    Ok(())
}

async fn health(
    client: &mut HealthClient<Channel>,
    service: &str,
) -> Result<ServingStatus, String> {
    let answer = client
        .check(HealthCheckRequest {
            service: service.to_owned(),
        })
        .await;
    answer
        .map(|response| response.into_inner().status())
        .map_err(|status| status.to_string())
}
