//! `ExecuteWorkflow`: an execution from its record to its end.
//!
//! The tasks are run by a workflow of their own, so this activity only prepares, waits, and writes.
//! When it is run again, after its runner was lost, it finds that workflow and goes on waiting.

mod prepare;

use std::{sync::Arc, time::Duration};

use serde_json::Value as Json;
use stigmer_api::{
    Resource as _,
    json::to_struct,
    limits::WORKFLOW_EXECUTION,
    temporal_names::{activity, serverless_workflow_id, workflow::SERVERLESS_WORKFLOW},
    time::rfc3339_now,
    workflow_execution::{
        ExecutionPhase, WorkflowExecution, WorkflowExecutionStatus, WorkflowTask,
    },
};
use stigmer_runner::{Standing, heartbeats, standing};
use stigmer_temporal::{Arguments, Client, Proto, Start, StartError, start_workflow};
use temporalio_client::{
    UntypedWorkflow, WorkflowCancelOptions, WorkflowGetResultOptions,
    errors::WorkflowGetResultError,
};
use temporalio_common::{
    data_converters::{PayloadConverter, RawValue},
    error::IncomingError,
};
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::attend::{HEARTBEAT, retryable};
use crate::{
    backend::Backend,
    temporal::{WorkflowInput, WorkflowOutput, read_payload},
};

/// How long starting their workflow may take.
const START: Duration = Duration::from_secs(20);

/// How long a cancelled workflow has to end by itself.
const CANCEL: Duration = Duration::from_secs(10);

/// Between two attempts to wait, while Temporal cannot be reached.
const RECONNECT: Duration = Duration::from_millis(500);

/// The activity and what it works with.
pub struct ExecuteActivities {
    /// Where the workflow of the tasks is started.
    pub client: Client,
    /// The queue of that workflow.
    pub task_queue: String,
    /// The server.
    pub backend: Backend,
    /// Cancelled when the process ends.
    pub stopping: CancellationToken,
}

#[activities]
impl ExecuteActivities {
    /// Runs an execution and gives its last status, which is also written. A workflow that fails is a
    /// status, not a failure of this activity.
    #[activity(name = activity::EXECUTE_WORKFLOW)]
    pub async fn execute(
        self: Arc<Self>,
        ctx: ActivityContext,
        execution: Proto<WorkflowExecution>,
    ) -> Result<Proto<WorkflowExecutionStatus>, ActivityError> {
        let execution = execution.0;
        let id = execution.id().to_owned();
        tracing::info!(
            execution = id,
            attempt = ctx.info().attempt,
            "execution started"
        );
        let last = tokio::select! {
            last = self.run(&ctx, &execution) => last?,
            () = heartbeats(&ctx, HEARTBEAT) => unreachable!("heartbeats do not end"),
            // Whoever takes this activity next goes on waiting.
            () = self.stopping.cancelled() => return Err(retryable("the workflow-runner is stopping")),
        };
        let cancelled = last.phase() == ExecutionPhase::ExecutionCancelled;
        tracing::info!(
            execution = id,
            phase = last.phase().as_str_name(),
            error = last.error,
            "execution ended"
        );
        if cancelled {
            Err(ActivityError::cancelled())
        } else {
            Ok(Proto(last))
        }
    }
}

impl ExecuteActivities {
    /// Runs to the end and writes it.
    async fn run(
        &self,
        ctx: &ActivityContext,
        execution: &WorkflowExecution,
    ) -> Result<WorkflowExecutionStatus, ActivityError> {
        let id = execution.id();
        let workflow_id = serverless_workflow_id(id);
        let begun = execution.status.clone().unwrap_or_default().started_at;
        let begun = if begun.is_empty() {
            rfc3339_now()
        } else {
            begun
        };
        let beginning = WorkflowExecutionStatus {
            phase: ExecutionPhase::ExecutionInProgress as i32,
            started_at: begun.clone(),
            temporal_workflow_id: workflow_id.clone(),
            ..Default::default()
        };
        // The beginning and the documents do not depend on each other.
        let (told, prepared) = tokio::join!(
            self.backend.report_once(id, beginning),
            prepare::input(&self.backend, execution)
        );
        if let Err(error) = told {
            tracing::warn!(execution = id, %error, "the beginning is not reported");
        }
        let end = match prepared {
            Ok(input) => self.interpret(ctx, &workflow_id, input).await?,
            Err(cause) => End::failed(cause, Vec::new()),
        };
        let last = end.status(begun, workflow_id);
        self.backend
            .report(id, last.clone())
            .await
            .map_err(|error| retryable(&format!("the end is not reported: {error}")))?;
        Ok(last)
    }

