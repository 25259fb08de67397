//! Workflows: tasks in an order, and what they tell each other.

mod agent_ref;
mod context_task;
mod convert;
mod draft;
mod error_type;
mod expression;
mod runtime;
mod task;
mod tasks;
#[cfg(test)]
mod tests;

use std::{
    cell::{Ref as Borrowed, RefCell},
    rc::Rc,
};

use crate::{Context, EnvironmentVariable, ValidationError};

pub use agent_ref::{AgentRef, Scope};
pub use error_type::ErrorType;
pub use expression::{Expression, Operand};
pub use runtime::{
    extract_runtime_refs, is_runtime_ref, runtime_env, runtime_secret, validate_runtime_ref,
};
pub use task::Task;
pub use tasks::{
    AgentCall, CallActivity, ForEach, Fork, GrpcCall, HttpCall, Listen, Raise, Run, Set, Switch,
    TryCatch, Wait,
};

/// What a workflow is made of beside its tasks; everything may stay empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WorkflowArgs {
    /// Groups workflows; needed unless the name begins with it.
    pub namespace: String,
    /// The version; `0.1.0` when empty.
    pub version: String,
    /// One line for people.
    pub description: String,
    /// What references call it; made of the name when empty.
    pub slug: String,
    /// The organization it is written for. Where it belongs is decided by `stigmer apply`.
    pub org: String,
    /// What it needs at run time.
    pub environment: Vec<EnvironmentVariable>,
}

/// A workflow of this program. A cheap handle: clones are the same workflow.
#[derive(Clone, Debug)]
pub struct Workflow {
    name: Rc<str>,
    args: Rc<RefCell<WorkflowArgs>>,
    tasks: Rc<RefCell<Vec<Task>>>,
}

impl Workflow {
    /// Creates a workflow and registers it in `ctx`. `name` is `namespace/name`, or the name alone
    /// with [`WorkflowArgs::namespace`].
    ///
    /// # Errors
    ///
    /// When the name or the namespace is missing, or a given slug cannot be one.
    pub fn new(ctx: &Context, name: &str, mut args: WorkflowArgs) -> Result<Self, ValidationError> {
        let name = match name.split_once('/') {
            Some((namespace, name)) => {
                args.namespace = namespace.to_owned();
                name
            }
            None => name,
        };
        if name.is_empty() {
            return Err(ValidationError::NameRequired);
        }
        if args.namespace.is_empty() {
            return Err(ValidationError::NamespaceRequired);
        }
        if !args.slug.is_empty() {
            crate::envelope::check_slug(&args.slug)?;
        }
        if args.version.is_empty() {
            "0.1.0".clone_into(&mut args.version);
        }
        let workflow = Self {
            name: name.into(),
            args: Rc::new(RefCell::new(args)),
            tasks: Rc::default(),
        };
        ctx.register_workflow(workflow.clone());
        Ok(workflow)
    }

    /// The name, without the namespace.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The namespace.
    pub fn namespace(&self) -> String {
        self.args.borrow().namespace.clone()
    }

    /// The version.
    pub fn version(&self) -> String {
        self.args.borrow().version.clone()
    }

    /// The organization it is written for.
    pub fn org(&self) -> String {
        self.args.borrow().org.clone()
    }

    /// Adds a task after those that were added before. Tasks inside a loop, a branch, or a `try`
    /// are given to their parent instead.
    pub fn add(&self, task: impl Into<Task>) -> Task {
        let task = task.into();
        self.tasks.borrow_mut().push(task.clone());
        task
    }

    /// Adds a variable.
    pub fn add_environment_variable(&self, variable: EnvironmentVariable) -> &Self {
        self.args.borrow_mut().environment.push(variable);
        self
    }

    /// The id in `dependencies.json`.
    pub(crate) fn id(&self) -> String {
        format!("workflow:{}", self.name)
    }

    fn tasks(&self) -> Borrowed<'_, Vec<Task>> {
        self.tasks.borrow()
    }
}
