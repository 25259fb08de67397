//! The health service, with one service more per task queue: `queue/<name>` is SERVING when a ping
//! passed through the queue just now.

use tonic::{Request, Response, Status};
use tonic_health::{
    ServingStatus,
    pb::{HealthCheckRequest, HealthCheckResponse, health_server::Health},
    server::{HealthReporter, HealthService},
};

use crate::state::Connection;

const QUEUE: &str = "queue/";

/// Health of the server and of the queues it works with.
pub struct QueueHealth {
    own: HealthService,
    connection: Connection,
}

impl QueueHealth {
    /// What `reporter` says, and pings through `connection`.
    pub fn new(reporter: HealthReporter, connection: Connection) -> Self {
        Self {
            own: HealthService::from_health_reporter(reporter),
            connection,
        }
    }

    async fn ping(&self, queue: &str) -> ServingStatus {
        // Cloned, so that the connection can be lost meanwhile.
        let temporal = self.connection.borrow().clone();
        let Some(temporal) = temporal else {
            return ServingStatus::NotServing;
        };
        match temporal.ping(queue).await {
            Ok(()) => ServingStatus::Serving,
            Err(error) => {
                tracing::info!(queue, %error, "a queue does no work");
                ServingStatus::NotServing
            }
        }
    }
}

#[tonic::async_trait]
impl Health for QueueHealth {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        match request.get_ref().service.strip_prefix(QUEUE) {
            None | Some("") => self.own.check(request).await,
            Some(queue) => {
                let status = self.ping(queue).await as i32;
                Ok(Response::new(HealthCheckResponse { status }))
            }
        }
    }

    type WatchStream = <HealthService as Health>::WatchStream;

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        self.own.watch(request).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::watch;

    use super::*;
    use crate::{executions::Orchestrator, testing::FakeTemporal};

    async fn status(health: &QueueHealth, service: &str) -> Result<i32, Status> {
        let request = Request::new(HealthCheckRequest {
            service: service.to_owned(),
        });
        health
            .check(request)
            .await
            .map(|answer| answer.into_inner().status)
    }

    const SERVING: i32 = ServingStatus::Serving as i32;
    const NOT_SERVING: i32 = ServingStatus::NotServing as i32;

    #[tokio::test]
    async fn a_queue_serves_while_a_worker_answers_and_temporal_is_connected() {
        let temporal = FakeTemporal::default();
        temporal.polls("runner");
        let temporal: Arc<dyn Orchestrator> = Arc::new(temporal);
        let (connected, connection) = watch::channel(Some(temporal));
        let health = QueueHealth::new(HealthReporter::new(), connection);
        assert_eq!(status(&health, "queue/runner").await.unwrap(), SERVING);
        assert_eq!(status(&health, "queue/nobody").await.unwrap(), NOT_SERVING);
        connected.send_replace(None);
        assert_eq!(status(&health, "queue/runner").await.unwrap(), NOT_SERVING);
    }

    #[tokio::test]
    async fn other_services_are_the_reporters() {
        let (_connected, connection) = watch::channel(None);
        let health = QueueHealth::new(HealthReporter::new(), connection);
        assert_eq!(status(&health, "").await.unwrap(), SERVING);
        for unknown in ["queue/", "nothing"] {
            let error = status(&health, unknown).await.unwrap_err();
            assert_eq!(error.code(), tonic::Code::NotFound, "{unknown}");
        }
    }
}
