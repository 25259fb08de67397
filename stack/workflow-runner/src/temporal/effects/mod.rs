//! The world of the interpreter, as Temporal offers it: `calls` by activities, another workflow as a
//! `child`, and `events`.

mod calls;
mod child;
mod events;

use std::{cell::Cell, collections::BTreeMap, rc::Rc, time::Duration};

use jiff::Timestamp;
use serde_json::{Value as Json, json};
use stigmer_temporal::PingActivities;
use temporalio_common::error::ActivityExecutionError;
use temporalio_sdk::{
    ActivityOptions, TimerOptions, TimerResult, WorkflowCancellationToken, WorkflowContext,
    WorkflowTermination,
};

use super::{MAX_PAYLOAD, ServerlessWorkflow, failure};
use crate::engine::{
    interpret::{Awaited, Effect, Effects, Fault, Outgoing, Request, kind},
    secrets::Environment,
};

pub(crate) use calls::SLACK;

/// How long a turn may take, when no worker has time for it.
const TURN: Duration = Duration::from_secs(60);

/// Effects on one run. Each branch has a cancellation of its own.
#[derive(Clone)]
pub(super) struct TemporalEffects {
    ctx: WorkflowContext<ServerlessWorkflow>,
    token: WorkflowCancellationToken,
    environment: Rc<Environment>,
    depth: u32,
    changed: Rc<Cell<bool>>,
}

impl TemporalEffects {
    pub(super) fn new(
        ctx: WorkflowContext<ServerlessWorkflow>,
        environment: Environment,
        depth: u32,
    ) -> Self {
        let token = ctx.cancellation_token();
        Self {
            ctx,
            token,
            environment: Rc::new(environment),
            depth,
            changed: Rc::default(),
        }
    }

    /// Whether the record of tasks has changed since this was last asked.
    pub(super) fn take_changed(&self) -> bool {
        self.changed.replace(false)
    }
}

impl Effects for TemporalEffects {
    type Interrupt = WorkflowTermination;

    fn now(&self) -> Timestamp {
        let time = self
            .ctx
            .workflow_time()
            .and_then(|time| Timestamp::try_from(time).ok());
        // Every activation carries its time.
        time.unwrap_or_default()
    }

    fn random(&self) -> u64 {
        self.ctx.random()
    }

    fn changed(&self) {
        self.changed.set(true);
    }

    fn branch(&self) -> Self {
        Self {
            token: self.token.child_token(),
            ..self.clone()
        }
    }

    fn cancel(&self) {
        self.token.cancel_with_reason("another branch decided");
    }

    async fn call(&self, request: Request) -> Effect<Json, Self::Interrupt> {
        let size = json!([format!("{:?}", request.call)]).to_string().len();
        if size > MAX_PAYLOAD {
            let message = format!(
                "the request of about {size} bytes is larger than the {MAX_PAYLOAD} that fit one Temporal payload"
            );
            return Err(Fault::new(kind::LIMIT, message).into());
        }
        match &request.call {
            Outgoing::Http(call) => self.http(call, &request).await,
            Outgoing::Grpc(call) => self.grpc(call, &request).await,
            Outgoing::Agent(call) => self.agent(call, &request).await,
            Outgoing::Activity(call) => self.activity(call, &request).await,
            Outgoing::Workflow(run) => self.workflow(run, &request).await,
        }
    }

    async fn sleep(&self, duration: Duration) -> Effect<(), Self::Interrupt> {
        if duration.is_zero() {
            return Ok(());
        }
        match self
            .ctx
            .timer(
                TimerOptions::builder(duration)
                    .cancellation_token(self.token.clone())
                    .build(),
            )
            .await
        {
            TimerResult::Fired => Ok(()),
            TimerResult::Cancelled => Err(failure::cancelled()),
        }
    }

    /// By an activity that does nothing: a timer of any length takes Temporal about a second.
    async fn take_turns(&self) -> Effect<(), Self::Interrupt> {
        let options = ActivityOptions::with_schedule_to_close_timeout(TURN)
            .cancellation_token(self.token.clone())
            .summary("a turn for Temporal".to_owned())
            .build();
        let turn = self
            .ctx
            .execute_activity(PingActivities::ping, (), options)
            .await;
        match turn {
            Err(ActivityExecutionError::Cancelled(_)) => Err(failure::cancelled()),
            // The turn was had, however it ended.
            _ => Ok(()),
        }
    }

    async fn receive(
        &self,
        awaited: Awaited,
    ) -> Effect<Option<BTreeMap<String, Json>>, Self::Interrupt> {
        self.await_events(awaited).await
    }
}
