//! A workflow as the engine runs it, in the shapes of the Serverless Workflow DSL 1.0: serialising
//! it gives the document that travels as `WorkflowYaml`, and reading that document gives it back.
//!
//! Beyond the DSL there are two calls, `agent` and `activity`, and a workflow is run by its name
//! alone (`run.workflow.name`).

mod call;
mod control;
mod duration;
mod named;
mod task;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

pub use call::{
    ActivityCall, AgentCall, AgentConfig, Call, Endpoint, GrpcCall, GrpcService, HttpCall,
    HttpOutput,
};
pub use control::{
    AttemptLimit, Backoff, Case, Catch, ErrorDefinition, ErrorFilter, Event, EventFilter,
    EventKind, ForEach, Fork, Listen, ListenTo, Retry, RetryLimit, RunWorkflow, TryCatch,
};
pub use duration::Span;
pub use named::{Named, TaskList};
pub use task::Task;

/// A workflow: what it is called, and what it does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workflow {
    /// Its name and version.
    pub document: Document,
    /// Its tasks, in order.
    #[serde(rename = "do", with = "named")]
    pub tasks: TaskList,
}

/// The head of a workflow.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// The version of the DSL, `1.0.0`.
    pub dsl: String,
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The version of the workflow.
    pub version: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// What a task does.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Sets variables.
    Set(Map<String, Json>),
    /// Calls something outside.
    Call(Call),
    /// Goes on at another task.
    Switch(Vec<Named<Case>>),
    /// Runs tasks for each item.
    For(ForEach),
    /// Runs branches side by side.
    Fork(Fork),
    /// Runs tasks and handles their failure.
    Try(TryCatch),
    /// Waits for signals.
    Listen(Listen),
    /// Waits for a time.
    Wait(Span),
    /// Fails.
    Raise(ErrorDefinition),
    /// Runs another workflow.
    Run(RunWorkflow),
}
