//! `ExecuteServerlessWorkflow`: one workflow type that runs any document.
//!
//! Written against the SDK's trait and not with its macro, because the signals and queries that a
//! document listens for are known only when it runs, while the macro's are fixed.

use std::{
    any::Any,
    collections::{BTreeMap, BTreeSet, VecDeque},
    rc::Rc,
};

use futures_util::future::{FutureExt as _, LocalBoxFuture};
use serde_json::{Map, Value as Json, json};
use stigmer_api::temporal_names::workflow::SERVERLESS_WORKFLOW;
use temporalio_common::{
    WorkflowDefinition,
    data_converters::{PayloadConverter, RawValue},
    protos::temporal::api::common::v1::Payloads,
};
use temporalio_sdk::{WorkflowContext, WorkflowContextView, WorkflowTermination};
use temporalio_workflow::{
    workflow_interceptors::WorkflowOutputValue,
    workflows::{
        UpdateDefinitionDescriptor, WorkflowDefinitionDescriptor, WorkflowError,
        WorkflowImplementation,
    },
};

use super::{WorkflowOutput, message::json_of, run};
use crate::engine::interpret::Interpreter;

/// The update through which a document is told of events of type `update`: `(id, data)`, or one
/// object `{id, data}`. Names of updates are fixed in the SDK.
pub const UPDATE: &str = "listen";

/// Signals of one name that wait for a task to listen; more are a flood, and the oldest go.
const MAX_WAITING: usize = 1000;

/// The state of one run.
#[derive(Default)]
pub struct ServerlessWorkflow {
    /// What came and was not listened for yet, by id.
    pub(super) inbox: BTreeMap<String, VecDeque<Json>>,
    /// The queries that are answered.
    pub(super) queries: BTreeSet<String>,
    /// The run, once it began.
    pub(super) interpreter: Option<Rc<Interpreter>>,
}

/// The run method.
pub struct Run;

impl WorkflowDefinition for Run {
    type Input = RawValue;
    type Output = WorkflowOutput;

    fn name(&self) -> &str {
        SERVERLESS_WORKFLOW
    }
}

impl WorkflowImplementation for ServerlessWorkflow {
    type Run = Run;

    const HAS_INIT: bool = false;
    const INIT_TAKES_INPUT: bool = false;

    fn name() -> &'static str {
        SERVERLESS_WORKFLOW
    }

    fn definition() -> WorkflowDefinitionDescriptor {
        WorkflowDefinitionDescriptor {
            workflow_type: SERVERLESS_WORKFLOW.to_owned(),
            has_init: false,
            init_takes_input: false,
            signals: Vec::new(),
            queries: Vec::new(),
            updates: vec![UpdateDefinitionDescriptor {
                name: UPDATE.to_owned(),
                has_validator: false,
            }],
        }
    }

    fn init(_ctx: WorkflowContextView, _input: Option<RawValue>) -> Self {
        Self::default()
    }

    fn run(
        ctx: WorkflowContext<Self>,
        input: Option<RawValue>,
    ) -> LocalBoxFuture<'static, Result<Box<dyn WorkflowOutputValue>, WorkflowTermination>> {
        let output = run::execute(ctx, input.unwrap_or_default());
        output
            .map(|result| result.map(|output| Box::new(output) as Box<dyn WorkflowOutputValue>))
            .boxed_local()
    }

    fn decode_signal_input(
        _: &str,
        payloads: Payloads,
        _: &PayloadConverter,
    ) -> Result<Option<Box<dyn Any>>, WorkflowError> {
        data_of(&payloads).map(|data| Some(Box::new(data) as Box<dyn Any>))
    }

    fn dispatch_signal(
        ctx: WorkflowContext<Self>,
        name: &str,
        input: Box<dyn Any>,
    ) -> LocalBoxFuture<'static, Result<(), WorkflowError>> {
        let result = taken(input).map(|data| ctx.state_mut(|state| state.deliver(name, data)));
        std::future::ready(result).boxed_local()
    }

    fn decode_query_input(
        _: &str,
        payloads: &Payloads,
        _: &PayloadConverter,
    ) -> Result<Option<Box<dyn Any>>, WorkflowError> {
        data_of(payloads).map(|data| Some(Box::new(data) as Box<dyn Any>))
    }

    /// The tasks so far, once a task listens for the query.
    fn dispatch_query(
        &self,
        _: WorkflowContextView,
        name: &str,
        _: Box<dyn Any>,
    ) -> Result<Box<dyn WorkflowOutputValue>, WorkflowError> {
        match &self.interpreter {
            Some(interpreter) if self.queries.contains(name) => {
                let tasks = interpreter
                    .tasks()
                    .iter()
                    .map(stigmer_api::json::to_json)
                    .collect::<Vec<_>>();
                Ok(Box::new(json!({"tasks": tasks})))
            }
            _ => Err(refused(format!("no task listens for the query {name:?}"))),
        }
    }

    fn decode_update_input(
        name: &str,
        payloads: Payloads,
        _: &PayloadConverter,
    ) -> Result<Option<Box<dyn Any>>, WorkflowError> {
        if name != UPDATE {
            return Ok(None);
        }
        event_of(&payloads).map(|event| Some(Box::new(event) as Box<dyn Any>))
    }

    fn dispatch_update(
        ctx: WorkflowContext<Self>,
        _: &str,
        input: Box<dyn Any>,
    ) -> LocalBoxFuture<'static, Result<Box<dyn WorkflowOutputValue>, WorkflowError>> {
        let result = taken::<(String, Json)>(input).map(|(id, data)| {
            ctx.state_mut(|state| state.deliver(&id, data.clone()));
            Box::new(data) as Box<dyn WorkflowOutputValue>
        });
        std::future::ready(result).boxed_local()
    }

    fn validate_update(
        &self,
        _: WorkflowContextView,
        _: &str,
        _: Box<dyn Any>,
    ) -> Result<(), WorkflowError> {
        Ok(())
    }
}

impl ServerlessWorkflow {
    fn deliver(&mut self, id: &str, data: Json) {
        let waiting = self.inbox.entry(id.to_owned()).or_default();
        if waiting.len() >= MAX_WAITING {
            waiting.pop_front();
        }
        waiting.push_back(data);
    }
}

fn data_of(payloads: &Payloads) -> Result<Json, WorkflowError> {
    json_of(&payloads.payloads).map_err(|error| refused(format!("the data is not JSON: {error}")))
}

/// `(id, data)` as two arguments, or as one object.
fn event_of(payloads: &Payloads) -> Result<(String, Json), WorkflowError> {
    let first = data_of(payloads)?;
    if let Json::String(id) = first {
        let data = json_of(payloads.payloads.get(1..).unwrap_or_default());
        return data
            .map(|data| (id, data))
            .map_err(|error| refused(format!("the data is not JSON: {error}")));
    }
    match serde_json::from_value::<Map<String, Json>>(first) {
        Ok(mut event) if event.get("id").is_some_and(Json::is_string) => {
            let id = event["id"].as_str().unwrap_or_default().to_owned();
            Ok((id, event.remove("data").unwrap_or_default()))
        }
        _ => Err(refused(
            "the update takes (id, data) or {id, data}".to_owned(),
        )),
    }
}

fn taken<T: 'static>(input: Box<dyn Any>) -> Result<T, WorkflowError> {
    let input = input
        .downcast::<T>()
        .map_err(|_| refused("another type was decoded".to_owned()));
    input.map(|input| *input)
}

fn refused(message: String) -> WorkflowError {
    WorkflowError::Execution(message.into())
}
