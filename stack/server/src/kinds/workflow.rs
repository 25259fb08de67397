//! Workflows: a spec that is checked before it is stored, and a default instance.

use stigmer_api::{
    Resource,
    validate::validate_tasks,
    workflow::{
        Workflow, WorkflowSpec,
        serverless::{ServerlessWorkflowValidation, ValidationState},
    },
};

use super::{Kind, default_instance};
use crate::{
    executions::ValidationFailure,
    pipeline::{self, AtStep as _, Cause, StepError, steps},
    state::State,
    store::{Rows, Tx},
};

const STEP: &str = "ValidateWorkflowSpec";

impl Kind for Workflow {
    fn check(&self) -> Result<(), Cause> {
        match &self.spec {
            Some(spec) => Ok(validate_tasks(spec)?),
            None => Err(Cause::invalid("spec", "value is required")),
        }
    }

    fn prepare(&mut self, tx: &Tx<'_>) -> Result<(), StepError> {
        default_instance::create(tx, self)
    }

    fn deleted(&self, tx: &Tx<'_>) -> Result<(), StepError> {
        default_instance::delete(tx, self)
    }
}

/// Stores a new workflow that can run.
pub async fn create(state: &State, request: Workflow) -> Result<Workflow, StepError> {
    write_valid(state, request, pipeline::create).await
}

/// Replaces name, labels, and spec of a stored workflow, if it can run then.
pub async fn update(state: &State, request: Workflow) -> Result<Workflow, StepError> {
    write_valid(state, request, pipeline::update).await
}

/// Creates a workflow that can run, or updates the one with its slug.
pub async fn apply(state: &State, request: Workflow) -> Result<Workflow, StepError> {
    write_valid(state, request, pipeline::apply).await
}

/// Writes a workflow once it was found to be able to run, and what was found with it.
async fn write_valid(
    state: &State,
    request: Workflow,
    write: fn(&Tx<'_>, Workflow) -> Result<Workflow, StepError>,
) -> Result<Workflow, StepError> {
    steps::validate_constraints(&request)?;
    steps::validate_kind(&request)?;
    let spec = request.spec.clone().unwrap_or_default();
    let (known, request) = state
        .store
        .read(move |rows| {
            let known = is_known_valid(rows, &request)?;
            Ok::<_, StepError>((known, request))
        })
        .await?;
    let validation = match known {
        true => None,
        false => Some(validate(state, spec).await?),
    };
    state
        .store
        .write(move |tx| {
            let mut stored = write(tx, request)?;
            if let Some(validation) = validation {
                let status = stored.status.get_or_insert_default();
                status.serverless_workflow_validation = Some(validation);
                steps::persist(tx, &stored)?;
            }
            Ok(stored)
        })
        .await
}

/// Whether the very spec of this request is stored and was found valid before.
fn is_known_valid(rows: &Rows<'_>, request: &Workflow) -> Result<bool, StepError> {
    let mut request = request.clone();
    if request.id().is_empty() {
        steps::resolve_slug(&mut request)?;
    }
    let stored = match steps::load_existing(rows, &request) {
        Ok(stored) => stored,
        Err(StepError {
            cause: Cause::NotFound { .. },
            ..
        }) => return Ok(false),
        Err(error) => return Err(error),
    };
    let valid = stored
        .status
        .as_ref()
        .and_then(|status| status.serverless_workflow_validation.as_ref())
        .is_some_and(|validation| validation.state() == ValidationState::Valid);
    Ok(valid && stored.spec == request.spec)
}

/// Has the workflow-runner look at the spec.
async fn validate(
    state: &State,
    spec: WorkflowSpec,
) -> Result<ServerlessWorkflowValidation, StepError> {
    let Some(orchestrator) = state.orchestrator() else {
        let cause = "Temporal is not connected, so the workflow cannot be validated; try again once it is (the server reconnects by itself)";
        return Err(Cause::Unavailable(cause.to_owned())).at(STEP);
    };
    let system = |cause: &str| format!("workflow validation system error: {cause}");
    let validation = orchestrator
        .validate(spec)
        .await
        .map_err(|failure| match failure {
            ValidationFailure::Unavailable(cause) => Cause::Unavailable(system(&cause)),
            ValidationFailure::TooLarge(cause) => Cause::invalid("spec", cause),
            ValidationFailure::Failed(cause) => Cause::Internal(system(&cause)),
        })
        .at(STEP)?;
    let first = validation.errors.first().map_or("", String::as_str);
    match validation.state() {
        ValidationState::Valid => Ok(validation),
        ValidationState::Invalid => Err(Cause::Rejected(format!(
            "workflow validation failed: {first}"
        ))),
        other => Err(Cause::Internal(system(&format!(
            "the validation ended as {}: {first}",
            other.as_str_name()
        )))),
    }
    .at(STEP)
}
