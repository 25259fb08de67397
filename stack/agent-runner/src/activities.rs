//! The runner as Temporal sees it.

use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
    time::{Duration, SystemTime},
};

use stigmer_api::{
    Resource,
    agent_execution::{AgentExecution, AgentExecutionStatus, ExecutionPhase},
    temporal_names::activity,
};
use stigmer_runner::{Standing, heartbeats, standing};
use stigmer_temporal::Proto;
use temporalio_common::{data_converters::MultiArgs2, error::ApplicationFailure};
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use tokio_util::sync::CancellationToken;

use crate::{
    execute::{Executor, Interrupt},
    report::ReportError,
    transcript::outcome,
};

/// Between two signs of life, whatever the model does meanwhile. Temporal gives up after 30 s without
/// one, and answers each with whether the activity was cancelled.
pub const HEARTBEAT: Duration = Duration::from_secs(1);

/// Kept back from the activity's time, so that the turn ends with a clear status of its own.
const RESERVE: Duration = Duration::from_secs(15);

/// How long a turn may take when Temporal names no limit.
const DEFAULT_LIMIT: Duration = Duration::from_secs(585);

/// The activities of the agent-runner.
pub struct AgentActivities {
    executor: Executor,
    stopping: CancellationToken,
}

impl AgentActivities {
    /// Activities that run turns with `executor` until `stopping` is cancelled.
    pub fn new(executor: Executor, stopping: CancellationToken) -> Self {
        Self { executor, stopping }
    }
}

#[activities]
impl AgentActivities {
    /// `(session id, agent id) -> thread id`: the name of a session's conversation.
    #[activity(name = activity::ENSURE_THREAD)]
    pub async fn ensure_thread(
        _ctx: ActivityContext,
        ids: MultiArgs2<String, String>,
    ) -> Result<String, ActivityError> {
        let MultiArgs2(session_id, agent_id) = ids;
        Ok(thread_id(&session_id, &agent_id))
    }

    /// `(AgentExecution, thread id) -> AgentExecutionStatus`: an agent's turn.
    #[activity(name = activity::EXECUTE_AGENT)]
    pub async fn execute(
        self: Arc<Self>,
        ctx: ActivityContext,
        arguments: MultiArgs2<Proto<AgentExecution>, String>,
    ) -> Result<Proto<AgentExecutionStatus>, ActivityError> {
        let MultiArgs2(Proto(execution), thread) = arguments;
        tracing::info!(execution = execution.id(), thread, "execution started");
        let turn =
            self.executor
                .execute(&execution, limit(ctx.info().deadline), self.interrupt(&ctx));
        let status = tokio::select! {
            status = turn => status,
            () = heartbeats(&ctx, HEARTBEAT) => unreachable!("heartbeats do not end"),
        };
        match status {
            Ok(status) if status.phase() == ExecutionPhase::ExecutionCancelled => {
                Err(ActivityError::cancelled())
            }
            Ok(status) => Ok(Proto(outcome(status))),
            Err(error @ ReportError::Over(_)) => {
                tracing::info!(execution = execution.id(), %error, "execution given up");
                Err(failure("ExecutionOver", error))
            }
            Err(error) => {
                tracing::error!(execution = execution.id(), %error, "the execution's status is lost");
                Err(failure("ReportError", error))
            }
        }
    }
}

impl AgentActivities {
    async fn interrupt(&self, ctx: &ActivityContext) -> Interrupt {
        tokio::select! {
            // Stopping cancels the activity too; it is the better reason.
            biased;
            () = self.stopping.cancelled() => return Interrupt::Stopping,
            () = ctx.cancelled() => {}
        }
        match standing(ctx).await {
            Ok(Standing::Awaited) => Interrupt::Cancelled,
            Ok(Standing::Superseded | Standing::Forgotten) => Interrupt::GivenUp,
            Err(error) => {
                tracing::warn!(%error, "told to end, and not why");
                Interrupt::GivenUp
            }
        }
    }
}

/// A failure after which the same activity is not tried again.
fn failure(type_name: &str, error: ReportError) -> ActivityError {
    let failure = ApplicationFailure::builder(error).type_name(type_name.to_owned());
    failure.non_retryable(true).build().into()
}

/// What is left until `deadline`, less the reserve.
fn limit(deadline: Option<SystemTime>) -> Duration {
    deadline.map_or(DEFAULT_LIMIT, |deadline| {
        let left = deadline
            .duration_since(SystemTime::now())
            .unwrap_or_default();
        left.saturating_sub(RESERVE)
    })
}

/// A session has one thread; without a session each call has its own.
fn thread_id(session_id: &str, agent_id: &str) -> String {
    if session_id.is_empty() {
        // Keys of the standard hasher are random, which is all that a throw-away name needs.
        let random = RandomState::new().hash_one(agent_id) as u32;
        return format!("ephemeral-{agent_id}-{random:08x}");
    }
    format!("thread-{session_id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_keeps_its_thread() {
        assert_eq!(thread_id("ses-1", "agt-1"), "thread-ses-1");
    }

    #[test]
    fn without_a_session_every_thread_is_new() {
        let (a, b) = (thread_id("", "agt-1"), thread_id("", "agt-1"));
        assert_ne!(a, b);
        let hex = a
            .strip_prefix("ephemeral-agt-1-")
            .expect("the agent's id is part of it");
        assert!(
            hex.len() == 8 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{a}"
        );
    }

    #[test]
    fn a_turn_ends_before_its_activity_does() {
        let left = limit(Some(SystemTime::now() + Duration::from_secs(600)));
        assert!(
            left <= Duration::from_secs(585) && left > Duration::from_secs(580),
            "{left:?}"
        );
        assert_eq!(limit(Some(SystemTime::UNIX_EPOCH)), Duration::ZERO);
    }
}
