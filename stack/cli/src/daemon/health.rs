//! The gRPC health protocol, asked of the server and of Temporal.

use std::time::Duration;

use stigmer_supervise::Readiness;
use tokio::time::timeout;
use tonic::{
    Code,
    transport::{Channel, Endpoint},
};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::api::reason;

/// The health service of a Temporal frontend.
pub const TEMPORAL_FRONTEND: &str = "temporal.api.workflowservice.v1.WorkflowService";
/// The health service of a server's connection to Temporal.
pub const SERVERS_TEMPORAL: &str = "temporal";

/// The health service of a task queue: SERVING when a ping passed through it.
pub fn queue(name: &str) -> String {
    format!("queue/{name}")
}

/// Something that answers health checks.
#[derive(Clone, Debug)]
pub struct Health {
    address: String,
    client: HealthClient<Channel>,
    limit: Duration,
}

impl Health {
    /// Connects to `address` (`host:port`). Each answer, and the connection, may take `limit`.
    pub async fn of(address: &str, limit: Duration) -> Result<Self, String> {
        let connect = async {
            let endpoint = Endpoint::from_shared(format!("http://{address}"))
                .map_err(|error| error.to_string())?;
            let endpoint = endpoint.tcp_nodelay(true);
            let channel = endpoint.connect().await.map_err(|error| cause(&error))?;
            Ok(HealthClient::new(channel))
        };
        let client = timeout(limit, connect)
            .await
            .map_err(|_| format!("no connection within {limit:?}"))
            .flatten()
            .map_err(|cause: String| format!("{address}: {cause}"))?;
        Ok(Self {
            address: address.to_owned(),
            client,
            limit,
        })
    }

    /// Whether `service` says SERVING; if not, what it says.
    pub async fn serves(&mut self, service: &str) -> Result<(), String> {
        match self.check(service).await? {
            Some(ServingStatus::Serving) => Ok(()),
            Some(status) => Err(self.told(service, status.as_str_name())),
            None => Err(self.told(service, "that there is no such service")),
        }
    }

    /// The same, but a service that is not known counts as one that cannot be asked.
    pub async fn serves_if_known(&mut self, service: &str) -> Result<(), String> {
        match self.check(service).await? {
            Some(ServingStatus::Serving) | None => Ok(()),
            Some(status) => Err(self.told(service, status.as_str_name())),
        }
    }

    async fn check(&mut self, service: &str) -> Result<Option<ServingStatus>, String> {
        let request = HealthCheckRequest {
            service: service.to_owned(),
        };
        match timeout(self.limit, self.client.check(request)).await {
            Ok(Ok(answer)) => Ok(Some(answer.into_inner().status())),
            Ok(Err(status)) if status.code() == Code::NotFound => Ok(None),
            Ok(Err(status)) => Err(format!("{}: {}", self.address, reason(&status))),
            Err(_) => Err(format!(
                "{} gave no answer within {:?}",
                self.address, self.limit
            )),
        }
    }

    fn told(&self, service: &str, what: &str) -> String {
        let of = match service {
            "" => String::new(),
            service => format!(" for {service}"),
        };
        format!("{} says {what}{of}", self.address)
    }
}

/// One question, as a probe.
pub async fn probe(address: &str, service: &str, limit: Duration) -> Readiness {
    let ask = async { Health::of(address, limit).await?.serves(service).await };
    readiness(ask.await)
}

/// An outcome as a probe's.
pub fn readiness(outcome: Result<(), String>) -> Readiness {
    outcome.map_or_else(Readiness::NotYet, |()| Readiness::Ready)
}

fn cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
