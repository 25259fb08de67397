//! The workflow behind an agent execution: it has the runner do the work, and sees to it that the
//! execution ends and that whoever waits for it hears of it.

use std::time::Duration;

use stigmer_api::{
    agent_execution::{AgentExecution, AgentExecutionStatus},
    temporal_names::{self, AGENT_EXECUTION_RUNNER, MEMO_ACTIVITY_TASK_QUEUE, activity},
};
use stigmer_temporal::Proto;
use temporalio_common::{
    RetryPolicy,
    data_converters::{
        GenericPayloadConverter as _, MultiArgs2, PayloadConversionError, PayloadConverter,
        RawValue, SerializationContext, SerializationContextData,
    },
    error::{ActivityExecutionError, ApplicationFailure},
};
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::{
    ActivityOptions, LocalActivityOptions, WorkflowCancellationToken, WorkflowContext,
    WorkflowResult, WorkflowTermination,
};

use super::{
    activities::{Completion, Outcome, ServerActivities},
    calls::{self, EnsureThread, ExecuteAgent},
    failure,
};
use crate::executions::Phase;

/// How long writing the end may take, retries included.
const WRITE_LIMIT: Duration = Duration::from_secs(30);

/// How long telling a waiting activity may take, three attempts of a minute included.
const CALLBACK_LIMIT: Duration = Duration::from_secs(60 * 3 + 3);

/// When Temporal ends the workflow. No code runs then, so it comes after all that the workflow may
/// wait for itself.
pub const RUN_TIMEOUT: Duration = Duration::from_secs(
    calls::LONGEST.as_secs() + WRITE_LIMIT.as_secs() + CALLBACK_LIMIT.as_secs() + 60,
);

/// `stigmer/agent-execution/invoke`.
#[workflow]
#[derive(Default)]
pub struct RunAgentExecution;

/// The activity that failed, and why.
struct Broken {
    cause: String,
    cancelled: bool,
}

#[workflow_methods]
impl RunAgentExecution {
    /// Runs one execution to its end. Fails when the runner did not get to report one; an execution
    /// that the runner reports as FAILED is a success of the workflow.
    #[run(name = temporal_names::workflow::AGENT_EXECUTION)]
    pub async fn run(ctx: &mut WorkflowContext<Self>, input: RawValue) -> WorkflowResult<()> {
        // Read here and not by the SDK, which would try an unreadable input again for ever.
        let execution = read_execution(ctx.payload_converter(), input)?;
        let spec = execution.spec.clone().unwrap_or_default();
        let execution_id = execution.metadata.clone().unwrap_or_default().id;
        let task_queue = match ctx.memo().get::<String>(MEMO_ACTIVITY_TASK_QUEUE)? {
            Some(queue) => queue,
            None => AGENT_EXECUTION_RUNNER.default.to_owned(),
        };

        let ran = call_runner(ctx, execution, &task_queue).await;
        let (last, broken) = match ran {
            Ok(status) => (status, None),
            Err(broken) => (status_of(&broken), Some(broken)),
        };
        let written = write_end(ctx, execution_id, last).await;
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
            Some(Broken {
                cancelled: true, ..
            }) => Err(WorkflowTermination::cancelled()),
            Some(Broken { cause, .. }) => Err(ApplicationFailure::non_retryable(cause).into()),
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
            EnsureThread::options(task_queue.to_owned()),
        )
        .await
        .map_err(|error| Broken::new(activity::ENSURE_THREAD, task_queue, &error))?;
    let status = ctx
        .execute_activity(
            ExecuteAgent,
            MultiArgs2(Proto(execution), thread_id),
            ExecuteAgent::options(task_queue.to_owned()),
        )
        .await
        .map_err(|error| Broken::new(activity::EXECUTE_AGENT, task_queue, &error))?;
    Ok(status.0)
}

impl Broken {
    fn new(activity: &str, task_queue: &str, error: &ActivityExecutionError) -> Self {
        Self {
            cause: failure::describe(activity, task_queue, error),
            cancelled: error.as_cancelled().is_some(),
        }
    }
}

fn status_of(broken: &Broken) -> AgentExecutionStatus {
    let phase = if broken.cancelled {
        Phase::Cancelled
    } else {
        Phase::Failed
    };
    AgentExecutionStatus {
        phase: phase.number(),
        error: broken.cause.clone(),
        ..Default::default()
    }
}

/// Writes the end of the execution. Not cancelled with the workflow: a cancelled execution ends too.
async fn write_end(
    ctx: &WorkflowContext<RunAgentExecution>,
    execution_id: String,
    last: AgentExecutionStatus,
) -> Result<Outcome, ActivityExecutionError> {
    let retry = RetryPolicy::builder()
        .initial_interval(Duration::from_secs(2))
        .maximum_attempts(3)
        .build();
    let options = LocalActivityOptions::builder()
        .schedule_to_close_timeout(WRITE_LIMIT)
        .retry_policy(retry)
        .cancellation_token(WorkflowCancellationToken::new())
        .build();
    ctx.execute_local_activity(
        ServerActivities::update_execution_status,
        (execution_id, Proto(last)),
        options,
    )
    .await
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
        ServerActivities::complete_external_activity,
        completion,
        options,
    )
    .await
}

fn read_execution(
    converter: &PayloadConverter,
    input: RawValue,
) -> Result<AgentExecution, PayloadConversionError> {
    let context = SerializationContext::new(&SerializationContextData::None, converter);
    converter
        .from_payloads::<Proto<AgentExecution>>(&context, input.payloads)
        .map(|proto| proto.0)
}
