//! Starting and following the workflows of executions.

use std::time::Duration;

use stigmer_api::{
    temporal_names::{MEMO_ACTIVITY_TASK_QUEUE, workflow},
    workflow::{WorkflowSpec, serverless::ServerlessWorkflowValidation},
};
use stigmer_temporal::{Arguments, Client, Proto, Start, StartError, ping, start_workflow};
use temporalio_client::{
    RetryOptions, RpcOptions, UntypedWorkflow, WorkflowCancelOptions, WorkflowDescribeOptions,
    WorkflowExecutionStatus, WorkflowGetResultOptions, WorkflowHandle,
    errors::{WorkflowGetResultError, WorkflowInteractionError},
};
use temporalio_common::{data_converters::PayloadConverter, error::IncomingError};
use tokio::time::timeout;
use uuid::Uuid;

use super::{
    agent_execution, ending,
    queues::{QueuePair, TaskQueues},
    validation, workflow_execution,
};
use crate::executions::{
    Execution, Gone, Job, LookupError, Orchestrator, RunState, StartFailure, ValidationFailure,
};

/// How long a caller waits for a workflow to start while Temporal struggles.
const START_DEADLINE: Duration = Duration::from_secs(10);

/// How long a caller waits for a validation to end: a little longer than it may take.
const VALIDATION_DEADLINE: Duration = Duration::from_secs(validation::RUN_TIMEOUT.as_secs() + 1);

/// How long one look-up may take.
const LOOKUP_DEADLINE: Duration = Duration::from_secs(5);

/// What Temporal says of an argument that it does not take.
const TOO_LARGE: &str = "Blob data size exceeds limit";

/// Temporal, through one connection.
pub(super) struct Starter {
    pub(super) client: Client,
    pub(super) queues: TaskQueues,
}

