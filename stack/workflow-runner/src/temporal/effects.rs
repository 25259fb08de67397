//! The world of the interpreter, as Temporal offers it.

use std::{cell::Cell, collections::BTreeMap, rc::Rc, time::Duration};

use futures_util::future::FutureExt as _;
use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};
use stigmer_api::temporal_names::{activity, workflow::SERVERLESS_WORKFLOW};
use stigmer_temporal::Arguments;
use temporalio_common::{ActivityCloseTimeouts, RetryPolicy, UntypedActivity, UntypedWorkflow, data_converters::RawValue};
use temporalio_sdk::{
    ActivityOptions, ChildWorkflowOptions, ParentClosePolicy, TimerOptions, TimerResult, WaitConditionOptions,
    WorkflowCancellationToken, WorkflowContext, workflows,
};

use super::{
    MAX_PAYLOAD, Metadata, ServerlessWorkflow, WorkflowInput, WorkflowOutput,
    failure::{self, Stopped},
    message::{json_of, read},
};
use crate::{
    activities::{LoadWorkflow, LoadedWorkflow, TaskActivities},
    engine::{
        interpret::{Awaited, Effect, Effects, Fault, Outgoing, Request, kind},
        model::{ActivityCall, AgentCall, EventKind, RunWorkflow},
        secrets::Environment,
    },
};

/// How long a call may take unless its task says otherwise.
const DEFAULT_LIMIT: Duration = Duration::from_secs(5 * 60);

/// How much longer Temporal waits than the call itself, so that the call can say why it failed.
pub(crate) const SLACK: Duration = Duration::from_secs(5);

/// How long a runner that makes a call may not be heard of before another makes it anew.
const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a call may wait for a worker.
const SCHEDULE_TO_START: Duration = Duration::from_secs(60);

/// How long a workflow that is run by another one may take.
const CHILD_LIMIT: Duration = Duration::from_secs(30 * 60);

