//! Signals to workflows, by name.

use std::time::Duration;

use temporalio_client::{Client, UntypedSignal, UntypedWorkflow, WorkflowSignalOptions};
use tokio::time::timeout;

use crate::{Arguments, error_text};

/// How long Temporal may take to accept a signal.
const LIMIT: Duration = Duration::from_secs(10);

/// Temporal did not take a signal.
#[derive(Debug, thiserror::Error)]
#[error("failed to send signal {signal:?} to workflow {workflow_id}: {cause}")]
pub struct SignalError {
    /// The signal's name.
    pub signal: String,
    /// The workflow id.
    pub workflow_id: String,
    /// What was answered.
    pub cause: String,
}

/// Sends `signal` with `arguments` to the running run of a workflow.
///
/// # Errors
///
/// When no run with this id is running, or Temporal does not answer within 10 s.
pub async fn signal_workflow(
    client: &Client,
    workflow_id: &str,
    signal: &str,
    arguments: Arguments,
) -> Result<(), SignalError> {
    let handle = client.get_workflow_handle::<UntypedWorkflow>(workflow_id);
    let sent = handle.signal(
        UntypedSignal::new(signal),
        arguments.into(),
        WorkflowSignalOptions::default(),
    );
    let cause = match timeout(LIMIT, sent).await {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => error_text::chain(&error),
        Err(_) => format!("no answer within {} s", LIMIT.as_secs()),
    };
    Err(SignalError {
        signal: signal.to_owned(),
        workflow_id: workflow_id.to_owned(),
        cause,
    })
}
