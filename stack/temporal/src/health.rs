//! Whether Temporal does its work.

use std::time::{Duration, Instant};

use backon::{ExponentialBuilder, Retryable};
use temporalio_client::{Client, NamespacedClient};
use temporalio_common::protos::{
    grpc::health::v1::{HealthCheckRequest, health_check_response::ServingStatus},
    temporal::api::workflowservice::v1::DescribeNamespaceRequest,
};
use tokio::time::timeout;
use tonic::{Code, IntoRequest};

use crate::error_text;

const LIMIT: Duration = Duration::from_secs(5);
const FRONTEND: &str = "temporal.api.workflowservice.v1.WorkflowService";

/// Temporal answers, but not as it should, or not at all.
#[derive(Debug, thiserror::Error)]
pub enum HealthError {
    /// The frontend says that it does not serve, or does not answer the question.
    #[error("the Temporal frontend is not serving: {0}")]
    NotServing(String),
    /// The namespace does not exist.
    #[error(
        "Temporal has no namespace {0:?}; create it (temporal operator namespace create {0}) or correct TEMPORAL_NAMESPACE"
    )]
    NoNamespace(String),
    /// The namespace cannot be looked up.
    #[error("failed to look up namespace {namespace:?}: {cause}")]
    Namespace {
        /// The namespace.
        namespace: String,
        /// What was answered.
        cause: String,
    },
    /// No answer in time.
    #[error("Temporal did not answer its health check within 5 s")]
    TimedOut,
}

/// Asks once, within 5 s: is the frontend SERVING, and does the client's namespace exist?
pub async fn check_health(client: &Client) -> Result<(), HealthError> {
    timeout(LIMIT, async {
        serving(client).await?;
        namespace_exists(client).await
    })
    .await
    .map_err(|_| HealthError::TimedOut)?
}

/// Asks again, from every 10 ms up to every 200 ms, until Temporal is healthy: one that just started
/// answers before it serves. It may be away or not serve for as long as `outage`, and not know its
/// namespace for as long as `namespace`. The error is that of the last answer.
pub async fn until_healthy(
    client: &Client,
    outage: Duration,
    namespace: Duration,
) -> Result<(), HealthError> {
    let backoff = ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(10))
        .with_max_delay(Duration::from_millis(200))
        .with_total_delay(Some(outage))
        .without_max_times();
    let mut unknown_since = None;
    (|| check_health(client))
        .retry(backoff)
        .when(|error| match error {
            HealthError::NoNamespace(_) => {
                unknown_since.get_or_insert_with(Instant::now).elapsed() < namespace
            }
            _ => true,
        })
        .await
}

async fn serving(client: &Client) -> Result<(), HealthError> {
    // The services of the connection, unlike those of the client, do not retry by themselves.
    let answer = client
        .connection()
        .health_service()
        .check(
            HealthCheckRequest {
                service: FRONTEND.to_owned(),
            }
            .into_request(),
        )
        .await
        .map_err(|status| HealthError::NotServing(error_text::status(&status)))?
        .into_inner();
    match answer.status() {
        ServingStatus::Serving => Ok(()),
        other => Err(HealthError::NotServing(other.as_str_name().to_owned())),
    }
}

async fn namespace_exists(client: &Client) -> Result<(), HealthError> {
    let namespace = client.namespace();
    client
        .connection()
        .workflow_service()
        .describe_namespace(
            DescribeNamespaceRequest {
                namespace: namespace.clone(),
                ..Default::default()
            }
            .into_request(),
        )
        .await
        .map(drop)
        .map_err(|status| match status.code() {
            Code::NotFound => HealthError::NoNamespace(namespace),
            _ => HealthError::Namespace {
                namespace,
                cause: error_text::status(&status),
            },
        })
}
