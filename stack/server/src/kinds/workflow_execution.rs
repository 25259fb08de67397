//! Workflow executions: one run of a workflow, by Temporal.

use stigmer_api::{
    ApiResourceKind,
    workflow::Workflow,
    workflow_execution::{
        ListWorkflowExecutionsByWorkflowRequest, ListWorkflowExecutionsRequest, WorkflowExecution,
        WorkflowExecutionList, WorkflowExecutionSpec,
    },
    workflow_instance::WorkflowInstance,
};

use super::{Kind, default_instance};
use crate::{
    executions::{self, Execution as _, Phase},
    pipeline::{AtStep as _, Cause, StepError, page, steps},
    requests,
    state::State,
    store::{Indexed as _, Query, Relation, Tx},
};

const STEP: &str = "ValidateWorkflowOrInstance";

impl Kind for WorkflowExecution {
    fn check(&self) -> Result<(), Cause> {
        let Some(spec) = &self.spec else {
            return Err(Cause::invalid("spec", "value is required"));
        };
        if spec.workflow_id.is_empty() && spec.workflow_instance_id.is_empty() {
            return Err(Cause::invalid(
                "spec.workflow_id",
                "value is required, unless spec.workflow_instance_id is set",
            ));
        }
        Ok(())
    }

    fn prepare(&mut self, tx: &Tx<'_>) -> Result<(), StepError> {
        let spec = self.spec.get_or_insert_default();
        if spec.workflow_instance_id.is_empty() {
            let (_, instance_id) = default_instance::load::<Workflow>(tx, &spec.workflow_id)?;
            spec.workflow_instance_id = instance_id;
        } else {
            resolve_workflow(tx, spec)?;
        }
        self.status_mut().phase = Phase::Pending.number();
        executions::mark_secrets(tx, self)
    }
}

/// Notes the workflow of the instance that is to run.
fn resolve_workflow(tx: &Tx<'_>, spec: &mut WorkflowExecutionSpec) -> Result<(), StepError> {
    let instance: WorkflowInstance = steps::load_by_id(tx, &spec.workflow_instance_id, STEP)?;
    let workflow_id = instance.parent();
    if !spec.workflow_id.is_empty() && spec.workflow_id != workflow_id {
        let problem = format!(
            "{} is an instance of workflow {workflow_id}; leave one of the two empty",
            spec.workflow_instance_id
        );
        return Err(Cause::invalid("spec.workflow_id", problem)).at(STEP);
    }
    steps::load_by_id::<Workflow>(tx, workflow_id, STEP)?;
    workflow_id.clone_into(&mut spec.workflow_id);
    Ok(())
}

/// Executions, in pages, of one phase unless that is 0.
pub async fn list(
    state: &State,
    request: ListWorkflowExecutionsRequest,
) -> Result<WorkflowExecutionList, StepError> {
    steps::validate_constraints(&request)?;
    let query = Query {
        phases: page::phases(request.phase),
        tags: request.tags,
        page: page::by_token(
            ApiResourceKind::WorkflowExecution,
            request.page_size,
            request.page_token,
        )?,
        ..Query::default()
    };
    requests::list(state, query).await
}

/// The executions of all instances of one workflow, in pages.
pub async fn list_by_workflow(
    state: &State,
    request: ListWorkflowExecutionsByWorkflowRequest,
) -> Result<WorkflowExecutionList, StepError> {
    steps::validate_constraints(&request)?;
    let query = Query {
        relation: Relation::DescendantOf {
            id: request.workflow_id,
            through: ApiResourceKind::WorkflowInstance,
        },
        page: page::by_token(
            ApiResourceKind::WorkflowExecution,
            request.page_size,
            request.page_token,
        )?,
        ..Query::default()
    };
    requests::list(state, query).await
}