    /// Starts the workflow of the tasks, unless it was before, and waits for its end.
    async fn interpret(
        &self,
        ctx: &ActivityContext,
        workflow_id: &str,
        input: WorkflowInput,
    ) -> Result<End, ActivityError> {
        let name = input.workflow_execution_id.clone();
        let arguments = Arguments::none()
            .with(&input)
            .map_err(|error| retryable(&error.to_string()))?;
        let start = Start {
            workflow_type: SERVERLESS_WORKFLOW,
            workflow_id,
            task_queue: &self.task_queue,
            arguments,
            memo: &[("WorkflowExecutionID", &name)],
            run_timeout: WORKFLOW_EXECUTION,
            deadline: START,
            eager: true,
        };
        match start_workflow(&self.client, start).await {
            Ok(_) | Err(StartError::AlreadyStarted { .. }) => {}
            Err(error @ StartError::Unavailable { .. }) => {
                return Err(retryable(&error.to_string()));
            }
            Err(error @ StartError::Refused { .. }) => {
                return Ok(End::failed(
                    format!("Failed to start workflow: {error}"),
                    Vec::new(),
                ));
            }
        }
        let waiting = self.outcome(workflow_id);
        tokio::pin!(waiting);
        tokio::select! {
            end = &mut waiting => return Ok(end),
            () = ctx.cancelled() => {}
        }
        if self.stopping.is_cancelled() {
            return Err(retryable("the workflow-runner is stopping"));
        }
        let standing = standing(ctx).await;
        if standing.map_err(|error| retryable(&error.to_string()))? == Standing::Superseded {
            return Err(retryable("another attempt has taken over"));
        }
        let handle = self
            .client
            .get_workflow_handle::<UntypedWorkflow>(workflow_id);
        let reason = WorkflowCancelOptions::builder()
            .reason("the execution was cancelled")
            .build();
        if let Err(error) = handle.cancel(reason).await {
            tracing::warn!(workflow_id, %error, "the workflow of the tasks cannot be cancelled");
        }
        match tokio::time::timeout(CANCEL, waiting).await {
            Ok(end) => Ok(end),
            Err(_) => Ok(End {
                phase: ExecutionPhase::ExecutionCancelled,
                ..End::failed("cancelled".to_owned(), Vec::new())
            }),
        }
    }

    /// How the workflow of the tasks ends. Waits as long as Temporal cannot be reached.
    async fn outcome(&self, workflow_id: &str) -> End {
        let handle = self
            .client
            .get_workflow_handle::<UntypedWorkflow>(workflow_id);
        loop {
            match handle.get_result(WorkflowGetResultOptions::default()).await {
                Ok(output) => return End::of_output(output),
                Err(WorkflowGetResultError::Failed(error)) => return End::of_failure(&error),
                Err(WorkflowGetResultError::Cancelled { details }) => {
                    let tasks = details
                        .deserialize::<Json>()
                        .map(|details| tasks_in(&details))
                        .unwrap_or_default();
                    return End {
                        phase: ExecutionPhase::ExecutionCancelled,
                        ..End::failed("cancelled".to_owned(), tasks)
                    };
                }
                Err(WorkflowGetResultError::TimedOut) => {
                    return End::failed(
                        format!(
                            "it took longer than {} hours",
                            WORKFLOW_EXECUTION.as_secs() / 3600
                        ),
                        Vec::new(),
                    );
                }
                Err(WorkflowGetResultError::Rpc(status)) => {
                    tracing::warn!(workflow_id, code = ?status.code(), "Temporal cannot be asked how the workflow stands");
                    sleep(RECONNECT).await;
                }
                Err(other) => return End::failed(other.to_string(), Vec::new()),
            }
        }
    }
}

/// How the workflow of the tasks ended.
struct End {
    phase: ExecutionPhase,
    output: Option<Json>,
    error: String,
    tasks: Vec<WorkflowTask>,
}

impl End {
    fn failed(error: String, tasks: Vec<WorkflowTask>) -> Self {
        Self {
            phase: ExecutionPhase::ExecutionFailed,
            output: None,
            error,
            tasks,
        }
    }

    fn of_output(output: RawValue) -> Self {
        match read_payload::<WorkflowOutput>(&PayloadConverter::default(), output) {
            Ok(output) => Self {
                phase: ExecutionPhase::ExecutionCompleted,
                output: Some(output.result),
                error: String::new(),
                tasks: output.tasks.0,
            },
            Err(error) => Self::failed(
                format!("the workflow's result cannot be read: {error}"),
                Vec::new(),
            ),
        }
    }

    fn of_failure(error: &IncomingError) -> Self {
        let message = &error.failure().message;
        let tasks = match error {
            IncomingError::Application(failure) => failure
                .details::<Json>()
                .ok()
                .flatten()
                .map(|details| tasks_in(&details))
                .unwrap_or_default(),
            _ => Vec::new(),
        };
        Self::failed(format!("Workflow execution failed: {message}"), tasks)
    }

    fn status(self, started_at: String, temporal_workflow_id: String) -> WorkflowExecutionStatus {
        let output = self.output.map(|output| match output {
            Json::Object(output) => to_struct(output),
            Json::Null => to_struct(serde_json::Map::new()),
            other => to_struct([("result".to_owned(), other)].into_iter().collect()),
        });
        WorkflowExecutionStatus {
            phase: self.phase as i32,
            tasks: self.tasks,
            output,
            error: self.error,
            started_at,
            completed_at: rfc3339_now(),
            temporal_workflow_id,
            ..Default::default()
        }
    }
}

fn tasks_in(details: &Json) -> Vec<WorkflowTask> {
    let records = details["tasks"].as_array();
    records
        .into_iter()
        .flatten()
        .filter_map(|record| stigmer_api::json::from_json(record).ok())
        .collect()
}