/// Workflows that may run each other. One that runs itself ends here.
const MAX_DEPTH: u32 = 10;

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
    pub(super) fn new(ctx: WorkflowContext<ServerlessWorkflow>, environment: Environment, depth: u32) -> Self {
        let token = ctx.cancellation_token();
        Self { ctx, token, environment: Rc::new(environment), depth, changed: Rc::default() }
    }

    /// Whether the record of tasks has changed since this was last asked.
    pub(super) fn take_changed(&self) -> bool {
        self.changed.replace(false)
    }

    /// Options of a call that is tried again: five attempts from one second on, all within `limit`.
    fn options(&self, request: &Request, limit: Duration, attempts: u32) -> ActivityOptions {
        let retry = RetryPolicy::builder()
            .initial_interval(Duration::from_secs(1))
            .backoff_coefficient(2.0)
            .maximum_interval(Duration::from_secs(60))
            .maximum_attempts(attempts)
            .build();
        let limits = ActivityCloseTimeouts::ScheduleAndStartToClose { schedule_to_close: limit, start_to_close: limit };
        ActivityOptions::with_close_timeouts(limits)
            .activity_id(format!("task-{}", request.task_id))
            .schedule_to_start_timeout(SCHEDULE_TO_START.min(limit))
            .retry_policy(retry)
            .cancellation_token(self.token.clone())
            .summary(request.task.clone())
            .build()
    }

    async fn http_or_grpc(&self, request: &Request) -> Effect<Json, temporalio_sdk::WorkflowTermination> {
        let mut options = self.options(request, request.timeout.unwrap_or(DEFAULT_LIMIT) + SLACK, 5);
        options.heartbeat_timeout = Some(HEARTBEAT_TIMEOUT);
        let environment = (*self.environment).clone();
        let (result, what) = match &request.call {
            Outgoing::Http(call) => {
                let arguments = (call.clone(), Json::Null, environment);
                (self.ctx.execute_activity(TaskActivities::call_http, arguments, options).await, activity::CALL_HTTP)
            }
            Outgoing::Grpc(call) => {
                let arguments = (call.clone(), Json::Null, environment);
                (self.ctx.execute_activity(TaskActivities::call_grpc, arguments, options).await, activity::CALL_GRPC)
            }
            other => unreachable!("{other:?} is called otherwise"),
        };
        result.map_err(|error| failure::of_activity(error, what))
    }

    /// The server completes this activity when the agent has ended. An agent that ran has had its
    /// effects, so it is not run again.
    async fn agent(&self, call: &AgentCall, request: &Request) -> Effect<Json, temporalio_sdk::WorkflowTermination> {
        let options = self.options(request, request.timeout.unwrap_or(DEFAULT_LIMIT), 1);
        let arguments = (call.clone(), Json::Null, (*self.environment).clone());
        let answer = self.ctx.execute_activity(TaskActivities::call_agent, arguments, options).await;
        let what = format!("agent '{}'", call.agent);
        let answer = answer.map_err(|error| failure::of_activity(error, &what))?;
        Ok(self.environment.conceal(&answer))
    }

    /// A worker of somebody else cannot know the markers, so it is given the values.
    async fn activity(&self, call: &ActivityCall, request: &Request) -> Effect<Json, temporalio_sdk::WorkflowTermination> {
        let mut options = self.options(request, request.timeout.unwrap_or(DEFAULT_LIMIT), 5);
        options.task_queue = call.task_queue.clone();
        let mut arguments = Arguments::none();
        for argument in &call.arguments {
            let argument = self.environment.reveal(argument);
            arguments = arguments.with(&argument).map_err(|e| Fault::new(kind::VALIDATION, e.to_string()))?;
        }
        let result = self.ctx.execute_activity(UntypedActivity::new(&call.name), arguments, options).await;
        let what = format!("activity {} on task queue {}", call.name, call.task_queue.as_deref().unwrap_or(self.ctx.task_queue()));
        let result = result.map_err(|error| failure::of_activity(error, &what))?;
        let result = json_of(&result.payloads)
            .map_err(|e| Fault::new(kind::VALIDATION, format!("{what} gave a result that is not JSON: {e}")))?;
        Ok(self.environment.conceal(&result))
    }

    async fn workflow(&self, run: &RunWorkflow, request: &Request) -> Effect<Json, temporalio_sdk::WorkflowTermination> {
        if self.depth >= MAX_DEPTH {
            let message = format!("{MAX_DEPTH} workflows run each other already; does one run itself?");
            return Err(Fault::new(kind::LIMIT, message).into());
        }
        let what = format!("workflow '{}'", run.name);
        let mut load = self.options(request, Duration::from_secs(30), 5);
        load.activity_id = None;
        let wanted = LoadWorkflow { name: run.name.clone(), org: self.environment.org.clone() };
        let loaded = self.ctx.execute_activity(TaskActivities::load_workflow, wanted, load).await;
        let LoadedWorkflow { yaml } = loaded.map_err(|error| failure::of_activity(error, &what))?;
        let initial_data = match &run.input {
            None => Map::new(),
            Some(Json::Object(input)) => input.clone(),
            Some(other) => Map::from_iter([("value".to_owned(), other.clone())]),
        };
        let input = WorkflowInput {
            workflow_execution_id: String::new(),
            workflow_yaml: yaml,
            metadata: Some(Metadata { depth: self.depth + 1, secret_marker: self.environment.marker.clone() }),
            initial_data,
            env_vars: self.environment.entries.clone(),
            org_id: self.environment.org.clone(),
        };
        let limit = request.timeout.unwrap_or(CHILD_LIMIT);
        let close = if run.wait { ParentClosePolicy::default() } else { ParentClosePolicy::Abandon };
        let options = ChildWorkflowOptions::builder()
            .workflow_id(format!("{}/{}", self.ctx.workflow_id(), request.task_id))
            .execution_timeout(limit)
            .parent_close_policy(close)
            .cancellation_token(self.token.clone())
            .static_summary(request.task.clone())
            .build();
        let arguments = Arguments::none().with(&input).map_err(|e| Fault::new(kind::VALIDATION, e.to_string()))?;
        let started = self.ctx.start_child_workflow(UntypedWorkflow::new(SERVERLESS_WORKFLOW), arguments, options).await;
        let started = started.map_err(|error| match error.as_cancelled() {
            Some(_) => failure::cancelled(),
            None => Fault::new(kind::VALIDATION, format!("{what} did not start: {error}")).into(),
        })?;
        if !run.wait {
            return Ok(Json::Null);
        }
        let result: RawValue = started.result().await.map_err(|error| failure::of_child(&error, &what))?;
        let output: WorkflowOutput = read(self.ctx.payload_converter(), result)
            .map_err(|e| Fault::new(kind::VALIDATION, format!("{what} gave a result that cannot be read: {e}")))?;
        Ok(output.result)
    }
}

