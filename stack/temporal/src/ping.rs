//! Proof that a task queue does work: a workflow that answers, and an activity that answers.

use std::time::Duration;

use stigmer_api::temporal_names::{self, MEMO_ACTIVITY_TASK_QUEUE};
use temporalio_client::{
    Client, UntypedWorkflow, WorkflowGetResultOptions, errors::WorkflowGetResultError,
};
use temporalio_common::RetryPolicy;
use temporalio_macros::{activities, workflow, workflow_methods};
use temporalio_sdk::{
    ActivityOptions, WorkflowContext, WorkflowResult,
    activities::{ActivityContext, ActivityError},
};
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use crate::{Arguments, Start, StartError, error_text, start_workflow};

const PONG: &str = "pong";

/// The workflow `stigmer/system/ping`. With the memo `activityTaskQueue` it first runs the
/// activity of the same name on that queue; it returns `"pong"`.
#[workflow]
#[derive(Default)]
pub struct Ping;

#[workflow_methods]
impl Ping {
    /// Answers.
    #[run(name = temporal_names::workflow::PING)]
    pub async fn run(ctx: &mut WorkflowContext<Self>) -> WorkflowResult<String> {
        let Some(queue) = ctx.memo().get::<String>(MEMO_ACTIVITY_TASK_QUEUE)? else {
            return Ok(PONG.to_owned());
        };
        let options = ActivityOptions::with_start_to_close_timeout(Duration::from_secs(5))
            .schedule_to_start_timeout(Duration::from_secs(10))
            .retry_policy(RetryPolicy::builder().maximum_attempts(1).build())
            .task_queue(queue)
            .build();
        Ok(ctx
            .execute_activity(PingActivities::ping, (), options)
            .await?)
    }
}

/// The activity `stigmer/system/ping`, for the workers of runners.
pub struct PingActivities;

#[activities]
impl PingActivities {
    /// Answers.
    #[activity(name = temporal_names::activity::PING)]
    pub async fn ping(_ctx: ActivityContext) -> Result<String, ActivityError> {
        Ok(PONG.to_owned())
    }
}

/// A queue did not answer.
#[derive(Debug, thiserror::Error)]
pub enum PingError {
    /// The ping was not started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The ping ended without its answer.
    #[error("the ping through {queues} failed: {cause}")]
    Failed {
        /// The queues it went through.
        queues: String,
        /// How it ended.
        cause: String,
    },
    /// No worker answered in time.
    #[error("no answer from {queues} within {seconds:.1} s; is a worker polling there?")]
    TimedOut {
        /// The queues it went through.
        queues: String,
        /// The time that was allowed.
        seconds: f64,
    },
}

/// Sends one ping through a server-side queue and, when `activity_queue` is given, on to a runner's
/// queue, and waits for the answer no longer than `deadline`.
pub async fn ping(
    client: &Client,
    workflow_queue: &str,
    activity_queue: Option<&str>,
    deadline: Duration,
) -> Result<(), PingError> {
    let end = Instant::now() + deadline;
    let queues = [Some(workflow_queue), activity_queue]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" and ");
    let workflow_id = format!(
        "{}/{workflow_queue}/{}",
        temporal_names::workflow::PING,
        Uuid::new_v4()
    );
    let memo = activity_queue.map(|queue| (MEMO_ACTIVITY_TASK_QUEUE, queue));
    start_workflow(
        client,
        Start {
            workflow_type: temporal_names::workflow::PING,
            workflow_id: &workflow_id,
            task_queue: workflow_queue,
            arguments: Arguments::none(),
            memo: memo.as_slice(),
            // Temporal counts in whole seconds here; a ping nobody waits for any more ends by itself.
            run_timeout: deadline.max(Duration::from_secs(1)),
            deadline,
            // It is to prove that the queue is polled.
            eager: false,
        },
    )
    .await?;
    let handle = client.get_workflow_handle::<UntypedWorkflow>(&workflow_id);
    match timeout_at(end, handle.get_result(WorkflowGetResultOptions::default())).await {
        Ok(Ok(_)) => Ok(()),
        Err(_) | Ok(Err(WorkflowGetResultError::TimedOut)) => Err(PingError::TimedOut {
            queues,
            seconds: deadline.as_secs_f64(),
        }),
        Ok(Err(error)) => Err(PingError::Failed {
            queues,
            cause: error_text::chain(&error),
        }),
    }
}
