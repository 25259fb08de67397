//! Whether a workflow can run: everything that can be known before it does.

mod flow;
mod names;
mod references;
mod texts;

use stigmer_api::{
    time::timestamp_now,
    workflow::{
        WorkflowSpec,
        serverless::{ServerlessWorkflowValidation, ValidationState},
    },
};

use super::{convert, document, model::Workflow};

/// What was found; each text names its task and field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Why it cannot run.
    pub errors: Vec<String>,
    /// What is allowed but looks like a mistake.
    pub warnings: Vec<String>,
}

impl Findings {
    fn error(&mut self, task: &str, problem: impl std::fmt::Display) {
        self.errors
            .push(format!("Task validation failed: task '{task}': {problem}"));
    }

    fn warning(&mut self, task: &str, problem: impl std::fmt::Display) {
        self.warnings.push(format!("task '{task}': {problem}"));
    }
}

/// Checks names, flow, expressions, and what they refer to.
pub fn check(workflow: &Workflow) -> Findings {
    let mut findings = Findings::default();
    names::check(workflow, &mut findings);
    flow::check(&workflow.tasks, &mut findings);
    references::check(workflow, &mut findings);
    findings
}

/// The outcome of a validation as it is stored: `VALID` with the document, or `INVALID` with errors;
/// without a spec `FAILED`.
pub fn validation(spec: Option<&WorkflowSpec>) -> ServerlessWorkflowValidation {
    let outcome = |state: ValidationState| ServerlessWorkflowValidation {
        state: state as i32,
        validated_at: Some(timestamp_now()),
        ..Default::default()
    };
    let invalid = |errors| ServerlessWorkflowValidation {
        errors,
        ..outcome(ValidationState::Invalid)
    };
    let Some(spec) = spec else {
        let errors = vec!["WorkflowSpec cannot be nil".to_owned()];
        return ServerlessWorkflowValidation {
            errors,
            ..outcome(ValidationState::Failed)
        };
    };
    let workflow = match convert::workflow(spec) {
        Ok(workflow) => workflow,
        Err(errors) => return invalid(errors.iter().map(ToString::to_string).collect()),
    };
    let yaml = match document::write(&workflow) {
        Ok(yaml) => yaml,
        Err(error) => return invalid(vec![format!("Failed to generate YAML: {error}")]),
    };
    let Findings { errors, warnings } = check(&workflow);
    let state = if errors.is_empty() {
        ValidationState::Valid
    } else {
        ValidationState::Invalid
    };
    ServerlessWorkflowValidation {
        yaml,
        errors,
        warnings,
        ..outcome(state)
    }
}

#[cfg(test)]
mod tests;