impl Effects for TemporalEffects {
    type Interrupt = temporalio_sdk::WorkflowTermination;

    fn now(&self) -> Timestamp {
        let time = self.ctx.workflow_time().and_then(|time| Timestamp::try_from(time).ok());
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
        Self { token: self.token.child_token(), ..self.clone() }
    }

    fn cancel(&self) {
        self.token.cancel_with_reason("another branch decided");
    }

    async fn call(&self, request: Request) -> Effect<Json, Self::Interrupt> {
        let size = json!([format!("{:?}", request.call)]).to_string().len();
        if size > MAX_PAYLOAD {
            let message = format!("the request of about {size} bytes is larger than the {MAX_PAYLOAD} that fit one Temporal payload");
            return Err(Fault::new(kind::LIMIT, message).into());
        }
        match &request.call {
            Outgoing::Http(_) | Outgoing::Grpc(_) => self.http_or_grpc(&request).await,
            Outgoing::Agent(call) => self.agent(call, &request).await,
            Outgoing::Activity(call) => self.activity(call, &request).await,
            Outgoing::Workflow(run) => self.workflow(run, &request).await,
        }
    }

    async fn sleep(&self, duration: Duration) -> Effect<(), Self::Interrupt> {
        if duration.is_zero() {
            return Ok(());
        }
        match self.ctx.timer(TimerOptions::builder(duration).cancellation_token(self.token.clone()).build()).await {
            TimerResult::Fired => Ok(()),
            TimerResult::Cancelled => Err(failure::cancelled()),
        }
    }

    async fn receive(&self, awaited: Awaited) -> Effect<Option<BTreeMap<String, Json>>, Self::Interrupt> {
        let is_query = |kind: EventKind| kind == EventKind::Query;
        let queries = awaited.events.iter().filter(|event| is_query(event.kind)).map(|event| event.id.clone());
        let queries = queries.collect::<Vec<_>>();
        self.ctx.state_mut(|state| state.queries.extend(queries));
        let ids = awaited.events.iter().filter(|event| !is_query(event.kind)).map(|event| event.id.clone()).collect::<Vec<_>>();
        let needed = if awaited.all { ids.len() } else { ids.len().min(1) };
        if needed == 0 {
            return Ok(Some(BTreeMap::new()));
        }
        let timer_token = self.token.child_token();
        let timer = self.ctx.timer(TimerOptions::builder(awaited.timeout).cancellation_token(timer_token.clone()).build());
        let come = |state: &ServerlessWorkflow| ids.iter().filter(|id| state.inbox.get(*id).is_some_and(|queue| !queue.is_empty())).count() >= needed;
        let options = WaitConditionOptions::builder().cancellation_token(self.token.clone()).build();
        let mut condition = Box::pin(self.ctx.wait_condition_with_options(come, options));
        let mut timer = Box::pin(timer.fuse());
        let came: Result<bool, Stopped> = workflows::select! {
            come = condition => come.map(|()| true).map_err(|_| failure::cancelled()),
            over = timer => match over {
                TimerResult::Fired => Ok(false),
                TimerResult::Cancelled => Err(failure::cancelled()),
            },
        };
        drop(condition);
        if !came? {
            return Ok(None);
        }
        timer_token.cancel();
        Ok(Some(self.ctx.state_mut(|state| take(state, &ids, needed))))
    }
}

/// Takes the oldest of each until there are enough.
fn take(state: &mut ServerlessWorkflow, ids: &[String], needed: usize) -> BTreeMap<String, Json> {
    let mut taken = BTreeMap::new();
    for id in ids {
        if taken.len() < needed
            && let Some(data) = state.inbox.get_mut(id).and_then(|queue| queue.pop_front())
        {
            taken.insert(id.clone(), data);
        }
    }
    taken
}
