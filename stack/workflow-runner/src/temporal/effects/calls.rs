//! Calls, which are activities.

use std::time::Duration;

use serde_json::Value as Json;
use stigmer_api::temporal_names::activity;
use stigmer_temporal::Arguments;
use temporalio_common::{ActivityCloseTimeouts, ActivityDefinition, RetryPolicy, UntypedActivity};
use temporalio_sdk::{ActivityOptions, WorkflowTermination};

use super::TemporalEffects;
use crate::{
    activities::TaskActivities,
    engine::{
        interpret::{Effect, Fault, Request, kind},
        model::{ActivityCall, AgentCall, GrpcCall, HttpCall},
        secrets::Environment,
    },
    temporal::{failure, json_of},
};

/// How long a call may take unless its task says otherwise.
const DEFAULT_LIMIT: Duration = Duration::from_secs(5 * 60);

/// How much longer Temporal waits than the call itself, so that the call can say why it failed.
pub(crate) const SLACK: Duration = Duration::from_secs(5);

/// How long a runner that makes a call may not be heard of before another makes it anew.
const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a call may wait for a worker.
const SCHEDULE_TO_START: Duration = Duration::from_secs(60);

impl TemporalEffects {
    /// Options of a call that is tried again: five attempts from one second on, all within `limit`.
    pub(super) fn options(
        &self,
        request: &Request,
        limit: Duration,
        attempts: u32,
    ) -> ActivityOptions {
        let retry = RetryPolicy::builder()
            .initial_interval(Duration::from_secs(1))
            .backoff_coefficient(2.0)
            .maximum_interval(Duration::from_secs(60))
            .maximum_attempts(attempts)
            .build();
        let limits = ActivityCloseTimeouts::ScheduleAndStartToClose {
            schedule_to_close: limit,
            start_to_close: limit,
        };
        ActivityOptions::with_close_timeouts(limits)
            .activity_id(format!("task-{}", request.task_id))
            .schedule_to_start_timeout(SCHEDULE_TO_START.min(limit))
            .retry_policy(retry)
            .cancellation_token(self.token.clone())
            .summary(request.task.clone())
            .build()
    }

    /// Options of a call that this runner makes itself, and tells that it is making it.
    fn own_options(&self, request: &Request) -> ActivityOptions {
        let limit = request.timeout.unwrap_or(DEFAULT_LIMIT) + SLACK;
        let mut options = self.options(request, limit, 5);
        options.heartbeat_timeout = Some(HEARTBEAT_TIMEOUT);
        options
    }

    pub(super) async fn http(
        &self,
        call: &HttpCall,
        request: &Request,
    ) -> Effect<Json, WorkflowTermination> {
        let (arguments, options) = (self.arguments(call), self.own_options(request));
        self.ask(
            TaskActivities::call_http,
            arguments,
            options,
            activity::CALL_HTTP,
        )
        .await
    }

    pub(super) async fn grpc(
        &self,
        call: &GrpcCall,
        request: &Request,
    ) -> Effect<Json, WorkflowTermination> {
        let (arguments, options) = (self.arguments(call), self.own_options(request));
        self.ask(
            TaskActivities::call_grpc,
            arguments,
            options,
            activity::CALL_GRPC,
        )
        .await
    }

    /// The server completes this activity when the agent has ended. An agent that ran has had its
    /// effects, so it is not run again.
    pub(super) async fn agent(
        &self,
        call: &AgentCall,
        request: &Request,
    ) -> Effect<Json, WorkflowTermination> {
        let options = self.options(request, request.timeout.unwrap_or(DEFAULT_LIMIT), 1);
        let what = format!("agent '{}'", call.agent);
        let answer = self
            .ask(
                TaskActivities::call_agent,
                self.arguments(call),
                options,
                &what,
            )
            .await?;
        Ok(self.environment.conceal(&answer))
    }

    /// What the contract gives the activity of a call: the call, an input, and the environment.
    fn arguments<C: Clone>(&self, call: &C) -> (C, Json, Environment) {
        (call.clone(), Json::Null, (*self.environment).clone())
    }

    /// The answer of an activity; `what` is what is called, for the error.
    async fn ask<A: ActivityDefinition<Output = Json>>(
        &self,
        activity: A,
        arguments: impl Into<A::Input>,
        options: ActivityOptions,
        what: &str,
    ) -> Effect<Json, WorkflowTermination> {
        let answer = self
            .ctx
            .execute_activity(activity, arguments, options)
            .await;
        answer.map_err(|error| failure::of_activity(error, what))
    }

    /// A worker of somebody else cannot know the markers, so it is given the values.
    pub(super) async fn activity(
        &self,
        call: &ActivityCall,
        request: &Request,
    ) -> Effect<Json, WorkflowTermination> {
        let mut options = self.options(request, request.timeout.unwrap_or(DEFAULT_LIMIT), 5);
        options.task_queue = call.task_queue.clone();
        let mut arguments = Arguments::none();
        for argument in &call.arguments {
            let argument = self.environment.reveal(argument);
            arguments = arguments
                .with(&argument)
                .map_err(|e| Fault::new(kind::VALIDATION, e.to_string()))?;
        }
        let result = self
            .ctx
            .execute_activity(UntypedActivity::new(&call.name), arguments, options)
            .await;
        let what = format!(
            "activity {} on task queue {}",
            call.name,
            call.task_queue.as_deref().unwrap_or(self.ctx.task_queue())
        );
        let result = result.map_err(|error| failure::of_activity(error, &what))?;
        let result = json_of(&result.payloads).map_err(|e| {
            Fault::new(
                kind::VALIDATION,
                format!("{what} gave a result that is not JSON: {e}"),
            )
        })?;
        Ok(self.environment.conceal(&result))
    }
}
