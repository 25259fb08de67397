//! Calls that only executions of workflows have.

use stigmer_api::workflow_execution::{
    ExecutionPhase, ListWorkflowExecutionsByWorkflowRequest, ListWorkflowExecutionsRequest,
    WorkflowExecution, WorkflowExecutionList, WorkflowExecutionStatus,
    WorkflowExecutionUpdateStatusInput,
};

use super::{Answer, Api, path};

impl Api {
    /// Every workflow execution in `phase`; unspecified means all.
    pub async fn workflow_executions(
        &self,
        phase: ExecutionPhase,
    ) -> Answer<Vec<WorkflowExecution>> {
        let request = ListWorkflowExecutionsRequest {
            phase: phase as i32,
            ..Default::default()
        };
        self.workflow_execution_list("list", request).await
    }

    /// Every execution of a workflow.
    pub async fn executions_of_workflow(
        &self,
        workflow_id: &str,
    ) -> Answer<Vec<WorkflowExecution>> {
        let request = ListWorkflowExecutionsByWorkflowRequest {
            workflow_id: workflow_id.to_owned(),
            ..Default::default()
        };
        self.workflow_execution_list("listByWorkflow", request)
            .await
    }

    /// Merges `status` into a workflow execution, as a runner does.
    pub async fn update_workflow_status(
        &self,
        execution_id: &str,
        status: WorkflowExecutionStatus,
    ) -> Answer<WorkflowExecution> {
        let input = WorkflowExecutionUpdateStatusInput {
            execution_id: execution_id.to_owned(),
            status: Some(status),
        };
        self.0
            .unary(path::command::<WorkflowExecution>("updateStatus"), input)
            .await
    }

    async fn workflow_execution_list<Q: prost_reflect::ReflectMessage + 'static>(
        &self,
        method: &str,
        request: Q,
    ) -> Answer<Vec<WorkflowExecution>> {
        let list: WorkflowExecutionList = self
            .0
            .unary(path::query::<WorkflowExecution>(method), request)
            .await?;
        Ok(list.entries)
    }
}
