//! Starting a workflow by name.

use std::time::Duration;

use temporalio_client::{
    Client, RetryOptions, RpcOptions, UntypedWorkflow, WorkflowIdReusePolicy, WorkflowStartOptions,
    errors::WorkflowStartError,
};
use temporalio_common::MemoValues;
use tokio::time::timeout;
use tonic::Code;

use crate::{Arguments, error_text};

/// What to start.
#[derive(Clone, Debug)]
pub struct Start<'a> {
    /// The workflow type.
    pub workflow_type: &'a str,
    /// The workflow id. One id is run at most once, also after its run ended.
    pub workflow_id: &'a str,
    /// The task queue its worker polls.
    pub task_queue: &'a str,
    /// The arguments.
    pub arguments: Arguments,
    /// Texts attached to the run, by key.
    pub memo: &'a [(&'a str, &'a str)],
    /// How long the run may take before Temporal ends it.
    pub run_timeout: Duration,
    /// How long starting it may take, retries included.
    pub deadline: Duration,
    /// Whether a worker of the same client takes the first task along with Temporal's answer, which
    /// saves the way through the queue. Without such a worker it goes through the queue. When the
    /// process ends before the task is done, Temporal gives it to another after ten seconds.
    pub eager: bool,
}

/// The workflow was not started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A run with this id exists or existed.
    #[error("workflow {workflow_id} was already started (run {run_id})")]
    AlreadyStarted {
        /// The workflow id.
        workflow_id: String,
        /// The run that exists, or an empty text when Temporal did not tell.
        run_id: String,
    },
    /// Temporal cannot be reached, did not answer in time, or was lost on the way: whether it
    /// started the workflow is not known.
    #[error("failed to start workflow {workflow_id}: Temporal is unavailable: {cause}")]
    Unavailable {
        /// The workflow id.
        workflow_id: String,
        /// What the last attempt met.
        cause: String,
    },
    /// Temporal refused.
    #[error("failed to start workflow {workflow_id}: {cause}")]
    Refused {
        /// The workflow id.
        workflow_id: String,
        /// Why.
        cause: String,
    },
}

/// Whether Temporal answered that it does not want this. Every other code is also what a connection
/// that broke in the middle ends with.
fn is_refusal(code: Code) -> bool {
    matches!(
        code,
        Code::InvalidArgument
            | Code::NotFound
            | Code::AlreadyExists
            | Code::PermissionDenied
            | Code::ResourceExhausted
            | Code::Unauthenticated
            | Code::FailedPrecondition
            | Code::OutOfRange
            | Code::Unimplemented
    )
}

/// Starts a workflow and returns its run id. Transient errors are retried within the deadline.
pub async fn start_workflow(client: &Client, start: Start<'_>) -> Result<String, StartError> {
    let workflow_id = start.workflow_id.to_owned();
    let mut memo = MemoValues::new();
    for (key, text) in start.memo {
        memo.insert(*key, (*text).to_owned());
    }
    let retry = RetryOptions::builder()
        .initial_interval(Duration::from_millis(20))
        .max_interval(Duration::from_millis(500))
        .max_elapsed_time(Some(start.deadline))
        .build();
    let options = WorkflowStartOptions::new(start.task_queue, start.workflow_id)
        .id_reuse_policy(WorkflowIdReusePolicy::RejectDuplicate)
        .run_timeout(start.run_timeout)
        .enable_eager_workflow_start(start.eager)
        .memo(memo)
        .rpc_options(
            RpcOptions::builder()
                .timeout(start.deadline)
                .retry_options(retry)
                .build(),
        )
        .build();
    let started = client.start_workflow(
        UntypedWorkflow::new(start.workflow_type),
        start.arguments.into(),
        options,
    );
    match timeout(start.deadline, started).await {
        Ok(Ok(handle)) => Ok(handle.run_id().unwrap_or_default().to_owned()),
        Ok(Err(WorkflowStartError::AlreadyStarted { run_id, .. })) => {
            Err(StartError::AlreadyStarted {
                workflow_id,
                run_id: run_id.unwrap_or_default(),
            })
        }
        Ok(Err(WorkflowStartError::Rpc(status))) if !is_refusal(status.code()) => {
            Err(StartError::Unavailable {
                workflow_id,
                cause: error_text::status(&status),
            })
        }
        Ok(Err(WorkflowStartError::Rpc(status))) => Err(StartError::Refused {
            workflow_id,
            cause: error_text::status(&status),
        }),
        Ok(Err(other)) => Err(StartError::Refused {
            workflow_id,
            cause: other.to_string(),
        }),
        Err(_) => Err(StartError::Unavailable {
            workflow_id,
            cause: format!("no answer within {:.1} s", start.deadline.as_secs_f64()),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_broke_is_no_refusal() {
        for code in [
            Code::Unavailable,
            Code::DeadlineExceeded,
            Code::Unknown,
            Code::Internal,
            Code::Cancelled,
            Code::Aborted,
        ] {
            assert!(!is_refusal(code), "{code:?}");
        }
        assert!(is_refusal(Code::InvalidArgument));
        assert!(is_refusal(Code::NotFound));
    }
}
