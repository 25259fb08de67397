//! The activities of the agent-runner, as the workflow calls them.

use std::time::Duration;

use stigmer_api::{
    agent_execution::{AgentExecution, AgentExecutionStatus},
    temporal_names::activity,
};
use stigmer_temporal::Proto;
use temporalio_common::{ActivityDefinition, RetryPolicy, data_converters::MultiArgs2};
use temporalio_sdk::ActivityOptions;

/// How long an activity may wait for a worker of its queue.
pub(super) const SCHEDULE_TO_START: Duration = Duration::from_secs(60);
/// How often an agent at work must be heard of.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(30);

const ENSURE_THREAD_LIMIT: Duration = Duration::from_secs(30);
const ENSURE_THREAD_ATTEMPTS: u32 = 3;
const ENSURE_THREAD_BACKOFF: Duration = Duration::from_secs(5);
const EXECUTE_AGENT_LIMIT: Duration = Duration::from_secs(600);

/// How long both calls may take together, waits and retries included.
pub(super) const LONGEST: Duration = Duration::from_secs(
    (SCHEDULE_TO_START.as_secs() + ENSURE_THREAD_LIMIT.as_secs()) * ENSURE_THREAD_ATTEMPTS as u64
        // The waits between three attempts: one back-off, and twice that.
        + ENSURE_THREAD_BACKOFF.as_secs() * 3
        + SCHEDULE_TO_START.as_secs()
        + EXECUTE_AGENT_LIMIT.as_secs(),
);

/// `(session id, agent id) -> thread id`.
pub(super) struct EnsureThread;

impl ActivityDefinition for EnsureThread {
    type Input = MultiArgs2<String, String>;
    type Output = String;

    fn name(&self) -> &str {
        activity::ENSURE_THREAD
    }
}

impl EnsureThread {
    pub(super) fn options(task_queue: String) -> ActivityOptions {
        let retry = RetryPolicy::builder()
            .initial_interval(ENSURE_THREAD_BACKOFF)
            .backoff_coefficient(2.0)
            .maximum_attempts(ENSURE_THREAD_ATTEMPTS)
            .build();
        ActivityOptions::with_start_to_close_timeout(ENSURE_THREAD_LIMIT)
            .schedule_to_start_timeout(SCHEDULE_TO_START)
            .retry_policy(retry)
            .task_queue(task_queue)
            .build()
    }
}

/// `(AgentExecution, thread id) -> AgentExecutionStatus`.
pub(super) struct ExecuteAgent;

impl ActivityDefinition for ExecuteAgent {
    type Input = MultiArgs2<Proto<AgentExecution>, String>;
    type Output = Proto<AgentExecutionStatus>;

    fn name(&self) -> &str {
        activity::EXECUTE_AGENT
    }
}

impl ExecuteAgent {
    pub(super) fn options(task_queue: String) -> ActivityOptions {
        ActivityOptions::with_start_to_close_timeout(EXECUTE_AGENT_LIMIT)
            .schedule_to_start_timeout(SCHEDULE_TO_START)
            .heartbeat_timeout(HEARTBEAT)
            // An agent that ran half-way has had its effects; running it again is the user's choice.
            .retry_policy(RetryPolicy::builder().maximum_attempts(1).build())
            .task_queue(task_queue)
            .build()
    }
}
