//! Workflow instances: a workflow with its environments. Every workflow has a default one.

use stigmer_api::{
    ApiResourceOwnerScope, Resource,
    workflow::Workflow,
    workflow_instance::{
        GetWorkflowInstancesByWorkflowRequest, WorkflowInstance, WorkflowInstanceList,
    },
};

use super::Kind;
use crate::{
    pipeline::{AtStep as _, Cause, StepError, page, steps},
    requests,
    state::State,
    store::{Indexed as _, Query, Relation, Tx},
};

impl Kind for WorkflowInstance {
    fn prepare(&mut self, tx: &Tx<'_>) -> Result<(), StepError> {
        let workflow: Workflow = steps::load_by_id(tx, self.parent(), "LoadParentWorkflow")?;
        same_org(self, &workflow).at("ValidateSameOrgBusinessRule")
    }
}

/// An instance of an organization's workflow belongs to that organization, unless to none.
fn same_org(instance: &WorkflowInstance, workflow: &Workflow) -> Result<(), Cause> {
    let org = |metadata: Option<&stigmer_api::ApiResourceMetadata>| {
        metadata
            .filter(|m| m.owner_scope() == ApiResourceOwnerScope::Organization)
            .map(|m| m.org.clone())
    };
    match (org(instance.metadata()), org(workflow.metadata())) {
        (Some(own), Some(wanted)) if own != wanted => Err(Cause::invalid(
            "metadata.org",
            format!("the workflow belongs to org {wanted:?}, not {own:?}"),
        )),
        _ => Ok(()),
    }
}

/// The instances of one workflow, in numbered pages.
pub async fn get_by_workflow(
    state: &State,
    request: GetWorkflowInstancesByWorkflowRequest,
) -> Result<WorkflowInstanceList, StepError> {
    steps::validate_constraints(&request)?;
    let query = Query {
        relation: Relation::ChildOf(request.workflow_id),
        page: page::by_number(request.page_info)?,
        ..Query::default()
    };
    requests::list(state, query).await
}
