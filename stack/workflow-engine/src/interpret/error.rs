//! How a workflow stops before its end.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

/// Types of errors that the engine itself makes.
pub mod kind {
    /// An expression has no value.
    pub const EXPRESSION: &str = "Expression error";
    /// A condition of a task has no truth value.
    pub const IF: &str = "If statement error";
    /// A value is not what a task needs.
    pub const VALIDATION: &str = "Validation";
    /// Time is over.
    pub const TIMEOUT: &str = "timeout";
    /// The workflow does not end by itself.
    pub const LIMIT: &str = "limit";
}

/// What went wrong, before anybody knows in which task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The type, such as `CallHTTP error`.
    pub kind: String,
    /// The cause.
    pub message: String,
    /// An HTTP-like status, when there is one.
    pub status: Option<u16>,
}

impl Fault {
    /// A fault without a status.
    pub fn new(kind: &str, message: impl Into<String>) -> Self {
        Self {
            kind: kind.to_owned(),
            message: message.into(),
            status: None,
        }
    }
}

/// A task that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskError {
    /// The task, the innermost one.
    pub task: String,
    /// What went wrong in it.
    pub fault: Fault,
    /// Where that was, from the outside in, such as `task 'all' failed: iteration 2`.
    pub trail: Vec<String>,
}

impl TaskError {
    /// The error of `task`.
    pub fn new(task: &str, fault: Fault) -> Self {
        Self {
            task: task.to_owned(),
            fault,
            trail: Vec::new(),
        }
    }

    /// The same error, seen from `task` around it; `part` says where in it.
    #[must_use]
    pub fn inside(mut self, task: &str, part: Option<&str>) -> Self {
        let failed = format!("task '{task}' failed");
        self.trail.insert(
            0,
            part.map_or_else(|| failed.clone(), |part| format!("{failed}: {part}")),
        );
        self
    }

    /// What a catch calls it: `{type, message, status, task}`.
    pub fn as_variable(&self) -> Json {
        json!({"type": self.fault.kind, "message": self.fault.message, "status": self.fault.status, "task": self.task})
    }
}

impl std::fmt::Display for TaskError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.trail
            .iter()
            .try_for_each(|part| write!(f, "{part}: "))?;
        write!(f, "task '{}' failed: {}", self.task, self.fault.message)
    }
}

impl std::error::Error for TaskError {}

/// Why something did not come to its end.
#[derive(Debug, PartialEq, Eq)]
pub enum Stop<E, I> {
    /// It failed, which a `try` can catch.
    Failed(E),
    /// It was interrupted from outside, which nothing catches.
    Interrupted(I),
}

impl<E, I> Stop<E, I> {
    /// The same with another kind of failure.
    pub fn map<F>(self, f: impl FnOnce(E) -> F) -> Stop<F, I> {
        match self {
            Self::Failed(error) => Stop::Failed(f(error)),
            Self::Interrupted(interrupt) => Stop::Interrupted(interrupt),
        }
    }
}

impl<I> From<Fault> for Stop<Fault, I> {
    fn from(fault: Fault) -> Self {
        Self::Failed(fault)
    }
}
