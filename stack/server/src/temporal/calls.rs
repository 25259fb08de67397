//! The activities of the runners, as the server's workflows call them.

use std::time::Duration;

use stigmer_api::{
    agent_execution::{AgentExecution, AgentExecutionStatus},
    limits,
    temporal_names::activity,
    workflow_execution::{WorkflowExecution, WorkflowExecutionStatus},
};
use stigmer_temporal::Proto;
use temporalio_common::{
    ActivityCloseTimeouts, ActivityDefinition, RetryPolicy,
    data_converters::{MultiArgs2, RawValue},
};
use temporalio_sdk::{ActivityCancellationType, ActivityOptions};

/// How long an activity may wait for a worker of its queue.
pub(super) const SCHEDULE_TO_START: Duration = Duration::from_secs(60);

const AGENT_HEARTBEAT: Duration = Duration::from_secs(30);
const ENSURE_THREAD_LIMIT: Duration = Duration::from_secs(30);
const ENSURE_THREAD_ATTEMPTS: u32 = 3;
const ENSURE_THREAD_BACKOFF: Duration = Duration::from_secs(5);
const EXECUTE_AGENT_LIMIT: Duration = Duration::from_secs(600);

/// How long both calls of the agent-runner may take together, waits and retries included.
pub(super) const LONGEST_AGENT: Duration = Duration::from_secs(
    (SCHEDULE_TO_START.as_secs() + ENSURE_THREAD_LIMIT.as_secs()) * ENSURE_THREAD_ATTEMPTS as u64
        // The waits between three attempts: one back-off, and twice that.
        + ENSURE_THREAD_BACKOFF.as_secs() * 3
        + SCHEDULE_TO_START.as_secs()
        + EXECUTE_AGENT_LIMIT.as_secs(),
);

/// Short, so that an execution whose runner is lost goes on soon with the next one.
const WORKFLOW_HEARTBEAT: Duration = Duration::from_secs(10);

/// Enough for runners that are replaced again and again, and over within a minute and a half where
/// every attempt fails at once.
const EXECUTE_WORKFLOW_ATTEMPTS: u32 = 10;
const EXECUTE_WORKFLOW_BACKOFF: (Duration, Duration) =
    (Duration::from_secs(1), Duration::from_secs(10));

/// How long the call of the workflow-runner may take, all attempts together. The runner gives up
/// before and says so.
pub(super) const LONGEST_WORKFLOW: Duration =
    Duration::from_secs(limits::WORKFLOW_EXECUTION.as_secs() + 5 * 60);

/// How long a validation may wait for a worker, and take altogether. Callers wait for half a minute.
const VALIDATION_TO_START: Duration = Duration::from_secs(20);
pub(super) const LONGEST_VALIDATION: Duration = Duration::from_secs(25);
const VALIDATION_ATTEMPTS: u32 = 3;

/// What is called, as its failures are told.
#[derive(Clone, Debug)]
pub(super) struct Callee {
    /// The activity.
    pub(super) activity: &'static str,
    /// Who has it.
    pub(super) runner: &'static str,
    /// The queue it is called through.
    pub(super) task_queue: String,
    /// How long it may wait for a worker.
    pub(super) schedule_to_start: Duration,
    /// How long it may not be heard of, where that is limited.
    pub(super) heartbeat: Duration,
}

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
    pub(super) fn callee(task_queue: &str) -> Callee {
        Callee {
            activity: activity::ENSURE_THREAD,
            ..ExecuteAgent::callee(task_queue)
        }
    }

    pub(super) fn options(task_queue: &str) -> ActivityOptions {
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
    pub(super) fn callee(task_queue: &str) -> Callee {
        Callee {
            activity: activity::EXECUTE_AGENT,
            runner: "agent-runner",
            task_queue: task_queue.to_owned(),
            schedule_to_start: SCHEDULE_TO_START,
            heartbeat: AGENT_HEARTBEAT,
        }
    }

    pub(super) fn options(task_queue: &str) -> ActivityOptions {
        ActivityOptions::with_start_to_close_timeout(EXECUTE_AGENT_LIMIT)
            .schedule_to_start_timeout(SCHEDULE_TO_START)
            .heartbeat_timeout(AGENT_HEARTBEAT)
            // An agent that ran half-way has had its effects; running it again is the user's choice.
            .retry_policy(RetryPolicy::builder().maximum_attempts(1).build())
            // The end of a cancelled execution is the end of its runner's work.
            .cancellation_type(ActivityCancellationType::WaitCancellationCompleted)
            .task_queue(task_queue)
            .build()
    }
}

/// `WorkflowExecution -> WorkflowExecutionStatus`. The runner attends a workflow that goes on without
/// it, so another attempt continues where the last one was lost.
pub(super) struct ExecuteWorkflow;

impl ActivityDefinition for ExecuteWorkflow {
    type Input = Proto<WorkflowExecution>;
    type Output = Proto<WorkflowExecutionStatus>;

    fn name(&self) -> &str {
        activity::EXECUTE_WORKFLOW
    }
}

impl ExecuteWorkflow {
    pub(super) fn callee(task_queue: &str) -> Callee {
        Callee {
            activity: activity::EXECUTE_WORKFLOW,
            runner: "workflow-runner",
            task_queue: task_queue.to_owned(),
            schedule_to_start: SCHEDULE_TO_START,
            heartbeat: WORKFLOW_HEARTBEAT,
        }
    }

    pub(super) fn options(task_queue: &str) -> ActivityOptions {
        let retry = RetryPolicy::builder()
            .initial_interval(EXECUTE_WORKFLOW_BACKOFF.0)
            .backoff_coefficient(2.0)
            .maximum_interval(EXECUTE_WORKFLOW_BACKOFF.1)
            .maximum_attempts(EXECUTE_WORKFLOW_ATTEMPTS)
            .build();
        ActivityOptions::with_close_timeouts(within(LONGEST_WORKFLOW))
            .schedule_to_start_timeout(SCHEDULE_TO_START)
            .heartbeat_timeout(WORKFLOW_HEARTBEAT)
            .retry_policy(retry)
            .cancellation_type(ActivityCancellationType::WaitCancellationCompleted)
            .task_queue(task_queue)
            .build()
    }
}

/// `WorkflowSpec -> ServerlessWorkflowValidation`, both passed on as they are.
pub(super) struct ValidateSpec;

impl ActivityDefinition for ValidateSpec {
    type Input = RawValue;
    type Output = RawValue;

    fn name(&self) -> &str {
        activity::VALIDATE_WORKFLOW
    }
}

impl ValidateSpec {
    pub(super) fn callee(task_queue: &str) -> Callee {
        Callee {
            activity: activity::VALIDATE_WORKFLOW,
            runner: "workflow-runner",
            task_queue: task_queue.to_owned(),
            schedule_to_start: VALIDATION_TO_START,
            heartbeat: LONGEST_VALIDATION,
        }
    }

    pub(super) fn options(task_queue: &str) -> ActivityOptions {
        let retry = RetryPolicy::builder()
            .initial_interval(Duration::from_secs(1))
            .maximum_attempts(VALIDATION_ATTEMPTS)
            .build();
        ActivityOptions::with_close_timeouts(within(LONGEST_VALIDATION))
            .schedule_to_start_timeout(VALIDATION_TO_START)
            .retry_policy(retry)
            .task_queue(task_queue)
            .build()
    }
}

/// A limit on all attempts together, which a single one may use up.
fn within(limit: Duration) -> ActivityCloseTimeouts {
    ActivityCloseTimeouts::ScheduleAndStartToClose {
        schedule_to_close: limit,
        start_to_close: limit,
    }
}
