//! The workflow behind an agent execution: it has the agent-runner do the work, and sees to it that
//! the execution ends and that whoever waits for it hears of it.

use std::{pin::pin, time::Duration};

use futures::future::{Either, select};
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
    activities::AgentExecutionActivities,
    callback::{CallbackActivities, Completion, Outcome, callback_token},
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
        let caller = Caller::of(&execution);
        let execution_id = execution.metadata.clone().unwrap_or_default().id;
        let task_queue = match ctx.memo().get::<String>(MEMO_ACTIVITY_TASK_QUEUE)? {
            Some(queue) => queue,
            None => AGENT_EXECUTION_RUNNER.default.to_owned(),
        };

        let ran = call_runner(ctx, execution, &task_queue, caller.as_ref()).await;
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
        if let Some(caller) = caller {
            let outcome = match &written {
                Ok(outcome) => outcome.clone(),
                Err(error) => Outcome::Failed(format!(
                    "the end of the agent execution was not stored: {error}"
                )),
            };
            caller.tell(ctx, outcome).await?;
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
    caller: Option<&Caller>,
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
    let work = ctx.cancellation_token().child_token();
    let mut options = ExecuteAgent::options(task_queue);
    options.cancellation_token = Some(work.clone());
    let arguments = MultiArgs2(Proto(execution), thread_id);
    let call = ctx.execute_activity(ExecuteAgent, arguments, options);
    let result = match caller {
        None => call.await,
        Some(caller) => caller.while_waiting(ctx, &work, call).await,
    };
    match result {
        Ok(Proto(status)) => Ok(status),
        Err(error) => Err(Broken::new(ctx, &ExecuteAgent::callee(task_queue), &error)),
    }
}

/// The activity that waits for the execution.
struct Caller {
    token: String,
}

impl Caller {
    fn of(execution: &AgentExecution) -> Option<Self> {
        let token = &execution.spec.as_ref()?.callback_token;
        (!token.is_empty()).then(|| Self {
            token: callback_token(token),
        })
    }

    /// Waits for `call`, which is cancelled by `work` once the caller does not wait any more: its
    /// workflow was cancelled, or gave up.
    async fn while_waiting<T>(
        &self,
        ctx: &WorkflowContext<RunAgentExecution>,
        work: &WorkflowCancellationToken,
        call: impl Future<Output = T>,
    ) -> T {
        let attending = ctx.cancellation_token().child_token();
        // As long as the call; an attempt that is lost with its worker is soon followed by the next.
        let options = ActivityOptions::with_start_to_close_timeout(calls::LONGEST_AGENT)
            .heartbeat_timeout(Duration::from_secs(10))
            .cancellation_token(attending.clone())
            .build();
        let attended = ctx.execute_activity(
            CallbackActivities::attend_external_activity,
            self.token.clone(),
            options,
        );
        let (mut call, mut attended) = (pin!(call), pin!(attended));
        match select(&mut call, &mut attended).await {
            Either::Left((result, _)) => {
                attending.cancel();
                // At once: a request to cancel is not waited for.
                let _ = attended.await;
                result
            }
            Either::Right((Ok(()), _)) => {
                work.cancel_with_reason("nobody waits for the agent any more");
                call.await
            }
            // Whether anybody waits cannot be told; the agent goes on.
            Either::Right((Err(_), _)) => call.await,
        }
    }

    /// Tells how the execution ended.
    async fn tell(
        self,
        ctx: &WorkflowContext<RunAgentExecution>,
        outcome: Outcome,
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
            CallbackActivities::complete_external_activity,
            Completion::new(self.token, outcome),
            options,
        )
        .await
    }
}