#[tonic::async_trait]
impl Orchestrator for Starter {
    async fn start(&self, job: Job) -> Result<(), StartFailure> {
        match job {
            Job::Agent(execution) => {
                self.start_execution(AGENT, &self.queues.agent_execution, execution)
                    .await
            }
            Job::Workflow(execution) => {
                self.start_execution(WORKFLOW, &self.queues.workflow_execution, execution)
                    .await
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

    async fn cancel(&self, workflow_id: &str, reason: &str) -> Result<(), LookupError> {
        let options = WorkflowCancelOptions::builder()
            .reason(reason.to_owned())
            .rpc_options(once())
            .build();
        match self.workflow(workflow_id).cancel(options).await {
            Ok(()) | Err(WorkflowInteractionError::NotFound(_)) => Ok(()),
            Err(error) => Err(LookupError(error.to_string())),
        }
    }

    async fn ping(&self, queue: &str) -> Result<(), LookupError> {
        let own = self.queues.polled();
        let (through, on) = match own.iter().find(|own| *own == queue) {
            Some(own) => (own, None),
            None => (&self.queues.agent_execution.server, Some(queue)),
        };
        ping(&self.client, through, on, LOOKUP_DEADLINE)
            .await
            .map_err(|error| LookupError(error.to_string()))
    }

    async fn validate(
        &self,
        spec: WorkflowSpec,
    ) -> Result<ServerlessWorkflowValidation, ValidationFailure> {
        let workflow_id = format!("stigmer/workflow-validation/{}", Uuid::new_v4());
        let QueuePair { server, runner } = &self.queues.workflow_validation;
        let arguments = Arguments::none()
            .with(&Proto(spec))
            .map_err(|error| ValidationFailure::Failed(error.to_string()))?;
        let start = Start {
            workflow_type: workflow::VALIDATE_WORKFLOW,
            workflow_id: &workflow_id,
            task_queue: server,
            arguments,
            memo: &[(MEMO_ACTIVITY_TASK_QUEUE, runner)],
            run_timeout: validation::RUN_TIMEOUT,
            deadline: START_DEADLINE,
            eager: true,
        };
        if let Err(failure) = self.start_once(start).await {
            return Err(match failure {
                StartFailure::Refused(cause) => ValidationFailure::Failed(cause),
                StartFailure::TooLarge(cause) => ValidationFailure::TooLarge(cause),
                StartFailure::Unknown(cause) => ValidationFailure::Unavailable(cause),
            });
        }
        let handle = self.workflow(&workflow_id);
        let result = handle.get_result(WorkflowGetResultOptions::default());
        let validation = timeout(VALIDATION_DEADLINE, result)
            .await
            .map_err(|_| {
                ValidationFailure::Unavailable(format!(
                    "Temporal gave no answer within {} s",
                    VALIDATION_DEADLINE.as_secs()
                ))
            })?
            .map_err(|error| validation_failure(&error))?;
        ending::read::<Proto<ServerlessWorkflowValidation>>(
            &PayloadConverter::default(),
            validation,
        )
        .map(|proto| proto.0)
        .map_err(|error| ValidationFailure::Failed(error.to_string()))
    }
}

/// What differs between the workflows of executions.
struct Kind {
    workflow_type: &'static str,
    run_timeout: Duration,
}

const AGENT: Kind = Kind {
    workflow_type: workflow::AGENT_EXECUTION,
    run_timeout: agent_execution::RUN_TIMEOUT,
};

const WORKFLOW: Kind = Kind {
    workflow_type: workflow::WORKFLOW_EXECUTION,
    run_timeout: workflow_execution::RUN_TIMEOUT,
};

impl Starter {
    async fn start_execution<E: Execution>(
        &self,
        kind: Kind,
        queues: &QueuePair,
        execution: E,
    ) -> Result<(), StartFailure> {
        let workflow_id = E::workflow_id(execution.id());
        let arguments = Arguments::none()
            .with(&Proto(execution))
            .map_err(|error| StartFailure::Refused(error.to_string()))?;
        let start = Start {
            workflow_type: kind.workflow_type,
            workflow_id: &workflow_id,
            task_queue: &queues.server,
            arguments,
            memo: &[(MEMO_ACTIVITY_TASK_QUEUE, &queues.runner)],
            run_timeout: kind.run_timeout,
            deadline: START_DEADLINE,
            eager: true,
        };
        self.start_once(start).await
    }

    /// Starts a workflow. One that was started before is fine.
    async fn start_once(&self, start: Start<'_>) -> Result<(), StartFailure> {
        match start_workflow(&self.client, start).await {
            Ok(_) | Err(StartError::AlreadyStarted { .. }) => Ok(()),
            // Temporal knows its limits; it tells of this one in words only.
            Err(StartError::Refused { cause, .. }) if cause.contains(TOO_LARGE) => {
                let what = "this is larger than Temporal takes (2 MiB unless configured otherwise); shorten it";
                Err(StartFailure::TooLarge(what.to_owned()))
            }
            Err(error @ StartError::Refused { .. }) => {
                Err(StartFailure::Refused(error.to_string()))
            }
            Err(error @ StartError::Unavailable { .. }) => {
                Err(StartFailure::Unknown(error.to_string()))
            }
        }
    }

    fn workflow(&self, workflow_id: &str) -> WorkflowHandle<Client, UntypedWorkflow> {
        self.client.get_workflow_handle(workflow_id)
    }
}

fn validation_failure(error: &WorkflowGetResultError) -> ValidationFailure {
    match error {
        WorkflowGetResultError::Failed(failure) => {
            let cause = failure.failure().message.clone();
            let no_worker = matches!(failure.as_ref(), IncomingError::Application(failure)
                if failure.type_name() == Some(validation::NO_WORKER));
            match no_worker {
                true => ValidationFailure::Unavailable(cause),
                false => ValidationFailure::Failed(cause),
            }
        }
        WorkflowGetResultError::Rpc(status) => ValidationFailure::Unavailable(format!(
            "Temporal does not answer: {}",
            status.message()
        )),
        WorkflowGetResultError::TimedOut => {
            ValidationFailure::Unavailable("the validation took too long".to_owned())
        }
        other => ValidationFailure::Failed(other.to_string()),
    }
}

/// One attempt within a deadline: what does not work now is tried at the next sweep.
fn once() -> RpcOptions {
    RpcOptions::builder()
        .timeout(LOOKUP_DEADLINE)
        .retry_options(RetryOptions::no_retries())
        .build()
}
