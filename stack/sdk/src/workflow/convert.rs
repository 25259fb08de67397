//! A workflow as a message that keeps the contract's rules.

use std::collections::BTreeSet;

use prost_reflect::ReflectMessage;
use serde_json::Value;
use stigmer_api::{
    Resource,
    commons::WorkflowTaskKind,
    json::from_json,
    validate::validate,
    workflow::{self as api, tasks::*},
};

use super::{Task, Workflow, context_task};
use crate::{
    Context, ValidationError, envelope::metadata, environment::env_data, error::ConversionError,
};

/// The longest name of a task, in characters.
const MAX_TASK_NAME: usize = 100;
/// What `then` takes beside names of tasks.
const DIRECTIVES: [&str; 3] = ["continue", "exit", "end"];

impl Workflow {
    pub(crate) fn to_proto(&self, ctx: &Context) -> Result<api::Workflow, ConversionError> {
        let args = self.args.borrow();
        let all = self.tasks().iter().flat_map(Task::all).collect::<Vec<_>>();
        check_names(&all).map_err(ConversionError::WorkflowRule)?;
        for task in &all {
            check_config(task).map_err(|reason| in_task(task.name(), reason))?;
        }
        let mut metadata = metadata(&self.name);
        if !args.slug.is_empty() {
            metadata.slug.clone_from(&args.slug);
        }
        let spec = api::WorkflowSpec {
            description: args.description.clone(),
            document: Some(api::WorkflowDocument {
                dsl: "1.0.0".to_owned(),
                namespace: args.namespace.clone(),
                name: self.name.to_string(),
                version: args.version.clone(),
                description: args.description.clone(),
            }),
            tasks: self.task_messages(ctx, &all)?,
            env_spec: env_data(&args.environment, String::new()),
        };
        let workflow = api::Workflow {
            metadata: Some(metadata),
            spec: Some(spec),
            ..api::Workflow::envelope()
        };
        validate(&workflow).map_err(ConversionError::Workflow)?;
        Ok(workflow)
    }

    fn task_messages(
        &self,
        ctx: &Context,
        all: &[Task],
    ) -> Result<Vec<api::WorkflowTask>, ConversionError> {
        let mut tasks = self.tasks().iter().map(Task::to_json).collect::<Vec<_>>();
        let is_task = |name: &str| all.iter().any(|task| task.name() == name);
        let context =
            context_task::bind(&mut tasks, ctx, is_task).map_err(ConversionError::WorkflowRule)?;
        let message = |task: &Value| {
            let name = task["name"].as_str().unwrap_or_default();
            from_json(task).map_err(|error| in_task(name, error.reason))
        };
        context.iter().chain(&tasks).map(message).collect()
    }

    /// The ids of what this workflow calls, as far as it is described in `ctx`.
    pub(crate) fn dependencies(&self, ctx: &Context) -> Vec<String> {
        let all = self.tasks().iter().flat_map(Task::all).collect::<Vec<_>>();
        let called = |task: &Task| {
            let config = task.config();
            let name = |key: &str| config.get(key)?.as_str().map(str::to_owned);
            match task.kind() {
                WorkflowTaskKind::AgentCall => {
                    let agents = ctx.agents();
                    let slug = name("agent")?;
                    let known = agents.iter().any(|agent| agent.name() == slug);
                    known.then(|| format!("agent:{slug}"))
                }
                WorkflowTaskKind::Run => {
                    let workflows = ctx.workflows();
                    let called = name("workflow")?;
                    let mut others = workflows.iter().filter(|other| other.name() != self.name());
                    others.find(|other| other.name() == called).map(Self::id)
                }
                _ => None,
            }
        };
        let mut seen = BTreeSet::new();
        let needed = all.iter().filter_map(called);
        needed.filter(|id| seen.insert(id.clone())).collect()
    }
}

fn in_task(task: &str, reason: String) -> ConversionError {
    ConversionError::Task {
        task: task.to_owned(),
        reason,
    }
}

/// Names are unique in the whole workflow, since tasks refer to each other by them.
fn check_names(all: &[Task]) -> Result<(), ValidationError> {
    let mut seen = BTreeSet::new();
    for task in all {
        let name = task.name().to_owned();
        let length = name.chars().count();
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if name.is_empty() || !name.chars().all(fits) {
            return Err(ValidationError::TaskNameFormat { name });
        } else if length > MAX_TASK_NAME {
            return Err(ValidationError::TaskNameTooLong { length });
        } else if DIRECTIVES.contains(&name.as_str()) {
            return Err(ValidationError::TaskNameReserved { name });
        } else if !seen.insert(task.name()) {
            return Err(ValidationError::TaskNameTaken { name });
        }
    }
    for task in all {
        let unknown = |on: &String| !seen.contains(on.as_str());
        if let Some(on) = task.dependencies().into_iter().find(unknown) {
            let task = task.name().to_owned();
            return Err(ValidationError::DependencyUnknown { task, on });
        }
    }
    Ok(())
}

/// The rules of the config's own message.
fn check_config(task: &Task) -> Result<(), String> {
    let check = match task.kind() {
        WorkflowTaskKind::Set => conforms::<SetTaskConfig>,
        WorkflowTaskKind::HttpCall => conforms::<HttpCallTaskConfig>,
        WorkflowTaskKind::GrpcCall => conforms::<GrpcCallTaskConfig>,
        WorkflowTaskKind::CallActivity => conforms::<CallActivityTaskConfig>,
        WorkflowTaskKind::Switch => conforms::<SwitchTaskConfig>,
        WorkflowTaskKind::For => conforms::<ForTaskConfig>,
        WorkflowTaskKind::Fork => conforms::<ForkTaskConfig>,
        WorkflowTaskKind::Try => conforms::<TryTaskConfig>,
        WorkflowTaskKind::Listen => conforms::<ListenTaskConfig>,
        WorkflowTaskKind::Wait => conforms::<WaitTaskConfig>,
        WorkflowTaskKind::Raise => conforms::<RaiseTaskConfig>,
        WorkflowTaskKind::Run => conforms::<RunTaskConfig>,
        WorkflowTaskKind::AgentCall => conforms::<AgentCallTaskConfig>,
        WorkflowTaskKind::Unspecified => return Err("a task has a kind".to_owned()),
    };
    check(&Value::Object(task.config()))
}

fn conforms<M: ReflectMessage + Default>(config: &Value) -> Result<(), String> {
    let message = from_json::<M>(config).map_err(|error| error.reason)?;
    validate(&message).map_err(|violations| violations.to_string())
}
