//! Control flow: choosing, repeating, branching, failing, and waiting.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::{Span, TaskList, named};

/// Where to go on, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The condition; the default case when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// A task of the same list, `continue`, `exit` or `end`.
    pub then: String,
}

/// A loop.
#[derive(Clone, Debug, PartialEq)]
pub struct ForEach {
    /// The name of the item in the body.
    pub each: String,
    /// The name of its position in the body.
    pub at: String,
    /// What is iterated: an expression.
    pub source: Json,
    /// The condition on which it goes on.
    pub condition: Option<String>,
    /// The body.
    pub tasks: TaskList,
}

/// Branches.
#[derive(Clone, Debug, PartialEq)]
pub struct Fork {
    /// The branches, by name.
    pub branches: Vec<(String, TaskList)>,
    /// Whether the first to finish wins.
    pub compete: bool,
}

/// Tasks and what happens when they fail.
#[derive(Clone, Debug, PartialEq)]
pub struct TryCatch {
    /// The tasks.
    pub tasks: TaskList,
    /// Which errors are caught, and how.
    pub catch: Catch,
}

/// Which errors are caught, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Catch {
    /// Which errors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors: Option<ErrorFilter>,
    /// The name of the error, `error` by default.
    #[serde(default = "Catch::default_name", rename = "as")]
    pub name: String,
    /// The condition on which it is caught.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// The condition on which it is not caught.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub except_when: Option<String>,
    /// How the tasks are tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// What is done then.
    #[serde(
        default,
        rename = "do",
        with = "named",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub tasks: TaskList,
}

impl Catch {
    /// The name of the error unless another is given.
    pub fn default_name() -> String {
        "error".to_owned()
    }
}

/// Which errors are caught: those that agree with every field given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorFilter {
    /// The fields.
    #[serde(rename = "with")]
    pub fields: Map<String, Json>,
}

/// How often and how fast something is tried again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Retry {
    /// The condition on which it is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// The condition on which it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub except_when: Option<String>,
    /// The time before the second attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<Span>,
    /// How the time grows; constant by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backoff: Option<Backoff>,
    /// How often.
    #[serde(default)]
    pub limit: RetryLimit,
}

/// How the time between attempts grows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backoff {
    /// Not at all.
    Constant(Map<String, Json>),
    /// By the delay each time.
    Linear(Map<String, Json>),
    /// Twice each time.
    Exponential(Map<String, Json>),
}

/// How often something is tried.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetryLimit {
    /// Attempts.
    #[serde(default)]
    pub attempt: AttemptLimit,
}

/// How many attempts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttemptLimit {
    /// Their number, the first included; 3 unless given.
    pub count: u32,
}

impl Default for AttemptLimit {
    fn default() -> Self {
        Self { count: 3 }
    }
}

/// Signals waited for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listen {
    /// Which, and how many of them.
    pub to: ListenTo,
}

/// Which signals are waited for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ListenTo {
    /// This one.
    One(EventFilter),
    /// Every one of these.
    All(Vec<EventFilter>),
    /// The first of these.
    Any(Vec<EventFilter>),
}

/// An event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventFilter {
    /// What it is called.
    pub with: Event,
}

/// What an event is called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// The name of the signal, query or update.
    pub id: String,
    /// Which of them it is.
    #[serde(rename = "type")]
    pub kind: EventKind,
}

/// How an event reaches the workflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EventKind {
    /// A Temporal signal.
    Signal,
    /// A Temporal query; it is offered from then on and not waited for.
    Query,
    /// A Temporal update.
    Update,
}

/// An error as the author describes it; every text may hold expressions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorDefinition {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its HTTP-like status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Json>,
    /// Its title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Another workflow to run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunWorkflow {
    /// Its name or slug.
    pub name: String,
    /// Its `$input`.
    pub input: Option<Json>,
    /// Whether its end is awaited.
    pub wait: bool,
}
