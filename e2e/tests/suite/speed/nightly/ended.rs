//! When a subscriber sees the end of an execution.

use std::time::Instant;

use stigmer_api::agent_execution::ExecutionPhase;
use stigmer_e2e::harness::{Broken, CheckError, Environment};

use crate::then::Execution;

/// Follows an execution and tells when it was seen COMPLETED.
pub async fn seen<E: Execution>(env: &Environment, id: &str) -> Result<Instant, CheckError> {
    let mut watch = env.api().subscribe::<E>(id).await?;
    while let Some(snapshot) = watch.next().await? {
        if snapshot.resource.phase() == ExecutionPhase::ExecutionCompleted {
            return Ok(Instant::now());
        }
    }
    Err(Broken(format!(
        "the stream of {id} ended, and it was not COMPLETED"
    ))
    .into())
}
