//! From the stored spec to the engine's model.

mod config;

use serde_json::Value as Json;
use stigmer_api::{
    commons::WorkflowTaskKind,
    json,
    validate::{Violations, validate},
    workflow::{WorkflowDocument, WorkflowSpec, WorkflowTask},
};

use super::{
    document::check_version,
    model::{Document, Named, Task, TaskList, Workflow},
};

/// Why a spec has no model, in the contract's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConvertError {
    /// A field of the document is missing.
    #[error("Missing required field: document.{0}")]
    MissingField(&'static str),
    /// There is nothing to do.
    #[error("Workflow must have at least one task in 'do' section")]
    NoTask,
    /// The DSL is not the one this engine speaks.
    #[error("{0}")]
    Version(String),
    /// A field outside of any task's config breaks its rule.
    #[error("Failed to generate YAML: {0}")]
    Field(String),
    /// A task's config cannot be used.
    #[error("Failed to generate YAML: {0}")]
    Task(TaskError),
}

/// A task that cannot be converted, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed to convert task '{task}': {cause}")]
pub struct TaskError {
    /// The task's name.
    pub task: String,
    /// What is wrong, beginning with the field.
    pub cause: String,
}

/// The model of `spec`.
///
/// # Errors
///
/// Everything that is wrong, the document first and then the tasks in order.
pub fn workflow(spec: &WorkflowSpec) -> Result<Workflow, Vec<ConvertError>> {
    let mut errors = Vec::new();
    let document = document(spec.document.as_ref(), &spec.description, &mut errors);
    if spec.tasks.is_empty() {
        errors.push(ConvertError::NoTask);
    }
    if let Err(Violations(violations)) = validate(spec) {
        let others = violations
            .into_iter()
            .filter(|v| v.path.starts_with("tasks["));
        errors.extend(others.map(|v| ConvertError::Field(format!("{}: {}", v.path, v.text))));
    }
    let mut found = Vec::new();
    let tasks = tasks(&spec.tasks, &mut found);
    errors.extend(found.into_iter().map(ConvertError::Task));
    if errors.is_empty() {
        Ok(Workflow { document, tasks })
    } else {
        Err(errors)
    }
}

fn document(
    document: Option<&WorkflowDocument>,
    description: &str,
    errors: &mut Vec<ConvertError>,
) -> Document {
    let given = document.cloned().unwrap_or_default();
    let fields = [
        ("dsl", &given.dsl),
        ("namespace", &given.namespace),
        ("name", &given.name),
        ("version", &given.version),
    ];
    errors.extend(
        fields
            .into_iter()
            .filter(|(_, value)| value.is_empty())
            .map(|(field, _)| ConvertError::MissingField(field)),
    );
    if !given.dsl.is_empty() {
        if let Err(error) = check_version(&given.dsl) {
            errors.push(ConvertError::Version(error.to_string()));
        } else if let Err(Violations(violations)) = validate(&given) {
            let dsl = violations.into_iter().filter(|v| v.path == "dsl");
            errors.extend(dsl.map(|v| ConvertError::Field(format!("document.dsl: {}", v.text))));
        }
    }
    let description = if given.description.is_empty() {
        description.to_owned()
    } else {
        given.description
    };
    Document {
        dsl: given.dsl,
        namespace: given.namespace,
        name: given.name,
        version: given.version,
        description,
    }
}

/// The tasks that can be converted; what is wrong with the others goes to `errors`.
fn tasks(tasks: &[WorkflowTask], errors: &mut Vec<TaskError>) -> TaskList {
    let converted = |task: &WorkflowTask| {
        Some(Named {
            name: task.name.clone(),
            body: one(task, errors)?,
        })
    };
    tasks.iter().filter_map(converted).collect()
}

/// `None` with a missing kind or config, which the rules of the message report.
fn one(task: &WorkflowTask, errors: &mut Vec<TaskError>) -> Option<Task> {
    let mut fail = |cause: String| {
        errors.push(TaskError {
            task: task.name.clone(),
            cause,
        })
    };
    let kind = match WorkflowTaskKind::try_from(task.kind) {
        Ok(WorkflowTaskKind::Unspecified) => return None,
        Ok(kind) => kind,
        Err(_) => {
            fail(format!("kind: {} is not a task kind", task.kind));
            return None;
        }
    };
    let config = Json::Object(json::from_struct(task.task_config.as_ref()?));
    let mut nested = Vec::new();
    let converted = config::convert(kind, &config, &mut nested);
    let broken = converted.as_ref().err().into_iter().flatten().cloned();
    broken
        .chain(nested.iter().map(TaskError::to_string))
        .for_each(&mut fail);
    let (action, timeout) = converted.ok()?;
    Some(Task {
        timeout,
        export: task
            .export
            .as_ref()
            .map(|export| Json::from(export.r#as.as_str())),
        then: task
            .flow
            .as_ref()
            .map(|flow| flow.then.clone())
            .filter(|then| !then.is_empty()),
        ..Task::new(action)
    })
}

#[cfg(test)]
pub(crate) mod tests;
