//! The workflow behind an agent execution: it has the agent-runner do the work, and sees to it that
//! the execution ends and that whoever waits for it hears of it.

use std::time::Duration;

use stigmer_api::{
    agent_execution::{AgentExecution, AgentExecutionStatus},
    temporal_names::{self, AGENT_EXECUTION_RUNNER, MEMO_ACTIVITY_TASK_QUEUE},
};
use stigmer_temporal::Proto;
use temporalio_common::{
    RetryPolicy,
    data_converters::{MultiArgs2, RawValue},
    error::ActivityExecutionError,
};
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::{ActivityOptions, WorkflowCancellationToken, WorkflowContext, WorkflowResult};

use super::{
    activities::{AgentExecutionActivities, Completion, Outcome},
    calls::{self, EnsureThread, ExecuteAgent},
    ending::{self, Broken, WRITE_LIMIT},
};

/// How long telling a waiting activity may take, three attempts of a minute included.
const CALLBACK_LIMIT: Duration = Duration::from_secs(60 * 3 + 3);

/// When Temporal ends the workflow. No code runs then, so it comes after all that the workflow may
/// wait for itself.
pub const RUN_TIMEOUT: Duration = Duration::from_secs(
    calls::LONGEST_AGENT.as_secs() + WRITE_LIMIT.as_secs() + CALLBACK_LIMIT.as_secs() + 60,
);

/// `stigmer/agent-execution/invoke`.
#[workflow]
#[derive(Default)]
pub struct RunAgentExecution;

#[workflow_methods]
impl RunAgentExecution {
    /// Runs one execution to its end. Fails when the runner did not get to report one; an execution
    /// that the runner reports as FAILED is a success of the workflow.
    #[run(name = temporal_names::workflow::AGENT_EXECUTION)]
    pub async fn run(ctx: &mut WorkflowContext<Self>, input: RawValue) -> WorkflowResult<()> {
        let Proto(execution): Proto<AgentExecution> = ending::read(ctx.payload_converter(), input)?;
        let spec = execution.spec.clone().unwrap_or_default();
        let execution_id = execution.metadata.clone().unwrap_or_default().id;
        let task_queue = match ctx.memo().get::<String>(MEMO_ACTIVITY_TASK_QUEUE)? {
            Some(queue) => queue,
            None => AGENT_EXECUTION_RUNNER.default.to_owned(),
        };

        let ran = call_runner(ctx, execution, &task_queue).await;
        let (last, broken) = match ran {
            Ok(status) => (status, None),
            Err(broken) => (broken.status(), Some(broken)),
        };
        let written = ctx
            .execute_local_activity(
                AgentExecutionActivities::update_execution_status,
                (execution_id, Proto(last)),
                ending::write_options(),
            )
            .await;
        if !spec.callback_token.is_empty() {
            let outcome = match &written {
                Ok(outcome) => outcome.clone(),
                Err(error) => Outcome::Failed(format!(
                    "the end of the agent execution was not stored: {error}"
                )),
            };
            tell(ctx, Completion::new(&spec.callback_token, outcome)).await?;
        }
        written?;
        match broken {
            None => Ok(()),
            Some(broken) => Err(broken.termination()),
        }
    }
}

async fn call_runner(
    ctx: &WorkflowContext<RunAgentExecution>,
    execution: AgentExecution,
    task_queue: &str,
) -> Result<AgentExecutionStatus, Broken> {
    let spec = execution.spec.clone().unwrap_or_default();
    let thread_id = ctx
        .execute_activity(
            EnsureThread,
            MultiArgs2(spec.session_id, spec.agent_id),
            EnsureThread::options(task_queue),
        )
        .await
        .map_err(|error| Broken::new(ctx, &EnsureThread::callee(task_queue), &error))?;
    let status = ctx
        .execute_activity(
            ExecuteAgent,
            MultiArgs2(Proto(execution), thread_id),
            ExecuteAgent::options(task_queue),
        )
        .await
        .map_err(|error| Broken::new(ctx, &ExecuteAgent::callee(task_queue), &error))?;
    Ok(status.0)
}

async fn tell(
    ctx: &WorkflowContext<RunAgentExecution>,
    completion: Completion,
) -> Result<(), ActivityExecutionError> {
    let retry = RetryPolicy::builder()
        .initial_interval(Duration::from_secs(1))
        .maximum_attempts(3)
        .build();
    let options = ActivityOptions::with_start_to_close_timeout(Duration::from_secs(60))
        .retry_policy(retry)
        .cancellation_token(WorkflowCancellationToken::new())
        .build();
    ctx.execute_activity(
        AgentExecutionActivities::complete_external_activity,
        completion,
        options,
    )
    .await
}
