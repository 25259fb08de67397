//! Starting and following the workflows of executions.

use std::time::Duration;

use stigmer_api::{
    Resource as _,
    agent_execution::AgentExecution,
    temporal_names::{MEMO_ACTIVITY_TASK_QUEUE, workflow},
};
use stigmer_temporal::{Arguments, Client, Proto, Start, StartError, start_workflow};
use temporalio_client::{
    RetryOptions, RpcOptions, UntypedWorkflow, WorkflowDescribeOptions, WorkflowExecutionStatus,
    WorkflowHandle, WorkflowTerminateOptions, errors::WorkflowInteractionError,
};

use super::{connection::TaskQueues, workflow::RUN_TIMEOUT};
use crate::executions::{
    Execution as _, Gone, Job, LookupError, Orchestrator, RunState, StartFailure,
};

/// How long a caller waits for a workflow to start while Temporal struggles.
const START_DEADLINE: Duration = Duration::from_secs(10);

/// How long one look-up may take.
const LOOKUP_DEADLINE: Duration = Duration::from_secs(5);

/// Temporal, through one connection.
pub(super) struct Starter {
    pub(super) client: Client,
    pub(super) queues: TaskQueues,
}

#[tonic::async_trait]
impl Orchestrator for Starter {
    async fn start(&self, job: Job) -> Result<(), StartFailure> {
        let started = match job {
            Job::Agent(execution) => self.start_agent(execution).await?,
        };
        match started {
            Ok(_) | Err(StartError::AlreadyStarted { .. }) => Ok(()),
            Err(error @ StartError::Refused { .. }) => {
                Err(StartFailure::Refused(error.to_string()))
            }
            Err(error @ StartError::Unavailable { .. }) => {
                Err(StartFailure::Unknown(error.to_string()))
            }
        }
    }

    async fn state(&self, workflow_id: &str) -> Result<RunState, LookupError> {
        let options = WorkflowDescribeOptions::builder()
            .rpc_options(once())
            .build();
        let handle = self.workflow(workflow_id);
        let status = match handle.describe(options).await {
            Ok(description) => description.status(),
            Err(WorkflowInteractionError::NotFound(_)) => return Ok(RunState::Gone(Gone::Unknown)),
            Err(error) => return Err(LookupError(error.to_string())),
        };
        Ok(match status {
            WorkflowExecutionStatus::Completed | WorkflowExecutionStatus::Failed => {
                RunState::Gone(Gone::Closed)
            }
            WorkflowExecutionStatus::TimedOut => RunState::Gone(Gone::TimedOut),
            WorkflowExecutionStatus::Canceled | WorkflowExecutionStatus::Terminated => {
                RunState::Gone(Gone::Cancelled)
            }
            // Running, paused, or a status of a newer Temporal: not known to be over.
            _ => RunState::Running,
        })
    }

    async fn terminate(&self, workflow_id: &str, reason: &str) -> Result<(), LookupError> {
        let options = WorkflowTerminateOptions::builder()
            .reason(reason.to_owned())
            .rpc_options(once())
            .build();
        match self.workflow(workflow_id).terminate(options).await {
            Ok(()) | Err(WorkflowInteractionError::NotFound(_)) => Ok(()),
            Err(error) => Err(LookupError(error.to_string())),
        }
    }
}

impl Starter {
    async fn start_agent(
        &self,
        execution: AgentExecution,
    ) -> Result<Result<String, StartError>, StartFailure> {
        let workflow_id = AgentExecution::workflow_id(execution.id());
        let arguments = Arguments::none()
            .with(&Proto(execution))
            .map_err(|error| StartFailure::Refused(error.to_string()))?;
        let start = Start {
            workflow_type: workflow::AGENT_EXECUTION,
            workflow_id: &workflow_id,
            task_queue: &self.queues.agent_execution,
            arguments,
            memo: &[(MEMO_ACTIVITY_TASK_QUEUE, &self.queues.agent_runner)],
            run_timeout: RUN_TIMEOUT,
            deadline: START_DEADLINE,
        };
        Ok(start_workflow(&self.client, start).await)
    }

    fn workflow(&self, workflow_id: &str) -> WorkflowHandle<Client, UntypedWorkflow> {
        self.client.get_workflow_handle(workflow_id)
    }
}

/// One attempt within a deadline: what does not work now is tried at the next sweep.
fn once() -> RpcOptions {
    RpcOptions::builder()
        .timeout(LOOKUP_DEADLINE)
        .retry_options(RetryOptions::no_retries())
        .build()
}
